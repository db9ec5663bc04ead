"""No acknowledgement waits for a fold: told by what is written when, and not by how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.engines.gauges import DEFAULT, MODEL, NOON, Bench, Sent
from tests.faults.points import watch

from aforo.clock import ManualClock
from aforo.engines.embedded import EmbeddedEngine, appending
from aforo.engines.folds import Claim, Folded
from aforo.rollups.folder import Folder
from aforo.telemetry import Telemetry
from aforo.windows import DAY

DAYS = 6
LONG = 60.0  # seconds after which what waits is held to wait for ever

ROLLUP_TABLES = """
-- The tables of all rollups, by slots and days.
SELECT table_name FROM duckdb_tables() WHERE regexp_matches(table_name, '^rollup_.*_(slot|day)$') ORDER BY ALL
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tmp_path, memory_mb=128, threads=1, untimed_id_seconds=86_400)
    engine.apply_model(MODEL, DEFAULT)
    yield engine
    engine.close()


@pytest.fixture
def bench(engine: EmbeddedEngine) -> Bench:
    """One reading a day, of which nothing is folded."""
    bench = Bench(engine)
    bench.send(*(reading(f"day {day}", NOON - day * DAY) for day in range(DAYS)))
    assert engine.dirty_slots() == DAYS
    return bench


def reading(name: str, time: int = NOON) -> Sent:
    return Sent(id=name, time=time, fields={"station": "north", "gate": 1, "level": 1.5, "probe": "probe 1"})


def read_fold(engine: EmbeddedEngine) -> Folded:
    claim = engine.claim(10**6)
    assert claim is not None
    return engine.fold(claim)


def test_a_transaction_of_a_fold_writes_no_more_rows_than_asked(engine: EmbeddedEngine, bench: Bench) -> None:
    """`fold.write_rows`, counted in the tables before each commit of a folder that was started."""
    folded = read_fold(engine)
    engine.release(folded.claim)
    of_a_day, rest = divmod(folded.rows_written, DAYS)
    assert (rest, of_a_day > 3) == (0, True)
    at_once = 2 * of_a_day
    folder = Folder(
        engine, ManualClock(NOON), Telemetry(), batch_rows=10**6, write_rows=at_once, wake_after_seconds=1e6
    )
    folder.start()  # what was never started writes all at once, since nobody waits beside it
    watched, kept = watch(engine), [0]
    tables = [name for (name,) in watched.real.execute(ROLLUP_TABLES).fetchall()]
    counting = " UNION ALL ".join(f'SELECT count(*) AS rows FROM "{name}"' for name in tables)

    def count(point: str) -> None:
        if point == "before commit":
            ((rows,),) = watched.real.execute(f"SELECT sum(rows)::BIGINT FROM ({counting})").fetchall()
            kept.append(rows)

    watched.at = count
    folder.run_once()
    watched.leave()
    folder.stop()
    written = [after - before for before, after in pairwise(kept)]
    assert written == [at_once] * (DAYS // 2)
    bench.reference.fold()
    bench.check_everything()


def test_an_append_does_not_wait_while_a_fold_writes(engine: EmbeddedEngine, bench: Bench) -> None:
    """Every commit of the fold is held up until an append is acknowledged that began meanwhile."""
    folded, acknowledged = read_fold(engine), []
    with ThreadPoolExecutor(1) as sender:

        def send(point: str) -> None:
            if point == "before commit":
                name = f"meanwhile {len(acknowledged)}"
                acknowledged.append(name)
                sender.submit(bench.send, reading(name)).result(LONG)

        watched = watch(engine)
        watched.at = send
        engine.replace(folded, rows_at_once=1)
        watched.leave()
    assert len(acknowledged) == DAYS
    bench.fold()
    bench.check_everything()


def test_an_append_that_must_wait_waits_for_one_piece_of_a_fold(
    engine: EmbeddedEngine, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where as much waits for the tables as may, the next append has the writer after the piece at hand."""
    folded = read_fold(engine)
    bench.send(reading("first"))
    monkeypatch.setattr(appending, "MOST_ROWS", 1)
    asked = Event()
    submit: Callable[..., Future[Any]] = engine._database.submit

    def submitted(change: Callable[[Any], object], **told: Any) -> Future[Any]:
        found = submit(change, **told)
        asked.set()
        return found

    transactions: list[set[str]] = []
    with ThreadPoolExecutor(1) as sender:
        sending: list[Future[object]] = []

        def note(point: str) -> None:
            if point == "before begin":
                transactions.append(set())
            elif point.startswith("before execute: INSERT INTO"):
                transactions[-1] |= {word for word in ("events_", "rollup_") if word in point}
            elif point == "before commit" and not sending:
                # The first piece has written and is held until the append stands in the line behind it.
                monkeypatch.setattr(engine._database, "submit", submitted)
                sending.append(sender.submit(bench.send, reading("second")))
                assert asked.wait(LONG)

        watched = watch(engine)
        watched.at = note
        engine.replace(folded, rows_at_once=1)
        watched.leave()
        sending[0].result(LONG)
    # The second is the append's own; what it waited for had gone into the tables with the first piece.
    assert transactions[:2] == [{"events_", "rollup_"}, set()]
    assert all("rollup_" in each for each in transactions[2:])
    assert len(transactions) == DAYS + 1
    bench.fold()
    bench.check_everything()


def test_until_all_is_clean_the_next_fold_is_read_while_one_is_written(
    engine: EmbeddedEngine, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each write but the last is held until another fold has been read."""
    read_ones = [Event() for _ in range(DAYS)]
    unread, followers = iter(read_ones), iter(read_ones[1:])
    fold, replace = engine.fold, engine.replace

    def read(claim: Claim) -> Folded:
        folded = fold(claim)
        next(unread).set()
        return folded

    def write(folded: Folded, *, rows_at_once: int | None = None) -> None:
        follower = next(followers, None)
        assert follower is None or follower.wait(LONG)
        replace(folded, rows_at_once=rows_at_once)

    monkeypatch.setattr(engine, "fold", read)
    monkeypatch.setattr(engine, "replace", write)
    assert folder_of(engine, batch_rows=1).run_until_clean() == DAYS
    bench.reference.fold()
    bench.check_everything()


def test_what_waits_when_no_event_comes_is_folded_without_a_rest(
    engine: EmbeddedEngine, bench: Bench
) -> None:
    """Between the folds of a folder that would rest for ever."""
    done, folds = Event(), iter(range(1, DAYS))

    def folded() -> None:
        if next(folds, None) is None:
            done.set()

    folder = Folder(
        engine,
        ManualClock(NOON),
        Telemetry(),
        batch_rows=1,
        wake_after_seconds=1e6,
        most_rest_seconds=1e6,
        least_rest_seconds=1e6,
        folded=folded,
    )
    folder.start()
    folder.wake()
    assert done.wait(LONG)
    folder.stop()
    bench.reference.fold()
    bench.check_everything()


def test_a_write_that_fails_leaves_no_slot_claimed(
    engine: EmbeddedEngine, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of its own nor of the fold that was read meanwhile."""

    def write(folded: Folded, *, rows_at_once: int | None = None) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(engine, "replace", write)
        with pytest.raises(OSError, match="the disk is gone"):
            folder_of(engine, batch_rows=1).run_until_clean()
    assert folder_of(engine, batch_rows=10**6).run_until_clean() == DAYS
    bench.reference.fold()
    bench.check_everything()


def folder_of(engine: EmbeddedEngine, batch_rows: int) -> Folder:
    return Folder(engine, ManualClock(NOON), Telemetry(), batch_rows=batch_rows, wake_after_seconds=1e6)
