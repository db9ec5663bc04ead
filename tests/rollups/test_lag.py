"""How long events wait for their fold, by a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aforo.clock import ManualClock
from aforo.engines.embedded import EmbeddedEngine
from aforo.events.buffer import Buffer
from aforo.events.intake import Intake
from aforo.model.reading import read_model
from aforo.model.tenant import Tenant
from aforo.rollups.folder import Folder
from aforo.rollups.lag import TARGET_SECONDS, FoldLag, Lag
from aforo.telemetry import Telemetry
from aforo.windows import DAY, Window, parse_instant

MODEL = read_model(
    """
streams:
  rings: {fields: {bell: string}, measures: {all_rings: count}, rollups: {all: {by: []}}}
  knocks: {fields: {bell: string}, measures: {all_knocks: count}, rollups: {all: {by: []}}}
metrics: {rings: {formula: all_rings}}
""",
    source="rings",
)
NOW = parse_instant("2025-10-14T10:00:00Z")


@dataclass
class Bench:
    clock: ManualClock
    telemetry: Telemetry
    engine: EmbeddedEngine
    lag: FoldLag
    folder: Folder
    buffer: Buffer
    intake: Intake

    def take(self, id_: str, stream: str = "rings", hours_ago: int = 0) -> None:
        time = f"2025-10-14T{10 - hours_ago:02}:00:00Z"
        event = {"stream": stream, "tenant": "a", "id": id_, "time": time, "fields": {}}
        waiting = self.intake.take([event])
        self.buffer.run_once()
        assert not waiting.result(timeout=0).refused

    def observed(self, stream: str = "rings") -> str:
        lines = self.telemetry.exposition().decode().splitlines()
        name = f'aforo_event_to_fold_seconds_count{{stream="{stream}"}} '
        return next((line.removeprefix(name) for line in lines if line.startswith(name)), "0")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock, telemetry = ManualClock(NOW), Telemetry()
    engine = EmbeddedEngine(tmp_path, memory_mb=64, threads=1, untimed_id_seconds=60)
    engine.apply_model(MODEL, Tenant(name="default"))
    lag = FoldLag(engine, clock, telemetry)
    buffer = Buffer(
        engine,
        clock,
        telemetry,
        future_seconds=0,
        commit_rows=1,
        after_seconds=0.0,
        queue_rows=100,
        sinks=(lag.came,),
    )
    folder = Folder(engine, clock, telemetry, batch_rows=1, wake_after_seconds=1, lag=lag)
    intake = Intake(MODEL, buffer, clock, future_seconds=0)
    yield Bench(clock, telemetry, engine, lag, folder, buffer, intake)
    engine.close()


def test_from_the_acknowledgement_to_the_fold(bench: Bench) -> None:
    bench.take("1")
    bench.clock.advance(2)
    bench.take("2")
    bench.clock.advance(1)
    assert bench.lag.of("rings") == Lag("rings", 0, None, 0, 3.0)
    bench.folder.run_until_clean()
    assert bench.lag.of("rings") == Lag("rings", 2, 3.0, 0, 0.0)
    assert bench.observed() == "2.0"
    bench.clock.advance(50)
    bench.folder.run_until_clean()
    assert bench.lag.of("rings") == Lag("rings", 2, 3.0, 0, 0.0)


def test_each_stream_by_itself_and_what_is_late(bench: Bench) -> None:
    bench.take("1")
    bench.clock.advance(TARGET_SECONDS)
    bench.take("1", stream="knocks")
    bench.clock.advance(1)
    bench.folder.run_until_clean()
    assert bench.lag.lags() == (
        Lag("knocks", 1, 1.0, 0, 0.0),
        Lag("rings", 1, TARGET_SECONDS + 1, 1, 0.0),
    )


def test_a_commit_of_which_a_slot_is_left_still_waits(bench: Bench) -> None:
    """One slot a fold: the newer first, and the older event of the earlier commit is not told as folded."""
    bench.take("old", hours_ago=5)
    bench.take("new")
    bench.clock.advance(7)
    assert bench.folder.run_once() is not None
    left = bench.engine.waiting_commits()[1]["rings"]
    assert bench.lag.of("rings").commits == left - 1
    bench.clock.advance(1)
    bench.folder.run_until_clean()
    assert bench.lag.of("rings").commits == 2
    assert bench.lag.of("rings").longest_seconds == 8.0


def test_a_duplicate_alone_waits_for_nothing(bench: Bench) -> None:
    bench.take("1")
    bench.folder.run_until_clean()
    bench.take("1")
    bench.clock.advance(1_000)
    bench.folder.run_until_clean()
    assert bench.lag.of("rings") == Lag("rings", 1, 0.0, 0, 0.0)


def test_slots_that_are_folded_again_are_not_told_as_late(bench: Bench) -> None:
    bench.take("1")
    bench.folder.run_until_clean()
    bench.clock.advance(1_000)
    bench.engine.mark("rings", "a", Window(NOW - DAY, NOW + DAY), 100)
    bench.folder.run_until_clean()
    assert bench.lag.of("rings") == Lag("rings", 1, 0.0, 0, 0.0)
