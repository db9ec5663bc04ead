"""Mistakes that systems of this kind have made, each by its name."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from tests.runs.desk import ME, NOW, TENANT, Desk, Ticking, dataset, event, growth, ratio
from tests.store_kinds import Stores

from aforo.runs.overseer import Overseer
from aforo.store import runs
from aforo.store.run import Run, RunState

DAY = 86_400 * 1_000_000
HOUR = 3_600 * 1_000_000


@pytest.fixture
def desk(stores: Stores) -> Desk:
    desk = Desk(stores.store, Ticking(NOW))
    desk.define(
        dataset("a", "SA"), dataset("b", "SB"), metrics=[ratio("R", "SA", "SB", 3), growth("G", "SA")]
    )
    return desk


def grown(desk: Desk, at: int) -> Run:
    """The run of G that a version of its only dataset makes."""
    return next(run for run in desk.update("a", at) if run.metric_code == "G")


def states(desk: Desk, code: str) -> list[RunState]:
    return [run.state for run in desk.all(code)]


def test_two_pending_rows_for_one_key(desk: Desk) -> None:
    """Two versions of what is waited for make one run that waits, with one row for what is missing."""
    first, second = desk.update("a", NOW - HOUR), desk.update("a", NOW)
    assert [run.id for run in first if run.metric_code == "R"] == [
        run.id for run in second if run.metric_code == "R"
    ]
    assert states(desk, "R") == [RunState.PENDING]
    assert desk.history.run(desk.all("R")[0].id).missing.keys() == {"b"}


@pytest.mark.parametrize("started", [False, True])
def test_an_update_during_a_run_is_not_dropped(desk: Desk, started: bool) -> None:
    """Exactly one more run follows, however many came meanwhile, with the newest of them."""
    run = grown(desk, NOW - 3 * HOUR)
    if started:
        desk.started(run.id)
    desk.update("a", NOW - 2 * HOUR)
    desk.update("a", NOW - HOUR)
    desk.completed(run.id)
    following = desk.all("G")[1:]
    assert [each.state for each in following] == [RunState.REQUESTED]
    assert [each.updated_at for each in desk.history.run(following[0].id).versions] == [NOW - HOUR]


@pytest.mark.parametrize("state", [RunState.PENDING, RunState.REQUESTED, RunState.RUNNING, RunState.LOST])
def test_a_cancelled_run_is_not_stuck(desk: Desk, state: RunState) -> None:
    """Wherever it stood, the next version makes a run again."""
    code = "R" if state is RunState.PENDING else "G"
    desk.update("a", NOW - 2 * HOUR)
    run = desk.all(code)[0]
    if state is RunState.RUNNING:
        desk.started(run.id)
    if state is RunState.LOST:
        lose(desk)
    assert desk.asking.cancel(run.id, ME).state is RunState.CANCELLED
    assert desk.asking.cancel(run.id, ME).state is RunState.CANCELLED
    desk.update("b", NOW - HOUR)
    desk.update("a", NOW - HOUR)
    assert states(desk, code) == [RunState.CANCELLED, RunState.REQUESTED]


def lose(desk: Desk) -> None:
    """Has the overseer find a run lost, and not yet ask for it again."""
    with desk.store.reading() as connection:
        silent = runs.due(connection, runs.SILENT, desk.clock.now() + 400 * 1_000_000, 10)
    desk.clock.advance(400)
    for run_id, metric_id in silent:
        desk.overseer._one(run_id, metric_id, desk.overseer._lose)


@pytest.mark.parametrize("end", ["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "lost for good"])
def test_a_run_that_ends_in_any_way_frees_its_place(desk: Desk, end: str) -> None:
    if end == "EXPIRED":
        desk.update("a", NOW - HOUR)
        desk.clock.advance(4 * 86_400)
        desk.overseer.run_once()
        assert states(desk, "R") == [RunState.EXPIRED]
        assert "b" in desk.all("R")[0].reason
        code = "R"
        desk.update("b", NOW)
    else:
        code, run = "G", grown(desk, NOW - HOUR)
        if end == "CANCELLED":
            desk.asking.cancel(run.id, ME)
        elif end == "lost for good":
            for _ in range(desk.turns.rules.most_attempts):
                desk.clock.advance(400)
                desk.overseer.run_once()
            assert states(desk, "G") == [RunState.FAILED]
        else:
            desk.completed(run.id, status=end)
    with desk.store.reading() as connection:
        assert runs.lease_of(connection, desk.all(code)[0].id) is None
    desk.update("a", NOW)
    assert states(desk, code)[1:] == [RunState.REQUESTED]


def test_concurrent_updates_are_not_lost_by_a_cut_off_of_time(stores: Stores, desk: Desk) -> None:
    """Of two that are taken at once, whichever is committed last sees the other's version."""
    other = Desk(stores.beside(), desk.clock)
    for number in range(10):
        at = NOW - DAY + number * HOUR
        threads = [
            Thread(target=desk.reactor.take, args=(event("a", at, f"a{number}"),)),
            Thread(target=other.reactor.take, args=(event("b", at + 1, f"b{number}"),)),
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        last = desk.all("R")[-1]
        assert last.state is RunState.REQUESTED
        newest = {version.dataset_id: version.updated_at for version in desk.history.run(last.id).versions}
        if newest != {"a": at, "b": at + 1}:  # one of both came while the run was asked for already
            desk.completed(last.id)
            last = desk.all("R")[-1]
            newest = {each.dataset_id: each.updated_at for each in desk.history.run(last.id).versions}
        assert newest == {"a": at, "b": at + 1}
        desk.completed(last.id)


def test_a_run_that_is_alive_is_not_rescued(desk: Desk) -> None:
    """Its heartbeat comes between the overseer's look and its move: it goes on, in the same attempt."""
    run = grown(desk, NOW)
    desk.started(run.id)
    desk.clock.advance(61)
    with heard_before_moving(desk, run.id):
        desk.overseer.run_once()
    assert desk.run(run.id).state is RunState.RUNNING
    assert desk.completed(run.id) == "taken"


@contextmanager
def heard_before_moving(desk: Desk, run_id: str) -> Iterator[None]:
    """Has a heartbeat come in after the overseer has found the run silent, and before it holds its metric."""
    taken = desk.turns.taken

    def after_a_heartbeat() -> object:
        desk.turns.taken = taken  # type: ignore[method-assign]
        assert desk.heartbeat(run_id) == "taken"
        return taken()

    desk.turns.taken = after_a_heartbeat  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        desk.turns.taken = taken  # type: ignore[method-assign]


def test_what_a_lost_attempt_says_is_refused_and_told(desk: Desk) -> None:
    run = grown(desk, NOW)
    desk.started(run.id)
    desk.clock.advance(61)
    desk.overseer.run_once()
    assert desk.run(run.id).attempt == 2
    assert desk.completed(run.id, attempt=1) == "stale"
    assert desk.completed(run.id, attempt=2) == "taken"
    assert desk.completed(run.id, attempt=2) == "repeated"
    assert desk.history.why(TENANT, "G").said[1].kind == "message_stale"


def test_a_result_elsewhere_is_no_result(desk: Desk) -> None:
    from aforo.runs.messages import MetricRunCompletedEvent

    run = grown(desk, NOW)
    desk.feedback.completed(
        MetricRunCompletedEvent(
            run_id=run.id,
            attempt=1,
            status="SUCCEEDED",
            completed_at="2023-11-14T00:00:00Z",
            manifest="file:///srv/results/globex/G/manifest.json",
        )
    )
    ended = desk.run(run.id)
    assert (ended.state, ended.error_code) == (RunState.FAILED, "outside_prefix")


def test_a_run_that_waits_is_looked_at_again_when_its_metric_reads_less(desk: Desk) -> None:
    desk.update("a", NOW)
    assert states(desk, "R") == [RunState.PENDING]
    desk.define(metrics=[ratio("R", "SA", "SA")])
    assert states(desk, "R") == [RunState.REQUESTED]


@pytest.mark.parametrize("again", [False, True])
def test_a_run_whose_metric_reads_more_does_not_go_on_without_it(desk: Desk, again: bool) -> None:
    """Lost, or asked for again, when its metric comes to read a dataset of which there is no version."""
    run = grown(desk, NOW - HOUR)
    if again:
        desk.completed(run.id)
        earlier, run = run, grown(desk, NOW)
        desk.started(run.id)
        desk.asking.again(earlier.id, ME)
    desk.define(metrics=[ratio("G", "SA", "SB")])
    if again:
        desk.completed(run.id)
        assert states(desk, "G") == [RunState.SUCCEEDED, RunState.SUCCEEDED, RunState.CANCELLED]
    else:
        desk.clock.advance(400)
        desk.overseer.run_once()
        assert states(desk, "G") == [RunState.CANCELLED, RunState.PENDING]
        desk.update("b", NOW)
        assert states(desk, "G") == [RunState.CANCELLED, RunState.REQUESTED]


class Stumbling(random.Random):
    """Dice that fall off the table the first time."""

    fell = False

    def uniform(self, a: float, b: float) -> float:
        if not self.fell:
            self.fell = True
            raise ZeroDivisionError
        return super().uniform(a, b)


def test_a_run_that_cannot_be_moved_holds_no_other_back(desk: Desk) -> None:
    desk.update("a", NOW - HOUR)
    desk.update("b", NOW - HOUR)
    desk.clock.advance(400)
    overseer = Overseer(desk.turns, Stumbling(1))
    overseer.run_once()
    assert sorted(run.attempt for run in desk.all()) == [1, 2]
    overseer.run_once()
    assert [run.attempt for run in desk.all()] == [2, 2]
