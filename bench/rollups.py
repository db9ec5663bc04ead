"""What rollups cost and give: pages of 20 sites over 90 days, folded, asked, and grouped plainly beside it.

`python bench/rollups.py [--events 20000000] [--folder DIR]` prints a table. The events go in as commits of
the largest size a server makes by default, 1 % of them late by any time up to the beginning.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import duckdb  # noqa: E402
import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
import pyarrow as pa  # noqa: E402
from bench.measure import Figure, machine, seconds, table  # noqa: E402

from aforo.assembly import Aforo  # noqa: E402
from aforo.clock import SystemClock  # noqa: E402
from aforo.engines.appends import Append, StreamRows  # noqa: E402
from aforo.engines.folds import Folded  # noqa: E402
from aforo.questions import retention, retention_asked  # noqa: E402
from aforo.questions.asked import decode  # noqa: E402
from aforo.settings import Settings  # noqa: E402
from aforo.windows import DAY, parse_instant  # noqa: E402

MODELS = Path(__file__).parent / "models" / "web"
FIRST = parse_instant("2026-01-01T00:00:00Z")
DAYS = 90
TENANTS = 20
VISITORS = 300_000
ACCOUNTS = 30_000
LATE = 0.01
COMMIT_ROWS = 50_000
ASKED = 200
LATE_DAYS = (30, 20, 24, 28, 32, 36)
MEASURES = """
    count(*) AS a, sum(duration) AS b, sum(amount) AS c, count(DISTINCT visitor_id) AS d,
    count(DISTINCT account_id) AS e, quantile_disc(duration, [0.05, 0.5, 0.95]) AS f, min(duration) AS g,
    max(duration) AS h
"""
STARTS = ("time_bucket(INTERVAL 15 MINUTES, time)", "date_trunc('day', time)")
SPLITS = ("", ", source, device", ", country")
"""What the model's rollups keep, as plain groups."""
PLAIN_MEMORY = "4GB"
"""The queries hold every visitor of every group at once, which does not fit what the engine may use."""
LARGEST = "site00"
COHORTS = {
    "tenant": LARGEST,
    "metric": "visitors",
    "from": "2026-01-05",
    "to": "2026-03-29",
    "grain": "week",
}
QUESTION = {"tenant": LARGEST, "metrics": ["visitors"], "from": "2026-01-01", "to": "2026-03-31"}

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sites:
    """Sites of very unequal size, each with its own visitors."""

    events: int

    def chunks(self) -> Iterator[pa.Table]:
        """All events in the order they arrive."""
        for first in range(0, self.events, COMMIT_ROWS):
            yield self._chunk(np.arange(first, min(first + COMMIT_ROWS, self.events)))

    def _chunk(self, numbers: Numbers) -> pa.Table:
        dice = np.random.default_rng(int(numbers[0]))
        rows = len(numbers)
        sizes = 1 / np.arange(1, TENANTS + 1) ** 1.5
        shares = sizes / sizes.sum()
        site = dice.choice(TENANTS, rows, p=shares)
        # A few visitors come often and most of them seldom.
        visitor = np.floor(np.maximum(1, VISITORS * shares[site]) * dice.random(rows) ** 1.5).astype(np.int64)
        account = visitor * ACCOUNTS // VISITORS
        known = visitor % 3 == 0
        return pa.table(
            {
                "tenant": _named("site", site, 2),
                "id": pa.array(
                    [f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number in numbers.tolist()]
                ),
                "time": pa.array(self._times(numbers, dice)).cast(pa.timestamp("us")),
                "untimed": pa.array(np.zeros(rows, bool)),
                "path": _named("/page/", np.floor(500 * dice.random(rows) ** 3).astype(np.int64), 3),
                "visitor_id": _named("v", visitor, 12),
                "account_id": pa.array(_words("a", account, 8), mask=~known),
                "source": _named("source", dice.integers(0, 6, rows), 1),
                "device": _named("device", dice.integers(0, 3, rows), 1),
                "country": _named("C", np.floor(40 * dice.random(rows) ** 2).astype(np.int64), 2),
                "duration": pa.array(np.round(dice.lognormal(3, 1.2, rows), 3)),
                "amount": pa.array(dice.integers(0, 5_000, rows)),
            }
        )

    def _times(self, numbers: Numbers, dice: np.random.Generator) -> Numbers:
        every = DAYS * DAY / self.events
        times = (numbers * every).astype(np.int64)
        late = dice.random(len(numbers)) < LATE
        times[late] = (times[late] * dice.random(int(late.sum()))).astype(np.int64)
        return FIRST + times


