"""How fast questions are answered: a site's summary of 90 days beside the 90 before, and others.

`python bench/questions.py [--events 20000000] [--folder DIR] [--compare]` prints a table. The events are
those of `bench/site.py`; with a folder they are built once and found again. With `--compare` a tenth of the
events is built as well, and what ten times as many cost is told. Other work on the machine makes all slower.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import duckdb  # noqa: E402
from bench import plainly, site  # noqa: E402
from bench.measure import Figure, machine, processor_seconds, seconds, table  # noqa: E402
from bench.senders import asked as asking  # noqa: E402
from bench.senders import drive  # noqa: E402

from aforo.assembly import Aforo  # noqa: E402
from aforo.packs.web.asked import asked_of  # noqa: E402
from aforo.packs.web.reply import Summary  # noqa: E402
from aforo.packs.web.summary import summary  # noqa: E402
from aforo.questions.asked import decode  # noqa: E402
from aforo.settings import Settings  # noqa: E402

ASKED = 100
CONNECTIONS = 50
WINDOWS = 3  # of each site, each a day earlier than the one before
OVER_HTTP, OF_DIFFERENT = 3_000, 300
"""Answers over HTTP: of the same some seconds of them, of different ones ten times fewer take longer."""
MIXED = 320
PLAIN_RUNS = 3
THREADS = 2
BEGIN, END = "2026-04-01", "2026-06-30"
PLAIN = plainly.Asked(site.LARGEST, "2026-01-01", BEGIN, END)
OTHER = "site01"
SUMMARY = {**site.WINDOW, "compareTo": "previous"}
SOME: tuple[dict[str, object], ...] = (
    {"metrics": ["web_page_views"], "grain": "day"},
    {"metrics": ["web_visitors"], "grain": "week"},
    {"metrics": ["web_visitors"], "compare": "previous"},
    {"metrics": ["web_page_views", "web_visitors"], "by": ["traffic_source"]},
    {"metrics": ["web_page_views"], "by": ["path"], "limit": 10, "totals": True},
    {"metrics": ["web_lcp_p75"], "grain": "month"},
    {"metrics": ["web_sessions", "web_bounce_rate"], "grain": "week"},
    {"metrics": ["web_page_views"], "where": "traffic_source = 'social'", "grain": "day"},
)
"""What is asked of every site in turn, in a mix."""


def p95(took: list[float]) -> float:
    return statistics.quantiles(took, n=20)[-1]


def made(folder: Path, events: int) -> tuple[Aforo, float | None]:
    """A house with so many events, and the seconds that building it took if it was not there already."""
    data, done = folder / "data", folder / "done"
    aforo = site.opened(data)
    if done.exists() and done.read_text(encoding="utf-8") == aforo.model.version:
        return aforo, None
    took = seconds(lambda: site.build(aforo, events))
    done.write_text(aforo.model.version, encoding="utf-8")
    return aforo, took


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of each summary, and the processor time of one, which other work adds less to."""

    seconds: list[float]
    processor: float


def summaries(aforo: Aforo, before_each: Callable[[], object] = lambda: None) -> tuple[Took, Summary]:
    """What summaries of the largest site took, all but the first, and that; each after something else."""
    asked = asked_of(SUMMARY, site.LARGEST)
    told = summary(aforo.desk, asked)
    took, processor = [], 0.0
    for _ in range(ASKED):
        before_each()
        began = time.process_time()
        took.append(seconds(lambda: summary(aforo.desk, asked)))
        processor += time.process_time() - began
    return Took(took, processor / ASKED), told


@contextmanager
def open_house(data: Path, *, caching: bool = False, at_hand: bool = True) -> Iterator[Aforo]:
    """A house for as long as it is asked."""
    aforo = site.opened(data, caching=caching, at_hand=at_hand)
    try:
        yield aforo
    finally:
        aforo.stop()


def a_write(aforo: Aforo, tenant: str) -> None:
    """A transaction that touches a site, though it changes nothing, as nobody can know without looking."""
    aforo.engine._database.write(lambda _cursor: None, touched=frozenset((tenant,)))


def mixed(aforo: Aforo) -> tuple[float, float]:
    """Questions answered a second, of every kind and site, by as many threads as there are cores.

    And the processor time of one. Each was asked once before.
    """
    sites = [f"site{number:02d}" for number in range(site.TENANTS)]
    asked = [decode({**question, **site.WINDOW, "tenant": name}) for question in SOME for name in sites]
    random.Random(1).shuffle(asked)
    wanted = list(itertools.islice(itertools.cycle(asked), MIXED))
    for each in asked:
        aforo.desk.ask(each)
    began = time.process_time()
    with ThreadPoolExecutor(THREADS) as pool:
        took = seconds(lambda: list(pool.map(lambda each: aforo.desk.ask(each).as_json(), wanted)))
    return MIXED / took, (time.process_time() - began) / MIXED


