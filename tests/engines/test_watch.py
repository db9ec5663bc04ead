"""The watch over reads: which it stops, which it leaves alone, and that one thread is enough."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import duckdb
import pytest

from aforo.clock import ManualClock, SystemClock
from aforo.engines.embedded.watch import Watch
from aforo.errors import TimeLimit

LONG = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range = 1"
PATIENCE_SECONDS = 30


class Told:
    """A cursor that nothing runs on, and how often it was interrupted."""

    def __init__(self) -> None:
        self.times = 0
        self.first, self.second = Event(), Event()

    def interrupt(self) -> None:
        self.times += 1
        (self.first if self.times == 1 else self.second).set()


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch(SystemClock())
    yield watch
    watch.close()


def watching() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "aforo-watch"]


def test_a_statement_is_stopped_and_its_cursor_goes_on(watch: Watch) -> None:
    with duckdb.connect() as connection:
        with pytest.raises(TimeLimit, match=r"stopped after 0\.01 s"), watch.limited(connection, 0.01):
            connection.execute(LONG).fetchall()
        with watch.limited(connection, PATIENCE_SECONDS):
            assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_a_read_that_hears_nothing_is_told_again_and_fails_in_the_end(watch: Watch) -> None:
    cursor = Told()
    with pytest.raises(TimeLimit), watch.limited(cursor, 0):
        assert cursor.second.wait(PATIENCE_SECONDS)


def test_a_read_that_has_ended_is_not_interrupted() -> None:
    """Neither it nor what its cursor reads next, though others are stopped after its time."""
    clock = ManualClock(0)
    watch, ended, other = Watch(clock), Told(), Told()
    with watch.limited(ended, 1):
        pass
    clock.advance(2)
    with watch.limited(ended, PATIENCE_SECONDS), pytest.raises(TimeLimit), watch.limited(other, 0):
        assert other.first.wait(PATIENCE_SECONDS)
    watch.close()
    assert ended.times == 0


def test_a_shorter_limit_is_not_kept_waiting_by_a_longer_one(watch: Watch) -> None:
    patient, hasty = Told(), Told()
    with watch.limited(patient, PATIENCE_SECONDS), pytest.raises(TimeLimit), watch.limited(hasty, 0):
        assert hasty.first.wait(PATIENCE_SECONDS / 2)
    assert patient.times == 0


def test_an_interrupt_of_somebody_else_stays_one(watch: Watch) -> None:
    with pytest.raises(duckdb.InterruptException), watch.limited(Told(), PATIENCE_SECONDS):
        raise duckdb.InterruptException("by hand")


def test_one_thread_looks_after_all_reads_and_ends(watch: Watch) -> None:
    before = len(watching())

    def one(_: int) -> None:
        with pytest.raises(TimeLimit), watch.limited(cursor := Told(), 0.01):
            assert cursor.first.wait(PATIENCE_SECONDS)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(40)))
        assert len(watching()) == before + 1
    watch.close()
    assert len(watching()) == before


def test_without_a_limit_nothing_is_watched(watch: Watch) -> None:
    before = len(watching())
    cursor: Any = None
    with watch.limited(cursor, None):
        assert len(watching()) == before