def _named(word: str, numbers: Numbers, digits: int) -> pa.Array:
    return pa.array(_words(word, numbers, digits))


def _words(word: str, numbers: Numbers, digits: int) -> np.ndarray:
    kinds, of = np.unique(numbers, return_inverse=True)
    names = np.array([f"{word}{number:0{digits}d}" for number in kinds.tolist()], object)
    return names[of]


def opened(folder: Path) -> Aforo:
    """A house over the data that keeps no answers: what is measured is reading."""
    given = Settings()
    settings = replace(given, data=folder, models=MODELS, packs=(), cache=replace(given.cache, max_bytes=0))
    return Aforo(settings, SystemClock())


def appended(aforo: Aforo, table: pa.Table) -> int:
    """Commits rows; how many were new."""
    rows = StreamRows(aforo.model.stream("pages"), table)
    [fresh] = aforo.engine.append(Append((rows,), (), aforo.clock.now())).fresh
    return int(fresh.sum())


def load(aforo: Aforo, sites: Sites) -> None:
    kept = sum(appended(aforo, chunk) for chunk in sites.chunks())
    assert kept == sites.events, f"{kept} of {sites.events} events were kept"


def uniques(aforo: Aforo) -> tuple[int, float, str]:
    """The largest site's visitors of all days, the 95th percentile of the seconds, and what was read."""
    reply = aforo.desk.ask(decode(QUESTION)).as_json()
    took = [seconds(lambda: aforo.desk.ask(decode(QUESTION)).as_json()) for _ in range(ASKED)]
    [row] = reply["rows"]  # type: ignore[misc]
    proof = reply["proof"]
    assert isinstance(proof, dict)
    assert isinstance(row, dict)
    return int(row["visitors"]), statistics.quantiles(took, n=20)[-1], str(proof["source"])


def cohorts(aforo: Aforo) -> tuple[float, int]:
    """The 95th percentile of the seconds for the largest site's cohorts by week, and how many weeks."""
    asked = retention_asked.decode(COHORTS)
    weeks = len(retention.retention(aforo.desk, asked).cohorts)
    took = [seconds(lambda: retention.retention(aforo.desk, asked).as_json()) for _ in range(ASKED)]
    return statistics.quantiles(took, n=20)[-1], weeks


def late_event(aforo: Aforo, day: int) -> tuple[float, int, int]:
    """One event of a day long ago: seconds until it is folded, rows of rollups written, slots folded."""
    table = next(Sites(1).chunks())
    of_largest = table.set_column(0, "tenant", pa.array([LARGEST]))
    of_then = pa.array([FIRST + day * DAY]).cast(pa.timestamp("us"))
    event = of_largest.set_column(1, "id", pa.array([f"late {day}"])).set_column(2, "time", of_then)
    folded: list[Folded] = []
    began = time.perf_counter()
    assert appended(aforo, event) == 1
    slots = aforo.folder.run_until_clean(folded.append)
    took = time.perf_counter() - began
    return took, sum(each.rows_written for each in folded), slots


def plainly(file: Path, folder: Path) -> tuple[float, int, float]:
    """Seconds of the groups as plain queries, and the largest site's visitors with their seconds."""
    config = {"memory_limit": PLAIN_MEMORY, "threads": str(Settings().engine.threads)}
    with duckdb.connect(folder / "plain.duckdb", config=config) as plain:
        plain.execute(f"ATTACH '{file}' AS ours (READ_ONLY)")
        plain.execute('CREATE TABLE events AS SELECT * EXCLUDE ("commit", untimed) FROM ours.events_pages')
        plain.execute("CHECKPOINT")

        def group() -> None:
            for at, start in enumerate(STARTS):
                for split, dimensions in enumerate(SPLITS):
                    plain.execute(
                        f"CREATE TABLE groups_{at}_{split} AS SELECT tenant, {start} AS start{dimensions}, "
                        f"{MEASURES} FROM events GROUP BY ALL"
                    )

        grouped = seconds(group)
        asked = "SELECT count(DISTINCT visitor_id) FROM events WHERE tenant = $tenant"
        took: list[float] = []
        for _ in range(3):
            began = time.perf_counter()
            [(visitors,)] = plain.execute(asked, {"tenant": LARGEST}).fetchall()
            took.append(time.perf_counter() - began)
        return grouped, visitors, statistics.median(took)


