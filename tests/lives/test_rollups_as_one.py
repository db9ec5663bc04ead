"""Laws 1 to 6 in one: whatever happens, in whatever order, rollups are the truth of what was accepted.

Hypothesis makes up the history of a data directory step by step. At every step a question may be asked: what
its proof calls complete must be true. At the end everything is folded, and every row must be true.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.lives.plain import QUARTER, WHERE, Asked, Place
from tests.lives.world import HOURS, LATE_DAYS, MODELS, SPOTS, Spot, World, event

from aforo.engines.folds import Folded


@dataclass(frozen=True, slots=True)
class Coming:
    """An event of one of the two tenants of a life."""

    which: int
    number: int
    hours: float


@dataclass(frozen=True, slots=True)
class Question:
    """What one of the two is asked: days back and on, or quarter hours, around its change of clocks."""

    which: int
    zone: str | None
    grain: str
    by: tuple[str, ...]
    where: str
    days: tuple[int, int] | None
    moments: tuple[timedelta, timedelta]

    def at(self, spot: Spot) -> Asked:
        place = Place(self.zone or spot.place.zone, spot.place.week_start)
        asked = partial(Asked, place, grain=self.grain, by=self.by, where=self.where)
        if self.days is None:
            start, end = (spot.around + moment for moment in self.moments)
            return asked(start, end)
        middle = place.wall(spot.around).date()
        back, on = self.days
        return asked(middle - timedelta(days=back), middle + timedelta(days=on))


LIVES = int(os.environ.get("AFORO_LIVES", "5000"))
SEEDS = range(first := int(os.environ.get("AFORO_LIVES_SEED", "0")), first + 50)

which = st.integers(0, 1)
numbers = st.integers(0, 60)
on_time = st.builds(Coming, which, numbers, st.sampled_from(HOURS))
late = st.builds(
    Coming,
    which,
    numbers,
    st.sampled_from([days * 24 + hours for days in LATE_DAYS for hours in (-1.0, 0.0, 0.25, 11.0)]),
)
moments = st.tuples(st.integers(-8 * 24, 8 * 24), st.integers(1, 200), st.sampled_from([0, 0, 0, 1])).map(
    lambda drawn: (
        drawn[0] * QUARTER + timedelta(microseconds=drawn[2]),
        (drawn[0] + drawn[1]) * QUARTER + timedelta(microseconds=drawn[2]),
    )
)
questions = st.builds(
    Question,
    which=which,
    zone=st.sampled_from([None, None, None, "UTC", "Asia/Kolkata"]),
    grain=st.sampled_from(["day", "week", "month", "total", "hour", "slot"]),
    by=st.sampled_from([(), (), ("station",), ("probe",), ("probe", "station")]),
    where=st.sampled_from(["", "", *WHERE]),
    days=st.sampled_from([None, (2, 2), (1, 1), (3, 0)]),
    moments=moments,
) | st.builds(
    Question,
    which=which,
    zone=st.sampled_from([None, None, None, "UTC"]),
    grain=st.sampled_from(["week", "month", "total"]),
    by=st.sampled_from([(), ("station",), ("probe", "station")]),
    where=st.just(""),
    days=st.sampled_from([(40, 35), (370, 3), (69, 30)]),
    moments=moments,
)


class Life(RuleBasedStateMachine):
    """One data directory from its first commit to its last fold."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(mkdtemp(prefix="aforo-life-"))
        self.world = World(self.root)
        self.taken: list[Coming] = []
        self.unwritten: Folded | None = None
        self.erasures = 0

    @initialize(tenants=st.permutations(sorted(SPOTS)))
    def two_tenants(self, tenants: list[str]) -> None:
        self.tenants = tenants[:2]

    def append(self, coming: list[Coming]) -> None:
        self.world.append([event(self.tenants[each.which], each.number, each.hours) for each in coming])
        self.taken += coming

    def ask(self, question: Question) -> None:
        tenant = self.tenants[question.which]
        self.world.check(tenant, question.at(SPOTS[tenant]))

    @rule(events=st.lists(on_time, max_size=8), counted=st.booleans())
    def events_come(self, events: list[Coming], counted: bool) -> None:
        """What counts dirty slots makes an engine put commits in its tables that could have waited."""
        self.append(events)
        if counted:
            self.world.engine.dirty_slots()

    @rule(events=st.lists(late, min_size=1, max_size=3))
    def late_events_come(self, events: list[Coming]) -> None:
        self.append(events)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def events_come_again(self, data: st.DataObject) -> None:
        self.append(data.draw(st.lists(st.sampled_from(self.taken), min_size=1, max_size=6)))

    @rule(rows=st.sampled_from([1, 3, 1000]))
    def a_portion_is_folded(self, rows: int) -> None:
        self.world.fold_once(rows)

    @rule(question=questions)
    def all_is_folded(self, question: Question) -> None:
        self.world.fold()
        self.ask(question)

    @precondition(lambda self: self.unwritten is None)
    @rule(rows=st.sampled_from([1, 1000]))
    def a_fold_reads(self, rows: int) -> None:
        self.unwritten = self.world.read_fold(rows)

    @precondition(lambda self: self.unwritten is not None)
    @rule(at_once=st.sampled_from([None, 1]))
    def what_a_fold_read_is_written(self, at_once: int | None) -> None:
        assert self.unwritten is not None
        self.world.write_fold(self.unwritten, at_once)
        self.unwritten = None

    @rule(
        rows=st.sampled_from([1, 1000]),
        events=st.lists(on_time, min_size=1, max_size=8),
        overtaken=st.booleans(),
    )
    def events_come_while_a_fold_is_at_work(self, rows: int, events: list[Coming], overtaken: bool) -> None:
        """Perhaps another fold has read and written them before the first one writes."""
        folded = self.world.read_fold(rows)
        self.events_come(events=events, counted=True)
        if overtaken:
            self.world.fold_once(1000)
        if folded is not None:
            self.world.write_fold(folded)

    @rule(first=st.integers(0, 30), rows=st.integers(1, 30))
    def events_are_moved(self, first: int, rows: int) -> None:
        self.world.move_events(first, rows)

    @rule(model=st.sampled_from([None, None, *MODELS]), crashed=st.booleans())
    def another_process_begins(self, model: str | None, crashed: bool) -> None:
        self.unwritten = None
        if model is None or (self.world.moves(model) and self.world.sealed("river")):
            model = self.world.model  # what was purged stays in the days in which it was counted
        self.world.begin_again(model=model, crashed=crashed)

    @rule(which=which, probe=st.integers(0, 3))
    def somebody_is_erased(self, which: int, probe: int) -> None:
        tenant = self.tenants[which]
        if not self.world.sealed(tenant):  # else the counts stay: tests/laws/test_law_7_sealed.py
            self.erasures += 1
            self.world.erase(str(self.erasures), tenant, f"probe {probe}")

    @rule(
        which=which,
        days=st.sampled_from([-40, -6, -1, 0, 1]),
        slots_days=st.sampled_from([-400, -7, 0]),
        most_rows=st.sampled_from([1, 1000]),
    )
    def what_is_old_is_purged(self, which: int, days: int, slots_days: int, most_rows: int) -> None:
        tenant = self.tenants[which]
        before = SPOTS[tenant].around + timedelta(days=days)
        self.world.purge(tenant, before, before + timedelta(days=slots_days), most_rows)

    @rule(which=which, days=st.sampled_from([(-400, 2), (-8, 0), (0, 1)]), most=st.sampled_from([1, 1000]))
    def a_backfill_marks(self, which: int, days: tuple[int, int], most: int) -> None:
        tenant = self.tenants[which]
        start, end = (SPOTS[tenant].around + timedelta(days=each) for each in days)
        self.world.mark(tenant, start, end, most)

    @rule(which=numbers)
    def a_day_is_checked_for_drift(self, which: int) -> None:
        self.world.check_drift(which)

    @rule()
    def weeks_and_months_are_kept(self) -> None:
        self.world.keep_periods()

    @rule(question=questions)
    def a_question_is_asked(self, question: Question) -> None:
        self.ask(question)

    def teardown(self) -> None:
        try:
            self.world.fold()
            self.world.keep_periods()
            for tenant in self.world.plain.kept:
                self.world.check_states(tenant)
                spot = SPOTS[tenant]
                middle = spot.place.wall(spot.around).date()
                whole = (middle - timedelta(days=400), middle + timedelta(days=40))
                self.world.check(tenant, Asked(spot.place, *whole, "month", ("station",)))
        finally:
            self.world.close()
            shutil.rmtree(self.root)


@pytest.mark.parametrize("part", range(2))  # side by side
def test_rollups_are_the_truth(part: int) -> None:
    run_state_machine_as_test(Life, settings=settings(max_examples=30, stateful_step_count=40))


@pytest.mark.long
@pytest.mark.parametrize("number", SEEDS, ids=[f"seed {number}" for number in SEEDS])
def test_rollups_are_the_truth_in_the_long_run(number: int, request: pytest.FixtureRequest) -> None:
    """100 lives of 100 steps by each of 50 seeds; the environment may say how many, and the first seed."""

    @seed(number)
    class SeededLife(Life):
        """Of its seed only: what once failed elsewhere is not tried first."""

    lives = max(1, LIVES // len(SEEDS))
    asked = settings(max_examples=lives, stateful_step_count=100, database=None)
    try:
        run_state_machine_as_test(SeededLife, settings=asked)
    except BaseException as failure:
        failure.add_note(
            f"again: AFORO_LIVES={LIVES} AFORO_LIVES_SEED={number} "
            f".venv/bin/pytest -m long '{request.node.nodeid}'"
        )
        raise
