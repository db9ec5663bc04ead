"""What is behind one number: its states, what they were read from, and the events and folds they are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from aforo.engines.behind import Behind, BehindRequest
from aforo.errors import InvalidRequest
from aforo.model.metric import Metric
from aforo.model.stream import Stream
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked
from aforo.questions.finish import State, Value, finish, finished_from
from aforo.questions.planned import Planned
from aforo.questions.proof import Proof
from aforo.questions.unmeasured import without
from aforo.windows import Window, parse_date

MOST_SHOWN = 20
"""Events that are shown of those behind a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A metric's value on one day of the tenant, and where it comes from.

    `states` are what the formula is computed from. `behind` is None for streams that keep no events, and has
    no folds where the number was not read from a rollup.
    """

    metric: Metric
    stream: Stream
    tenant: str
    day: date
    window: Window
    value: Value
    states: Mapping[str, State]
    behind: Behind | None
    sql: tuple[str, ...]
    proof: Proof


def explain(desk: Desk, name: str, tenant: str, day: str, *, most_shown: int) -> Explanation:
    """A metric of a day, with at most `most_shown` of the events behind it.

    Raises UnknownName, InvalidRequest, QuestionTooLarge, NotServable and TimeLimit.
    """
    begun, of = desk.clock.monotonic(), _date(day)
    question = desk.resolve(Asked(tenant=tenant, metrics=(name,), from_=day, to=day))
    # Rows that are held in memory are told without any SQL, and what is shown is to be what was run.
    part = desk.read(question, at_hand=False)
    planned, read = part.planned, part.read
    (metric,) = planned.metrics
    states = read.own.told(planned.metrics)
    finished = without(
        finish(states, planned.metrics, planned.stream),
        question.metrics,
        planned.own.buckets,
        planned.own.measured_from,
    )
    proof = desk.proof(part, begun)
    return Explanation(
        metric=metric,
        stream=planned.stream,
        tenant=tenant,
        day=of,
        window=question.window,
        value=finished.at(0, ())[0],
        states=finished_from(states, metric, planned.stream),
        behind=_behind(desk, planned, most_shown),
        sql=read.sql,
        proof=proof,
    )


def _date(text: str) -> date:
    try:
        return parse_date(text)
    except InvalidRequest as error:
        raise InvalidRequest(f"day: {error.detail}", hint=error.hint) from error


def _behind(desk: Desk, planned: Planned, most_shown: int) -> Behind | None:
    if planned.stream.ledger:
        return None
    question = planned.question
    asked = BehindRequest(question.tenant, planned.stream, planned.measures, question.window, most_shown)
    limit = desk.settings.questions.time_limit_seconds
    found = desk.engine.read_behind(asked, time_limit_seconds=limit)
    if planned.own.plan.rollup is not None:
        return found
    return Behind(found.events, found.given, found.shown, ())
