"""What is promised of runs is refused by the database itself, whoever writes."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from tests.runs.desk import NOW, Desk, dataset, growth
from tests.store_kinds import Stores

from aforo.store import runs
from aforo.store.run import ENDED, MOVES, Run, RunState
from aforo.store.run_tables import metric_runs

PAIRS = tuple(itertools.product(RunState, RunState))


@pytest.fixture
def desk(stores: Stores) -> Desk:
    desk = Desk(stores.store)
    desk.define(dataset("a", "SA"), metrics=[growth("M", "SA")])
    return desk


def written(desk: Desk, run: Run, frm: RunState, to: RunState) -> None:
    """Writes a move past all code that would refuse it, with everything else as the state wants it."""
    values = {
        "moved_from": str(frm),
        "state": str(to),
        "attempt": 0 if to in (RunState.PENDING, RunState.EXPIRED) else 1,
        "finished_at": NOW if to in ENDED else None,
        "not_before": NOW if to is RunState.LOST else None,
    }
    with desk.store.working() as connection:
        connection.execute(update(metric_runs).where(metric_runs.c.id == run.id).values(values))


def test_moves_are_those_of_the_table_and_no_others(desk: Desk) -> None:
    run = desk.update("a", NOW)[0]
    for frm, to in PAIRS:
        if to in MOVES[frm]:
            written(desk, run, frm, to)
            assert desk.run(run.id).state is to
        else:
            with pytest.raises(IntegrityError, match="ck_metric_runs_move"):
                written(desk, run, frm, to)


@pytest.mark.parametrize("taken", ["waiting", "going"])
def test_a_metric_has_one_run_that_waits_and_one_that_goes_on(desk: Desk, taken: str) -> None:
    run = desk.update("a", NOW)[0]
    if taken == "going":
        desk.started(run.id)
    with pytest.raises(IntegrityError):
        beside(desk, desk.run(run.id), RunState.REQUESTED if taken == "waiting" else RunState.RUNNING)


def beside(desk: Desk, run: Run, state: RunState) -> None:
    """Another run of the same metric in a state."""
    with desk.store.working() as connection:
        runs.add(connection, twin_of(run))
        if state is RunState.RUNNING:
            twin = metric_runs.c.id == "run_twin"
            connection.execute(
                update(metric_runs).where(twin).values(moved_from="REQUESTED", state=str(state))
            )


def twin_of(run: Run) -> Run:
    """Another run of the same metric, asked for."""
    values = {name: getattr(run, name) for name in Run.__slots__}
    return Run(**{**values, "id": "run_twin", "state": RunState.REQUESTED})


@pytest.mark.parametrize(
    "values",
    [
        {"finished_at": NOW},
        {"attempt": 0},
        {"not_before": NOW},
        {"expires_at": NOW},
        {"state": "ASLEEP"},
        {"cause": "whim"},
    ],
    ids=str,
)
def test_a_run_that_is_asked_for_has_what_that_means(desk: Desk, values: dict[str, object]) -> None:
    run = desk.update("a", NOW)[0]
    with pytest.raises(IntegrityError), desk.store.working() as connection:
        connection.execute(update(metric_runs).where(metric_runs.c.id == run.id).values(values))
