"""Law 10: one effect for an update, one run waiting and one going, whatever number of processes try.

At every statement, by seed and under fire: tests/runs/crashes, simulation and crowd.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.runs.desk import NOW, Desk, Ticking, dataset, growth, ratio, wipe
from tests.runs.judged import judge
from tests.store_kinds import Stores

DAY = 86_400 * 1_000_000
PROCESSES, MOST_ROUNDS = 3, 30
DELIVERIES = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 5), st.integers(0, PROCESSES - 1), st.booleans()),
    min_size=1,
    max_size=12,
)
"""Of a dataset, as of a day, to a process; and whether some run ends before."""


@pytest.fixture
def processes(stores: Stores) -> list[Desk]:
    clock = Ticking(NOW)
    return [Desk(stores.beside(), clock) for _ in range(PROCESSES)]


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(DELIVERIES)
def test_an_update_has_one_effect_however_often_and_wherever_it_comes(
    processes: list[Desk], deliveries: list[tuple[str, int, int, bool]]
) -> None:
    begin(processes[0])
    sent = set()
    for name, day, process, ends in deliveries:
        if ends:
            end_one(processes[-process])
        sent.add(f"{name}-{day}")
        processes[process].update(name, NOW - day * DAY, f"{name}-{day}")
    end_all(processes[0])
    judge(processes[0], sent)


def test_one_update_taken_by_all_at_once_makes_one_run(processes: list[Desk]) -> None:
    begin(processes[0])
    with ThreadPoolExecutor(PROCESSES) as pool:
        taken = [pool.submit(each.update, "a", NOW, "once") for each in processes]
        made = [run for each in taken for run in each.result()]
    assert [run.metric_code for run in made] == ["G"]
    end_all(processes[0])
    judge(processes[0], {"once"})


def begin(desk: Desk) -> None:
    wipe(desk.store)
    desk.define(dataset("a", "SA"), dataset("b", "SB"), metrics=[growth("G", "SA"), ratio("R", "G", "SB", 3)])


def end_one(desk: Desk) -> None:
    """The oldest run that is open is begun, or ends where it was begun."""
    for run in desk.all():
        if run.state == "REQUESTED":
            desk.started(run.id, run.attempt)
            return
        if run.state == "RUNNING":
            desk.completed(run.id, run.attempt)
            return


def end_all(desk: Desk) -> None:
    for _ in range(MOST_ROUNDS):
        for run in desk.all():
            if run.state in ("REQUESTED", "RUNNING"):
                desk.completed(run.id, run.attempt)
