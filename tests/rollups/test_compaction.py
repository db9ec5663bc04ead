"""Compaction while serving: what is in order is left alone, and the rest is moved step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from tests.engines.gauges import DEFAULT, MODEL, NOON, Bench, Sent, some_readings
from tests.engines.test_tidying import FULL, fill, summed

from aforo.clock import SystemClock
from aforo.engines.embedded import EmbeddedEngine
from aforo.errors import Stopping
from aforo.rollups import compaction
from aforo.rollups.compaction import Compaction
from aforo.telemetry import Telemetry
from aforo.windows import SLOT


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tmp_path, memory_mb=256, threads=2, untimed_id_seconds=86_400)
    engine.apply_model(MODEL, DEFAULT)
    yield engine
    engine.close()


def of(engine: EmbeddedEngine, telemetry: Telemetry | None = None, *, every_seconds: float = 0) -> Compaction:
    return Compaction(
        engine,
        SystemClock(),
        telemetry or Telemetry(),
        every_seconds=every_seconds,
        loose_share=0.05,
        most_rest_seconds=0,
    )


def test_events_are_put_in_order_and_it_is_told_how_they_lie(engine: EmbeddedEngine) -> None:
    fill(engine, 3)
    before, telemetry = summed(engine), Telemetry()
    done = of(engine, telemetry).run_once()
    assert done.finished
    assert done.steps >= 2
    assert done.moved == done.steps * 2 * FULL
    assert (done.before.out_of_order, done.after.out_of_order) == (3 * FULL, 0)
    assert summed(engine) == before
    lines = telemetry.exposition().decode().splitlines()
    told = dict(line.split(" ") for line in lines if line.startswith("aforo_") and "{" not in line)
    assert float(told["aforo_compaction_events_moved_total"]) == done.moved
    assert float(told["aforo_file_bytes"]) == done.after.file_bytes
    assert float(told["aforo_file_free_bytes"]) == done.after.free_bytes
    assert float(told["aforo_file_bytes_per_event"]) == done.after.bytes_per_event
    assert float(told["aforo_events_out_of_order"]) == done.after.out_of_order
    again = of(engine).run_once()
    assert (again.steps, again.finished) == (0, True)


def test_it_ends_early_where_much_waits_to_be_folded(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(engine, 2)
    Bench(engine).send(*(Sent(id=str(at), time=NOON + at * SLOT) for at in range(3)))
    monkeypatch.setattr(compaction, "MOST_DIRTY_SLOTS", 2)
    done = of(engine).run_once()
    assert (done.steps, done.finished) == (0, False)


def test_whoever_is_told_of_a_step_may_end_it(engine: EmbeddedEngine) -> None:
    def stop(_rows: int) -> None:
        raise Stopping("no more")

    fill(engine, 3)
    before = summed(engine)
    with pytest.raises(Stopping):
        of(engine).run_once(whole=True, told=stop)
    assert summed(engine) == before
    assert of(engine).run_once().finished


def test_in_the_background_it_looks_by_itself_and_stops(engine: EmbeddedEngine) -> None:
    fill(engine, 2)
    begun, tidy = Event(), engine.tidy

    def tidied(**shares: float) -> int | None:
        moved = tidy(**shares)
        begun.set()
        return moved

    engine.tidy = tidied  # type: ignore[method-assign, assignment]
    background = of(engine, every_seconds=3_600)
    background.start()
    assert begun.wait(60)
    background.stop()


def test_events_are_acknowledged_meanwhile(engine: EmbeddedEngine) -> None:
    """A commit is in the journal before a step is over: at no time does it wait for one."""
    bench = Bench(engine)
    fill(engine, 3)
    within, steps = Event(), []
    write = engine._database.write

    def writing(change: Callable[..., object], **told: Any) -> object:
        def slowly(cursor: object) -> object:
            done = change(cursor)
            within.set()
            assert acknowledged.wait(60)
            return done

        return write(slowly if not within.is_set() else change, **told)  # type: ignore[arg-type]

    acknowledged = Event()
    engine._database.write = writing  # type: ignore[method-assign, assignment]
    worker = Thread(target=lambda: steps.append(of(engine).run_once().steps))
    worker.start()
    assert within.wait(60)
    # The step holds the writing thread, and has not committed.
    for seed in range(5):
        bench.send(*some_readings(20, seed=seed))
    assert (steps, worker.is_alive()) == ([], True), "all were acknowledged within the step"
    acknowledged.set()
    worker.join(60)
    assert steps[0] >= 2
    assert engine.storage().events == 3 * FULL + 100
