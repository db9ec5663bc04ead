"""Laws 1 to 6 in one: whatever happens, in whatever order, rollups are the truth of what was accepted.

Hypothesis makes up the history of a data directory step by step. At every step a question may be asked: what
its proof calls complete must be true. At the end everything is folded, and every row must be true.
"""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from tests.engines.gauges import Sent
from tests.laws.plain import QUARTER, WHERE, Asked, Place
from tests.laws.world import HOURS, LATE_DAYS, MODELS, SPOTS, World, event

from aforo.engines.engine import Folded

numbers = st.integers(0, 60)
tenants = st.sampled_from(sorted(SPOTS))
on_time = st.builds(event, tenants, numbers, st.sampled_from(HOURS))
late = st.builds(
    lambda tenant, number, days, hours: event(tenant, number, days * 24 + hours),
    *(tenants, numbers, st.sampled_from(LATE_DAYS), st.sampled_from(HOURS)),
)
splits = st.sampled_from([(), (), ("station",), ("probe",), ("probe", "station")])
moments = st.builds(
    lambda quarters, odd: quarters * QUARTER + timedelta(microseconds=odd),
    *(st.integers(-8 * 24, 8 * 24), st.sampled_from([0, 0, 0, 1])),
)


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, Asked]:
    """Whole days, quarter hours or any instants; the tenant's own days, or those of another zone."""
    tenant = draw(tenants)
    spot = SPOTS[tenant]
    zone = draw(st.sampled_from([spot.place.zone] * 3 + ["UTC", "Asia/Kolkata"]))
    place = Place(zone, spot.place.week_start)
    by, where = draw(splits), draw(st.sampled_from(["", "", *WHERE]))
    if draw(st.booleans()):
        # The night over which Apia went without a day is one date of no length: no window of its own.
        back, on = draw(st.sampled_from([(2, 2), (0, 1), (40, 35), (370, 3)]))
        grains = ["day", "week", "month", "total"] + (["hour", "slot"] if back < 3 else [])
        middle = place.wall(spot.around).date()
        first, last = middle - timedelta(days=back), middle + timedelta(days=on)
        return tenant, Asked(place, first, last, draw(st.sampled_from(grains)), by, where)
    edges = sorted({spot.around + draw(moments), spot.around + draw(moments)})
    start, end = (edges[0], edges[-1] if len(edges) > 1 else edges[0] + QUARTER)
    grain = draw(st.sampled_from(["total", "slot", "hour", "day", "week", "month"]))
    return tenant, Asked(place, start, end, grain, by, where)


class Life(RuleBasedStateMachine):
    """One data directory from its first commit to its last fold."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(mkdtemp(prefix="aforo-life-"))
        self.world = World(self.root)
        self.taken: list[Sent] = []
        self.unwritten: Folded | None = None

    def append(self, events: list[Sent]) -> None:
        self.world.append(events)
        self.taken += events

    @rule(events=st.lists(on_time, max_size=8))
    def events_come(self, events: list[Sent]) -> None:
        self.append(events)

    @rule(events=st.lists(late, min_size=1, max_size=3))
    def late_events_come(self, events: list[Sent]) -> None:
        self.append(events)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def events_come_again(self, data: st.DataObject) -> None:
        self.append(data.draw(st.lists(st.sampled_from(self.taken), min_size=1, max_size=6)))

    @rule(rows=st.sampled_from([1, 3, 1000]))
    def a_portion_is_folded(self, rows: int) -> None:
        self.world.fold_once(rows)

    @rule(question=questions())
    def all_is_folded(self, question: tuple[str, Asked]) -> None:
        self.world.fold()
        self.world.check(*question)

    @precondition(lambda self: self.unwritten is None)
    @rule(rows=st.sampled_from([1, 1000]))
    def a_fold_reads(self, rows: int) -> None:
        self.unwritten = self.world.read_fold(rows)

    @precondition(lambda self: self.unwritten is not None)
    @rule()
    def what_a_fold_read_is_written(self) -> None:
        assert self.unwritten is not None
        self.world.engine.replace(self.unwritten)
        self.unwritten = None

    @rule(crashed=st.booleans())
    def the_process_ends_and_another_begins(self, crashed: bool) -> None:
        self.unwritten = None
        self.world.begin_again(model=self.world.model, crashed=crashed)

    @rule(model=st.sampled_from(sorted(MODELS)), crashed=st.booleans())
    def the_model_changes(self, model: str, crashed: bool) -> None:
        self.unwritten = None
        self.world.begin_again(model=model, crashed=crashed)

    @rule(question=questions())
    def a_question_is_asked(self, question: tuple[str, Asked]) -> None:
        self.world.check(*question)

    def teardown(self) -> None:
        try:
            self.world.fold()
            for tenant in self.world.plain.kept:
                self.world.check_states(tenant)
        finally:
            self.world.close()
            shutil.rmtree(self.root)


def test_rollups_are_the_truth() -> None:
    run_state_machine_as_test(Life, settings=settings(max_examples=60, stateful_step_count=40))


@pytest.mark.long
@pytest.mark.parametrize("part", range(10))
def test_rollups_are_the_truth_in_the_long_run(part: int) -> None:
    """5,000 lives of 100 steps, in parts that run side by side."""
    run_state_machine_as_test(Life, settings=settings(max_examples=500, stateful_step_count=100))
