"""Golden plans of typical questions: what rows, comparison, ranking and totals are read from, and why."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tests.questions.outline import outline
from tests.questions.test_ask import NOW
from tests.questions.trips import MODEL as TRIPS
from tests.questions.visits import MODEL as VISITS
from tests.reference_engine import ReferenceEngine

from aforo.clock import ManualClock
from aforo.model.model import Model
from aforo.questions.ask import Desk
from aforo.questions.asked import decode
from aforo.settings import Settings
from aforo.telemetry import Telemetry

GOLDEN = Path(__file__).parent / "golden" / "questions.txt"
YEAR = {"from": "2013-01-01", "to": "2013-12-31"}
MARCH = {"from": "2013-03-01", "to": "2013-03-31"}
ABOUT_TRIPS: Mapping[str, Mapping[str, object]] = {
    "a year by month beside the year before": {
        **YEAR, "metrics": ["trips"], "grain": "month", "compare": "year",
    },
    "a month by city": {**MARCH, "metrics": ["trips", "delay_p95"], "by": ["city"]},
    "days by line in one city": {
        **MARCH, "metrics": ["distance"], "by": ["line"], "where": "city = 'Rome'", "grain": "day",
    },
    "the first three lines by month, with totals": {
        **YEAR, "metrics": ["trips"], "by": ["line"], "grain": "month", "limit": 3, "totals": True,
    },
    "the first city by day, with totals, beside the days before": {
        **MARCH, "metrics": ["cars"], "by": ["city"], "grain": "day", "limit": 1, "totals": True,
        "compare": "previous",
    },
    "the last 30 days": {"metrics": ["delay_avg"], "grain": "day"},
    "two streams": {**MARCH, "metrics": ["trips", "stops"], "totals": True, "grain": "week"},
    "two streams, ranked by the second": {
        **MARCH, "metrics": ["trips", "stops"], "by": ["city"], "order": "stops desc", "limit": 2,
    },
    "hours of a day": {"from": "2013-03-10", "to": "2013-03-10", "metrics": ["trips"], "grain": "hour"},
    "days of another zone by line": {
        **MARCH, "metrics": ["trips"], "by": ["line"], "timezone": "UTC", "grain": "day",
    },
    "an instant off the quarter hours": {
        "from": "2013-03-10T05:01:00Z", "to": "2013-03-10T07:00:00Z", "metrics": ["trips"],
    },
    "a measure that is not kept by that split": {**MARCH, "metrics": ["delay_p95"], "by": ["night"]},
}  # fmt: skip
ABOUT_VISITS: Mapping[str, Mapping[str, object]] = {
    "new and returning by week": {
        "from": "2012-01-02", "to": "2012-01-15", "metrics": ["new_people", "back"], "grain": "week",
    },
    "new people by page, the first two": {
        "from": "2012-01-02", "to": "2012-01-15", "metrics": ["new_people"], "by": ["page"], "limit": 2,
    },
}  # fmt: skip


def explained(model: Model, tenant: str, questions: Mapping[str, Mapping[str, object]]) -> str:
    """Each question's title with its plan; nothing is read for it."""
    engine = ReferenceEngine(model)
    desk = Desk(engine, model, Settings(), ManualClock(NOW), Telemetry())  # type: ignore[arg-type]
    told = [
        f"## {title}\n\n{outline(desk, decode({'tenant': tenant, **question}))}\n"
        for title, question in questions.items()
    ]
    assert not engine.requests
    return "\n".join(told)


def test_golden_plans_of_questions() -> None:
    """With WRITE_GOLDEN=1 in the environment the file is written, and its diff is then read."""
    text = "\n".join([explained(TRIPS, "nyc", ABOUT_TRIPS), explained(VISITS, "madrid", ABOUT_VISITS)])
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