@contextmanager
def served(data: Path, *options: str) -> Iterator[tuple[str, int]]:
    """A server of the house, ready: where, and the number of its process."""
    (data / "server.json").unlink(missing_ok=True)
    command = [sys.executable, str(ROOT / "bench" / "site.py"), str(data), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 60
        while not (data / "server.json").exists():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the server did not start")
            time.sleep(0.05)
        try:
            yield json.loads((data / "server.json").read_text(encoding="utf-8"))["url"], process.pid
        finally:
            process.terminate()


THE_SAME: tuple[dict[str, str], ...] = ({**SUMMARY, "propertyId": site.LARGEST},)


def different() -> tuple[dict[str, str], ...]:
    """Summaries of every site over windows of 90 days, in no order of either."""
    first, last = (date.fromisoformat(site.WINDOW[edge]) for edge in ("from", "to"))
    asked = [
        {**SUMMARY, "from": str(first - back), "to": str(last - back), "propertyId": f"site{number:02d}"}
        for back in map(timedelta, range(WINDOWS))
        for number in range(site.TENANTS)
    ]
    random.Random(1).shuffle(asked)
    return tuple(asked)


def over_http(
    data: Path, *options: str, asked: Sequence[Mapping[str, str]] = THE_SAME, answers: int = OVER_HTTP
) -> dict[str, Any]:
    """What came of summaries that many ask at once, each as soon as the last is answered.

    Each was asked once before.
    """
    paths = [f"/v1/metrics/summary?{urlencode(each)}" for each in asked]
    with served(data, *options) as (url, process):
        each = [asking(url, path) for path in paths]
        drive(url, each, 1, 0)
        began = processor_seconds(process)
        told = drive(url, list(itertools.islice(itertools.cycle(each), answers)), CONNECTIONS, 0)
        processor = processor_seconds(process) - began
    assert told["statuses"] == {200: answers}, told["statuses"]
    return {**told, "processor_ms": processor / answers * 1000}


def raw_figures(data: Path, folder: Path, own: Took, told: Summary) -> list[Figure]:
    """What the same costs from raw events; its visitors and page views are the same."""
    threads, plain = Settings().engine.threads, folder / "plain.duckdb"
    if not plain.exists():
        plainly.copied(data / "events.duckdb", plain, threads)
    ours = (told.metrics.unique_visitors.value, told.metrics.total_page_views.value)
    began = time.process_time()
    raw = plainly.from_raw(plain, threads, PLAIN, PLAIN_RUNS)
    processor = (time.process_time() - began) / PLAIN_RUNS
    assert all((each.visitors, each.views) == ours for each in raw), (raw, ours)
    took = statistics.median(each.seconds for each in raw)
    factor = took / p95(own.seconds)
    return [
        Figure(
            "the same from raw events in DuckDB, over it",
            f"{factor:.0f} x ({took * 1000:,.0f} ms); {processor / own.processor:.0f} x its processor time",
            ">= 100",
            factor >= 100,
        ),
        _in_postgres(plain, folder, threads, p95(own.seconds), ours),
    ]


def _in_postgres(plain: Path, folder: Path, threads: int, ours: float, counted: tuple[int, int]) -> Figure:
    what = "the same in PostgreSQL by nightly tables and scans for uniques, over it"
    programs = plainly.postgres()
    if programs is None:
        return Figure(what, "no PostgreSQL of 15 or later on this machine", "told", met=True)
    server = plainly.Postgres(programs, folder / "postgres")
    with server.running():
        night = server.filled(plain, threads)
        told = server.by_night(PLAIN, PLAIN_RUNS)
    assert all((each.visitors, each.views) == counted for each in told), (told, counted)
    took = statistics.median(each.seconds for each in told)
    value = f"{took / ours:.0f} x ({took * 1000:,.0f} ms; the tables take {night:.1f} s a night)"
    return Figure(what, value, "told", met=True)


def figures(events: int, folder: Path, *, compare: bool) -> list[Figure]:
    """Every figure, over a folder for so many events."""
    data = folder / "data"
    aforo, built = made(folder, events)
    took, told = summaries(aforo)
    written, _ = summaries(aforo, lambda: a_write(aforo, site.LARGEST))
    others, _ = summaries(aforo, lambda: a_write(aforo, OTHER))
    rate, processor = mixed(aforo)
    aforo.stop()
    with open_house(data, at_hand=False) as bare:
        from_file, same = summaries(bare)
    assert same.metrics == told.metrics, (same.metrics, told.metrics)
    with open_house(data, caching=True) as caching:
        cached, _ = summaries(caching)
    found = [
        Figure("built", "found" if built is None else f"{built:.0f} s", "told", met=True),
        _in_process("90-day summary with comparison, in process, rows at hand, p95", took, 25),
        _in_process("the same, each after a write of its own", written, 25),
        _in_process("the same, each after a write of another site's", others, 25),
        _in_process("the same, no rows at hand", from_file, None),
        _in_process("the same from the cache", cached, 3),
        *_at_once("the same", over_http(data), 40),
        *_at_once(
            f"{len(different())} different", over_http(data, asked=different(), answers=OF_DIFFERENT), None
        ),
        *_at_once("the same from the cache", over_http(data, "--caching"), 8),
        *_at_once(
            f"{len(different())} different from the cache",
            over_http(data, "--caching", asked=different(), answers=OF_DIFFERENT),
            None,
        ),
        Figure(
            f"questions of {len(SOME)} kinds a second, {THREADS} threads in process, no cache",
            f"{rate:.0f} ({processor * 1000:.1f} ms of processor time each)",
            ">= 200",
            rate >= 200,
        ),
        *raw_figures(data, folder, took, told),
    ]
    return [*found, *(_ten_times(events, folder) if compare else ())]


def _in_process(what: str, took: Took, most_ms: int | None) -> Figure:
    most, median = p95(took.seconds) * 1000, statistics.median(took.seconds) * 1000
    told = f"{most:.1f} ms (median {median:.1f} ms, {took.processor * 1000:.1f} ms of processor time)"
    if most_ms is None:
        return Figure(what, told, "told", met=True)
    return Figure(what, told, f"<= {most_ms} ms", most <= most_ms)


def _at_once(what: str, told: dict[str, Any], most_ms: int | None) -> Iterator[Figure]:
    """Of answers over HTTP how long they took, and how many a second came."""
    yield _within(
        f"{what} over HTTP, {CONNECTIONS} asking at once, p95",
        told["p95_ms"] / 1000,
        told["p50_ms"] / 1000,
        most_ms,
    )
    rate = told["statuses"][200] / told["seconds"]
    each = f"{rate:.1f} ({told['processor_ms']:.1f} ms of processor time each)"
    yield Figure("answered a second meanwhile", each, "told", met=True)


def _ten_times(events: int, folder: Path) -> Iterator[Figure]:
    """The same summary of all events and of a tenth, in turn: the median ratio, since loads come and go."""
    few, _ = made(_of(folder.parent, events // 10), events // 10)
    many, _ = made(folder, events)
    asked = asked_of(SUMMARY, site.LARGEST)
    for aforo in (few, many):
        summary(aforo.desk, asked)
    pairs = [
        (seconds(lambda: summary(few.desk, asked)), seconds(lambda: summary(many.desk, asked)))
        for _ in range(ASKED)
    ]
    few.stop()
    many.stop()
    ratio = statistics.median(b / a for a, b in pairs)
    yield Figure(
        f"{events:,} events against {events // 10:,}, median of pairs",
        f"{ratio:.2f} x",
        "<= 1.3",
        ratio <= 1.3,
    )


def _within(what: str, value: float, median: float, most: int | None) -> Figure:
    told = f"{value * 1000:.1f} ms (median {median * 1000:.1f} ms)"
    if most is None:
        return Figure(what, told, "told", met=True)
    return Figure(what, told, f"<= {most} ms", value * 1000 <= most)


def _of(folder: Path, events: int) -> Path:
    """The folder of a size. PostgreSQL's user has to get through to its own below it."""
    own = folder / f"questions-{events}"
    own.mkdir(parents=True, exist_ok=True)
    return own


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="aforo-questions-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument(
        "--folder", type=Path, help="where it is built, and found again; else a temporary one"
    )
    parser.add_argument("--compare", action="store_true", help="also against a tenth of the events")
    options = parser.parse_args()
    with _folder(options.folder) as folder:
        found = figures(options.events, _of(folder, options.events), compare=options.compare)
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{options.events:,} events of {site.TENANTS} sites and {site.DAYS} days")
    print(f"{machine()}, DuckDB {duckdb.__version__}, {datetime.now(UTC):%Y-%m-%d}, load {load}\n")
    print(table(found))
    return 0 if all(each.met for each in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
