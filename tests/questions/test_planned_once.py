"""What is read for a question is planned once, and again only where the plan no longer holds."""

from __future__ import annotations

from tests.questions.test_ask import EVENTS, NOW, reference
from tests.questions.trips import MODEL

from aforo.clock import ManualClock
from aforo.engines.engine import Engine
from aforo.questions.ask import Desk
from aforo.questions.asked import decode
from aforo.questions.planned import Planned
from aforo.questions.question import Question
from aforo.settings import Settings
from aforo.telemetry import Telemetry


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
