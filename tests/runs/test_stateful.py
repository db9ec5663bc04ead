"""Law 10 lives: updates, workers that are late, lost or say things twice, people, two processes in turn."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, func, select
from tests.runs.desk import DEFINED, ME, NOW, TENANT, Desk, dataset, event, growth, ratio, wipe
from tests.runs.oracle import DAY, Expected, Metric, Oracle
from tests.store_kinds import Stores

from aforo.errors import Conflict
from aforo.store import runs
from aforo.store.connect import Store
from aforo.store.run import Run
from aforo.store.run_tables import dataset_updates, metric_run_pending_datasets, run_dataset_updates

SECOND = 1_000_000
DATASETS = ("a", "b", "c")
STATUSES = ("SUCCEEDED", "FAILED")
LIVES = (60, 40)
LONG_LIVES = (2_000, 100)
MOST_RUNS = 10_000
_placed = select(
    dataset_updates.c.id, func.row_number().over(order_by=dataset_updates.c.id).label("place")
).subquery()
READ = select(run_dataset_updates.c.run_id, run_dataset_updates.c.dataset_id, _placed.c.place).join(
    _placed, _placed.c.id == run_dataset_updates.c.update_id
)


class Lives(RuleBasedStateMachine):
    """The same verbs to the oracle and to one of two processes over one store."""

    def __init__(self, store: Store, beside: Store) -> None:
        super().__init__()
        self.desk = Desk(store)
        self.other = Desk(beside, self.desk.clock)
        self.names: dict[int, str] = {}  # the id of the run that the oracle calls by number

    @initialize()
    def begin(self) -> None:
        wipe(self.desk.store, keep=DEFINED)
        rules = self.desk.turns.rules
        self.oracle = Oracle(
            [
                Metric("M1", ("a", "b"), 3),
                Metric("M2", ("M1",), None),
                Metric("M3", ("a", "c"), None),
                Metric("M4", ("M1", "c"), 1),
            ],
            start_within=int(rules.start_within_seconds) * SECOND,
            lease=int(rules.lease_seconds) * SECOND,
            most_attempts=rules.most_attempts,
            now=NOW,
        )

    @rule(
        name=st.sampled_from(DATASETS), day=st.integers(0, 12), key=st.integers(0, 60), process=st.booleans()
    )
    def update(self, name: str, day: int, key: int, process: bool) -> None:
        """Of any age, and with keys that come again."""
        at = NOW - (12 - day) * DAY
        named = f"{name}-{key}"
        expected = self.oracle.update(name, named, at)
        reaction = self._desk(process).reactor.take(event(name, at, named))
        came = "repeated" if reaction.repeated else "older" if reaction.older else "taken"
        assert came == expected

    @precondition(lambda self: self.names)
    @rule(
        pick=st.integers(0, 999),
        stale=st.integers(0, 5),
        what=st.sampled_from(["started", "heartbeat", "completed"]),
        status=st.sampled_from(STATUSES),
        twice=st.booleans(),
        process=st.booleans(),
    )
    def said(self, pick: int, stale: int, what: str, status: str, twice: bool, process: bool) -> None:
        """A worker's word of an attempt, mostly the last one, once or twice, in any order."""
        metric, run = self._picked(pick)
        attempt = max(1, run.attempt - (1 if stale == 0 else 0))
        for _ in range(1 + twice):
            name = self.names[run.number]
            if what == "completed":
                self.oracle.completed(metric, run, attempt, status)
                self._desk(process).completed(name, attempt, status=status)
            elif what == "started":
                self.oracle.started(metric, run, attempt)
                self._desk(process).started(name, attempt)
            else:
                self.oracle.started(metric, run, attempt)
                self._desk(process).heartbeat(name, attempt)
            self._name()

    @precondition(lambda self: self.names)
    @rule(pick=st.integers(0, 999), process=st.booleans())
    def cancel(self, pick: int, process: bool) -> None:
        metric, run = self._picked(pick)
        ended = run in metric.ended
        self.oracle.cancel(metric, run)
        try:
            self._desk(process).asking.cancel(self.names[run.number], ME)
        except Conflict:
            assert ended

    @rule(code=st.sampled_from(["M1", "M2", "M3", "M4"]), process=st.booleans())
    def by_hand(self, code: str, process: bool) -> None:
        metric = self.oracle.metrics[code]
        self.oracle.by_hand(metric)
        try:
            self._desk(process).asking.by_hand(TENANT, code, ME)
        except Conflict:
            assert any(name not in self.oracle.newest for name in metric.reads)

    @precondition(lambda self: self.names)
    @rule(pick=st.integers(0, 999))
    def again(self, pick: int) -> None:
        metric, run = self._picked(pick)
        before = self.oracle.made
        self.oracle.again(metric, run)
        try:
            self.desk.asking.again(self.names[run.number], ME)
        except Conflict:
            assert self.oracle.made == before

    @rule(seconds=st.sampled_from([1, 59, 61, 301, 2 * 86_400, 4 * 86_400]), process=st.booleans())
    def pass_time(self, seconds: int, process: bool) -> None:
        self.desk.clock.advance(seconds)
        self.oracle.now = self.desk.clock.now()
        self.oracle.look()
        self._desk(process).overseer.run_once()

    @invariant()
    def same(self) -> None:
        """Every run is as the oracle has it, and reads the exact versions."""
        # One transaction: most of what a life costs on PostgreSQL is being looked at.
        with self.desk.store.reading() as connection:
            there = runs.page(connection, None, MOST_RUNS)
            versions, missing = _details(connection)
        self._match(there)
        found = {run.id: run for run in there}
        for metric, run in self.oracle.runs():
            name = self.names[run.number]
            assert _told(found.pop(name)) == _wanted(metric, run)
            assert versions.get(name, {}) == run.versions
            if run.state == "PENDING":
                assert missing.get(name, set()) == run.missing
        assert not found

    def teardown(self) -> None:
        """Nobody is stranded: where workers answer, all that can be computed is, and nothing waits long."""
        if not hasattr(self, "oracle"):
            return
        for _ in range(60):
            open_runs = [
                (metric, run) for metric, run in self.oracle.runs() if run.state in ("REQUESTED", "RUNNING")
            ]
            for metric, run in open_runs:
                self.oracle.completed(metric, run, run.attempt, "SUCCEEDED")
                self.desk.completed(self.names[run.number], run.attempt)
                self._name()
            self.oracle.look()
            self.desk.overseer.run_once()
            if not any(run.state in ("REQUESTED", "RUNNING", "LOST") for _, run in self.oracle.runs()):
                break
        self.same()
        for metric, run in self.oracle.runs():
            assert run in metric.ended or (run.state == "PENDING" and run.missing)

    def _desk(self, process: bool) -> Desk:
        return self.other if process else self.desk

    def _picked(self, pick: int) -> tuple[Metric, Expected]:
        known = [(metric, run) for metric, run in self.oracle.runs() if run.number in self.names]
        known.sort(key=lambda each: -each[1].number)
        # The latest are of more interest than those long ended.
        return known[pick % min(len(known), 6)]

    def _name(self) -> None:
        """Finds the run of the oracle's newest, where it has made one."""
        if any(run.number not in self.names for _, run in self.oracle.runs()):
            self._match(self.desk.all())

    def _match(self, there: list[Run]) -> None:
        """Finds which run is meant by each that the oracle has made; at most one of a metric is new."""
        named = set(self.names.values())
        fresh = [run for run in there if run.id not in named]
        for metric, run in self.oracle.runs():
            if run.number not in self.names:
                mine = [each for each in fresh if each.metric_code == metric.code]
                assert len(mine) == 1, (metric.code, mine)
                self.names[run.number] = mine[0].id


