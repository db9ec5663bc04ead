"""Rounds: one after another, woken, failing and stopped."""

from __future__ import annotations

from threading import Event

from structlog.testing import capture_logs

from aforo.errors import StorageError
from aforo.rounds import Rounds

PATIENCE = 30.0


def test_a_round_begins_when_it_is_woken_and_none_after_a_stop() -> None:
    begun = Event()
    seen: list[int] = []

    def once() -> None:
        seen.append(len(seen))
        begun.set()

    rounds = Rounds("work", once, again_seconds=0.0)
    rounds.start()
    for count in (1, 2, 3):
        assert begun.wait(PATIENCE)
        begun.clear()
        assert len(seen) == count  # each waits until it is woken
        rounds.wake()
    assert begun.wait(PATIENCE)
    rounds.stop()
    rounds.wake()
    assert seen == [0, 1, 2, 3]


def test_what_fails_is_told_and_tried_again() -> None:
    met = iter((StorageError("the disk is full", hint="make room"), ZeroDivisionError()))
    done = Event()

    def once() -> float | None:
        failing = next(met, None)
        if failing is not None:
            raise failing
        done.set()
        return None

    rounds = Rounds("look", once, again_seconds=0.0)
    with capture_logs() as logs:
        rounds.start()
        assert done.wait(PATIENCE)
        rounds.stop()
    assert [each["event"] for each in logs] == ["look failed", "look failed"]
    assert logs[0]["hint"] == "make room"
    assert logs[1]["exc_info"]


def test_a_rest_ends_with_the_stop_and_a_part_that_never_began_can_be_stopped() -> None:
    resting = Event()

    def once() -> float:
        resting.set()
        rounds.rest(3_600.0)
        return 3_600.0

    rounds = Rounds("rest", once, again_seconds=0.0)
    rounds.start()
    assert resting.wait(PATIENCE)
    rounds.stop()  # would never come back if the rest went on
    assert rounds.stopping

    never = Rounds("never", once, again_seconds=0.0)
    never.stop()
    assert not never.started
