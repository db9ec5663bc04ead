"""What is read for a question is planned once, and again only where the plan no longer holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.questions.test_ask import EVENTS, NOW, desk, reference
from tests.questions.trips import MODEL
from tests.reference_engine import ReferenceEngine

from aforo.clock import ManualClock
from aforo.engines.engine import Engine
from aforo.engines.keeping import Seal
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked, decode
from aforo.questions.planned import Planned
from aforo.questions.plans import MOST_BUCKETS
from aforo.questions.question import Question
from aforo.settings import Settings
from aforo.telemetry import Telemetry
from aforo.windows import DAY, HOUR, SLOT


class Planning(Desk):
    """A desk that remembers what it planned."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, MODEL, Settings(), ManualClock(NOW), Telemetry())
        self.plans: list[Planned] = []

    def plan(self, question: Question, sets: tuple[str, ...] = (), seen: tuple[str, ...] = ()) -> Planned:
        planned = super().plan(question, sets, seen)
        self.plans.append(planned)
        return planned


def test_everything_that_is_read_is_planned_once() -> None:
    """The rows, the ranking, and the totals of both windows."""
    desk = Planning(reference(EVENTS))
    asked = {"tenant": "nyc", "by": ["city"], "limit": 1, "totals": True, "compare": "previous"}
    desk.ask(decode({**asked, "metrics": ["trips"], "from": "2013-03-09", "to": "2013-03-11"}))
    assert len(desk.plans) == len({each.question for each in desk.plans}) == 4


@dataclass
class Keeps(ReferenceEngine):
    """An engine that keeps what came from some time on, and whose days may wait for another zone."""

    kept: Seal = field(default_factory=Seal)
    waits: bool = False

    def seal(self, stream: str, tenant: str) -> Seal:
        return self.kept

    def days_wait(self, stream: str, tenant: str) -> bool:
        return self.waits


def trips(first: date, days: int, grain: str = "day", compare: str | None = None) -> Asked:
    last = first + timedelta(days=days - 1)
    window = {"from_": str(first), "to": str(last)}
    return Asked(tenant="nyc", metrics=("trips",), grain=grain, compare=compare, **window)  # type: ignore[arg-type]


ASKED = st.builds(
    trips,
    st.sampled_from([date(2014, 5, 5), date(2014, 5, 1), date(2014, 6, 1)]),
    st.sampled_from([1, 31, 60]),
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from([None, "before", "previous", "year"]),
)
STATES = st.tuples(
    st.sampled_from([NOW - 20 * DAY, NOW, NOW + SLOT - 1, NOW + SLOT, NOW + 5 * HOUR, NOW + 90 * DAY]),
    st.sampled_from([Seal(), Seal(NOW - 40 * DAY, NOW - 40 * DAY), Seal(NOW, NOW - 5 * HOUR)]),
    st.booleans(),
)


@given(ASKED, st.lists(STATES, min_size=3, max_size=8))
@settings(max_examples=40)
def test_law_a_plan_that_is_found_again_is_the_one_that_would_be_made(
    asked: Asked, states: list[tuple[int, Seal, bool]]
) -> None:
    engine, clock = Keeps(MODEL), ManualClock(NOW)
    lasting = Desk(engine, MODEL, Settings(), clock, Telemetry())  # type: ignore[arg-type]
    for now, engine.kept, engine.waits in states:
        clock.set(now)
        question = lasting.resolve(asked)
        assert lasting.plan(question) == desk(engine, now=now).plan(question)  # type: ignore[arg-type]


def test_a_plan_is_found_again_until_too_many_others_are_held() -> None:
    lasting = desk(reference(()))  # type: ignore[arg-type]
    question, *others = [
        lasting.resolve(trips(date(2000, 1, 1) + timedelta(days=back), 360))
        for back in range(MOST_BUCKETS // 360)
    ]
    made = lasting.plan(question)
    assert lasting.plan(question).own is made.own
    assert lasting.expecting("ktm").plan(question).own is made.own
    for other in others:
        lasting.plan(other)
    again = lasting.plan(question)
    assert again == made
    assert again.own is not made.own