def _details(connection: Connection) -> tuple[dict[str, dict[str, int]], dict[str, set[str]]]:
    """By run: which update it reads of each dataset, as the oracle counts them, and what it waits for."""
    versions: dict[str, dict[str, int]] = {}
    for row in connection.execute(READ):
        versions.setdefault(row.run_id, {})[_short(row.dataset_id)] = row.place
    missing: dict[str, set[str]] = {}
    for row in connection.execute(select(metric_run_pending_datasets)):
        missing.setdefault(row.run_id, set()).add(_short(row.dataset_id))
    return versions, missing


def _short(dataset_id: str) -> str:
    return dataset_id.removeprefix(f"metric:{TENANT}:")


def _told(run: Run) -> tuple[object, ...]:
    open_ = run.state in ("PENDING", "REQUESTED", "RUNNING", "LOST")
    return (
        run.metric_code,
        run.cause,
        run.state,
        run.attempt,
        run.pinned,
        open_ and run.follow_up,
        run.triggered_at,
    )


def _wanted(metric: Metric, run: Expected) -> tuple[object, ...]:
    open_ = run not in metric.ended
    return (
        metric.code,
        run.cause,
        run.state,
        run.attempt,
        run.pinned,
        open_ and run.follow_up,
        run.triggered_at,
    )


def define(desk: Desk) -> None:
    """Two metrics over datasets, and two that use the first."""
    desk.define(
        *(dataset(name, f"S{name.upper()}") for name in DATASETS),
        metrics=[
            ratio("M1", "SA", "SB", 3),
            growth("M2", "M1"),
            ratio("M3", "SA", "SC"),
            ratio("M4", "M1", "SC", 1),
        ],
    )


def live(stores: Stores, examples: int, steps: int) -> None:
    """So many lives of so many steps over one kind of store, all of the same metrics."""
    beside = stores.beside()
    define(Desk(stores.store))
    run_state_machine_as_test(
        lambda: Lives(stores.store, beside),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_runs_are_what_the_contract_says(stores: Stores) -> None:
    live(stores, *LIVES)


@pytest.mark.long
def test_runs_are_what_the_contract_says_for_long(stores: Stores) -> None:
    live(stores, *LONG_LIVES)
