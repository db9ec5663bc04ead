"""What being counted once costs as a stream grows: appends to 1, 10 and 50 million events, some late.

`python bench/once.py [--millions 1,10,50] [--runs 9]` prints a table for docs/decisions/012. The events go
into the engine as commits of the largest size a server makes by default, late ones among them, and are then
taken for folded, since a ledger as long as the whole stream is none that a server has.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import duckdb  # noqa: E402
import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
import pyarrow as pa  # noqa: E402
from bench.measure import machine  # noqa: E402

from aforo.engines.appends import Append, StreamRows  # noqa: E402
from aforo.engines.embedded import EmbeddedEngine  # noqa: E402
from aforo.model.reading import read_model  # noqa: E402
from aforo.model.tenant import Tenant  # noqa: E402
from aforo.settings import Settings  # noqa: E402
from aforo.windows import DAY, parse_instant  # noqa: E402

MODEL = read_model(
    """
streams:
  taps:
    fields:
      valve: {type: string}
      litres: {type: number}
      probe: {type: string}
    entities: {probe: probe}
    measures: {all_taps: count, probes: {distinct: probe}}
    rollups: {valves: {by: [valve]}}
metrics:
  taps: {formula: all_taps, unit: taps, format: integer, description: How many}
""",
    source="once.yaml",
)
TAPS = MODEL.streams["taps"]
FIRST = parse_instant("2024-01-01T00:00:00Z")
EVERY = 311_040  # microseconds from one event to the next: 50 million in 180 days
COMMIT_ROWS = 50_000
LATE = 0.01
PROBES = 100_000


class Stream:
    """A stream that grows: events come in the order of their time, but for the late ones."""

    def __init__(self, folder: Path) -> None:
        settings = Settings().engine
        self._folder = folder
        self._open = lambda: EmbeddedEngine(
            folder, memory_mb=settings.memory_mb, threads=settings.threads, untimed_id_seconds=86_400
        )
        self.engine = self._open()
        self.engine.apply_model(MODEL, Tenant(name="default"))
        self.size = 0
        self._numbers = 0
        self._dice = np.random.default_rng(1)

    def grow_to(self, size: int) -> float:
        """Adds events in full commits; events a second."""
        began, before = time.perf_counter(), self.size
        while self.size < size:
            rows = min(COMMIT_ROWS, size - self.size)
            times = self.now() + np.arange(rows) * EVERY
            late = self._dice.random(rows) < LATE
            times[late] = self._any_time(int(late.sum()))
            self.append(times)
        seconds = time.perf_counter() - began
        self._take_for_folded()
        return (self.size - before) / seconds

    def new(self, rows: int) -> Append:
        """The next events, in order."""
        return self._appended(self.now() + np.arange(rows) * EVERY)

    def late(self, rows: int) -> Append:
        """New events of any time since the beginning."""
        return self._appended(self._any_time(rows))

    def mixed(self, rows: int) -> Append:
        """New events of which some are up to a day late."""
        times = self.now() + np.arange(rows) * EVERY
        late = np.arange(rows) % round(1 / LATE) == 0
        times[late] -= self._dice.integers(0, min(DAY, self.size * EVERY), int(late.sum()))
        return self._appended(times)

    def append(self, times: npt.NDArray[np.int64]) -> None:
        self.commit(self._appended(times))

    def commit(self, append: Append) -> int:
        """How many of the events were new."""
        [fresh] = self.engine.append(append).fresh
        self.size += int(fresh.sum())
        return int(fresh.sum())

    def now(self) -> int:
        return FIRST + self.size * EVERY

    def _any_time(self, rows: int) -> npt.NDArray[np.int64]:
        return FIRST + self._dice.integers(0, max(1, self.size), rows) * EVERY

    def _appended(self, times: npt.NDArray[np.int64]) -> Append:
        rows = len(times)
        numbers = np.arange(self._numbers, self._numbers + rows)
        self._numbers += rows
        ids = [f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number in numbers.tolist()]
        table = pa.table(
            {
                "tenant": pa.array(["river"] * rows),
                "id": pa.array(ids),
                "time": pa.array(times).cast(pa.timestamp("us")),
                "untimed": pa.array(np.zeros(rows, bool)),
                "valve": pa.array(np.char.add("v", (numbers % 20).astype(str))),
                "litres": pa.array(numbers % 1000 / 8),
                "probe": pa.array(np.char.add("p", self._dice.integers(0, PROBES, rows).astype(str))),
            }
        )
        return Append((StreamRows(TAPS, table),), (), self.now())

    def _take_for_folded(self) -> None:
        """A server's ledger holds what came since the last fold; here that is nothing."""
        self.engine.close()
        with duckdb.connect(self._folder / "events.duckdb") as file:
            file.execute("DELETE FROM ledger")
        self.engine = self._open()
        self.engine.apply_model(MODEL, Tenant(name="default"))


KINDS: dict[str, Callable[[Stream], Append]] = {
    "1,000 new": lambda stream: stream.new(1_000),
    "1,000, 1 % up to a day late": lambda stream: stream.mixed(1_000),
    "10,000 new": lambda stream: stream.new(10_000),
    "1,000 of any age": lambda stream: stream.late(1_000),
}


def measured(stream: Stream, make: Callable[[Stream], Append], runs: int) -> tuple[float, float, float]:
    """Milliseconds: the median and the slowest of new events, and the median of the same sent again."""
    new: list[float] = []
    again: list[float] = []
    for run in range(runs + 2):
        append = make(stream)
        times = []
        for expected in (append.rows[0].rows.num_rows, 0):
            began = time.perf_counter()
            fresh = stream.commit(append)
            times.append((time.perf_counter() - began) * 1000)
            assert fresh == expected, "an event counts once"
        if run >= 2:
            new.append(times[0])
            again.append(times[1])
    return statistics.median(new), max(new), statistics.median(again)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", default="1,10,50")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--folder", type=Path, help="where to build the stream; else a temporary folder")
    options = parser.parse_args()
    print(f"{machine()}, DuckDB {duckdb.__version__}; ms: median (slowest; sent again)\n")
    print("| events | " + " | ".join(KINDS) + " | file | built at |")
    print("|---|" + "---|" * (len(KINDS) + 2))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        stream = Stream(Path(folder) / "data")
        first: dict[str, float] = {}
        for millions in map(float, options.millions.split(",")):
            rate = stream.grow_to(round(millions * 1e6))
            cells = []
            for kind, make in KINDS.items():
                median, slowest, again = measured(stream, make, options.runs)
                ratio = median / first.setdefault(kind, median)
                cells.append(f"{median:.1f} ({slowest:.1f}; {again:.1f}) = {ratio:.2f} x")
            size = stream.engine.statistics().storage.file_bytes / 2**20
            print(f"| {millions:g} M | {' | '.join(cells)} | {size:,.0f} MB | {rate:,.0f}/s |", flush=True)
        stream.engine.close()


if __name__ == "__main__":
    main()