def sizes(file: Path, folder: Path) -> tuple[int, int, int]:
    """Bytes of the raw events, of all rollups, and of these without slots, each in a file of its own."""
    return (
        _size(file, folder / "raw.duckdb", "events"),
        _size(file, folder / "rolled.duckdb", "rollup\\_"),
        _size(file, folder / "days.duckdb", "rollup\\_", but="\\_slot"),
    )


def _size(file: Path, to: Path, prefix: str, but: str = "/") -> int:
    with duckdb.connect(to) as copy:
        copy.execute(f"ATTACH '{file}' AS ours (READ_ONLY)")
        tables = copy.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'ours' "
            "AND table_name LIKE $prefix || '%' ESCAPE '\\' "
            "AND table_name NOT LIKE '%' || $but || '%' ESCAPE '\\'",
            {"prefix": prefix, "but": but},
        ).fetchall()
        for (table,) in tables:
            copy.execute(f'CREATE TABLE "{table}" AS SELECT * FROM ours."{table}"')
        copy.execute("CHECKPOINT")
    return to.stat().st_size


def peak_memory() -> float:
    """The most that this process has had in memory until now, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def figures(events: int, folder: Path) -> list[Figure]:
    """Every figure; the memory is that of loading, folding and asking in one process."""
    sites, data = Sites(events), folder / "data"
    aforo = opened(data)
    loaded = seconds(lambda: load(aforo, sites))
    memory = [peak_memory()]
    folded = seconds(aforo.folder.run_until_clean)
    memory.append(peak_memory())
    kept = seconds(aforo.periods.run_until_kept)
    memory.append(peak_memory())
    visitors, p95, source = uniques(aforo)
    matrix, weeks = cohorts(aforo)
    (first, *_), *others = [late_event(aforo, day) for day in LATE_DAYS]
    late, rows, slots = sorted(others)[len(others) // 2]
    file_bytes = aforo.engine.statistics().storage.file_bytes
    memory.append(peak_memory())
    aforo.stop()
    grouped, counted, raw = plainly(data / "events.duckdb", folder)
    raw_bytes, rollup_bytes, day_bytes = sizes(data / "events.duckdb", folder)
    assert abs(counted - visitors) <= 1, (
        f"{visitors} visitors of {counted}"
    )  # the late events' may be one more
    assert source == "rollup", source
    assert weeks == 12, weeks
    ratio, factor, share = grouped / folded, raw / p95, rollup_bytes / raw_bytes
    of_days = day_bytes / raw_bytes
    return [
        Figure("load, commits of 50,000", f"{loaded:.1f} s, {events / loaded:,.0f}/s", "told", met=True),
        Figure(
            "full refold, and GROUP BY's time over it",
            f"{folded:.1f} s, {events / folded:,.0f} events/s; {ratio:.2f} ({grouped:.1f} s)",
            ">= 0.3, <= 90 s for 20 M",
            ratio >= 0.3 and folded <= 90,
        ),
        Figure("weeks and months put together from days", f"{kept:.1f} s", "told", met=True),
        Figure("90-day uniques of the largest site, p95", f"{p95 * 1000:.1f} ms", "<= 20 ms", p95 <= 0.02),
        Figure("the same from raw, over it", f"{factor:.0f} x ({raw * 1000:.0f} ms)", ">= 50", factor >= 50),
        Figure(
            "12 weeks' cohorts of the largest site, p95",
            f"{matrix * 1000:.1f} ms",
            "<= 300 ms",
            matrix <= 0.3,
        ),
        Figure("rollups' bytes as a share of raw", f"{share:.2f}", "<= 0.4", share <= 0.4),
        Figure("the same once only days are kept", f"{of_days:.2f}", "<= 0.1", of_days <= 0.1),
        Figure("file bytes per event, rollups included", f"{file_bytes / events:.1f} B", "told", met=True),
        Figure(
            "one late event of 50 to 70 days ago",
            f"{late:.3f} s (the first {first:.3f} s), {rows} rows of rollups, {slots} slot",
            "<= 0.3 s, 1 slot",
            slots == 1 and late <= 0.3,
        ),
        Figure(
            "peak memory until loaded, folded, with weeks and months, and asked",
            ", ".join(f"{most:,.0f}" for most in memory) + " MB",
            "<= 1,500 MB",
            memory[-1] <= 1_500,
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--folder", type=Path, help="where to build it all; else a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="aforo-rollups-") as folder:
        found = figures(options.events, Path(folder))
    print(f"{options.events:,} events of {TENANTS} sites and {DAYS} days")
    print(f"{machine()}, DuckDB {duckdb.__version__}\n")
    print(table(found))
    return 0 if all(each.met for each in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
