"""`GET /v1/metrics/{name}/explain`: one number with everything that is behind it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from aforo.errors import Fault, InvalidRequest, NotFound
from aforo.http import examples_of_explain
from aforo.http.about import About, Content
from aforo.http.asking import ERRORS_OF_ADDRESSES
from aforo.http.behind import (
    BehindReply,
    DayFoldReply,
    StateReply,
    events_of,
    folds_of,
    shown_sql,
    states_of,
)
from aforo.http.caller import Caller, KeyScope, caller_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.models import metric_named
from aforo.http.query import CellReply
from aforo.http.reply import Shape, json_reply, plain
from aforo.http.shown import MetricDefinition, definition_of
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked
from aforo.questions.explain import MOST_SHOWN, explain
from aforo.windows import parse_date

WORDS = {
    "tenant": "Whose number; the key's only tenant by default",
    "day": "A day of the tenant's own time zone, such as 2013-01-31",
}


class ExplainReply(Shape, frozen=True):
    """A number, and where it comes from. `proof` says which rollups were considered, and why one was taken.

    `events` is null for streams that keep no events.
    """

    metric: MetricDefinition
    tenant: str
    day: str
    value: CellReply
    states: tuple[StateReply, ...]
    sql: tuple[str, ...]
    folds: tuple[DayFoldReply, ...]
    events: BehindReply | None
    proof: dict[str, Any]


def explaining(desk: Desk, hands: Hands) -> Door:
    """The way to what is behind a number."""

    def work(name: str, asked: Mapping[str, str], caller: Caller) -> Response:
        caller.require(asked["tenant"])
        # Whoever may see events may see those behind a number, too; a number alone is told to every reader.
        return json_reply(told(desk.within(caller.budget), name, asked, events=caller.may(KeyScope.SUPPORT)))

    async def answer(request: Request) -> Response:
        caller, name = caller_of(request), request.path_params["name"]
        asked = asked_of(request.query_params.multi_items(), caller)
        return await hands.do(lambda: work(name, asked, caller))

    return Door(
        "GET", "/v1/metrics/{name}/explain", "explainMetric", answer, ABOUT, tuple(WORDS),
        scope=KeyScope.READ,
    )  # fmt: skip


def asked_of(parameters: list[tuple[str, str]], caller: Caller) -> dict[str, str]:
    """The tenant and the day. Raises InvalidRequest where one is missing or came twice."""
    given: dict[str, list[str]] = {}
    for name, text in parameters:
        given.setdefault(name, []).append(text)
    if caller.only_tenant is not None:
        given.setdefault("tenant", [caller.only_tenant])
    faults = [
        Fault(name, "missing_parameter" if name not in given else "wrong_value", f"{name} is wanted once")
        for name in WORDS
        if len(given.get(name, ())) != 1
    ]
    if faults:
        told = "; ".join(fault.message for fault in faults)
        raise InvalidRequest(told, hint="for example ?tenant=nyc&day=2013-01-31", faults=faults)
    return {name: texts[0] for name, texts in given.items()}


def told(desk: Desk, name: str, asked: Mapping[str, str], *, events: bool) -> ExplainReply:
    """What is told of a number, with events or without. Raises what `explain` raises, and NotFound."""
    metric_named(desk.model, name)
    day = _date(asked["day"]).isoformat()
    question = Asked(tenant=asked["tenant"], metrics=(name,), from_=day, to=day)
    found = explain(desk, question, most_shown=MOST_SHOWN if events else 0)
    (rows, *_), (raw,), zone = found.told, found.raw, found.question.zone
    return ExplainReply(
        metric=definition_of(desk.model, found.metrics[0]),
        tenant=asked["tenant"],
        day=day,
        value=cast(CellReply, found.answer.rows[0][name]),
        states=states_of(rows.states[0].states, zone),
        sql=tuple(text for each in found.told for text in shown_sql(each)),
        folds=folds_of(raw, zone),
        events=None if raw.stream.ledger else events_of(raw, zone, events=events),
        proof=found.answer.proof.as_json(),
    )


def explain_json(desk: Desk, name: str, asked: Mapping[str, str]) -> dict[str, object]:
    """The reply with its events as plain mappings and lists, for who holds the data directory."""
    return plain(told(desk, name, asked, events=True))


def _date(text: str) -> date:
    try:
        return parse_date(text)
    except InvalidRequest as error:
        raise InvalidRequest(f"day: {error.detail}", hint=error.hint) from error


ABOUT = About(
    tag="Questions",
    summary="Explain a number",
    description=(
        "One metric of a tenant's day with everything behind it: the formula and its measures, the states "
        "it was computed from, the rollups that were considered and why one was taken (in `proof`), the SQL "
        f"that was run, the last folds, and how many raw events there are, with up to {MOST_SHOWN} of those "
        "that count. The same events are shown each time. They are left out, and the reply says so, unless "
        "the key has the scope `support` or `admin`."
    ),
    path={"name": "Name of the metric"},
    query=WORDS,
    reply=Content("application/json", (ExplainReply,), examples_of_explain.EXPLAINED),
    errors=(*ERRORS_OF_ADDRESSES, NotFound),
)
