"""`GET /v1/metrics/{name}/explain`: one number with everything that is behind it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from textwrap import dedent
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from aforo.errors import Fault, InvalidRequest, NotFound
from aforo.http import examples_of_explain
from aforo.http.about import About, Content
from aforo.http.asking import ERRORS_OF_ADDRESSES
from aforo.http.caller import Caller, KeyScope, caller_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.models import metric_named
from aforo.http.query import CellReply
from aforo.http.reply import Shape, instant, json_reply, plain
from aforo.http.shown import MetricDefinition, definition_of
from aforo.questions.ask import Desk
from aforo.questions.explain import MOST_SHOWN, Explanation, explain
from aforo.questions.finish import Instant, State
from aforo.questions.rows import split_cell, value_cell
from aforo.states.histogram import Histogram
from aforo.windows import Zone

WORDS = {
    "tenant": "Whose number; the key's only tenant by default",
    "day": "A day of the tenant's own time zone, such as 2013-01-31",
}
WITHHELD = "raw events are shown to keys with the scope support or admin"


class HistogramReply(Shape, frozen=True):
    """Of a kept histogram: how many values it holds, and the exact least and greatest."""

    count: int
    minimum: float | None
    maximum: float | None


class StateReply(Shape, frozen=True):
    """What the formula was computed from: a measure, `new(measure)` or `returning(measure)`.

    A count, sum, least or greatest value as it is, a time as text; of a set its size.
    """

    name: str
    state: str | int | float | HistogramReply | None


class DayFoldReply(Shape, frozen=True):
    """A day that the number was folded in, and how often it changed (`revision`).

    `commit` is what its last fold read as of, at `foldedAt`; null where no fold has told of it yet.
    """

    day: str
    revision: int
    commit: int | None
    folded_at: str | None


class SampledEvent(Shape, frozen=True):
    """An event as it is kept, and the commit it came with."""

    id: str
    time: str
    commit: int
    fields: dict[str, str | int | float | bool | None]


class BehindReply(Shape, frozen=True):
    """Of `kept` events of the day `counted` give something to the number; `sample` shows some of those.

    `sample` is null where `withheld` says why.
    """

    kept: int
    counted: int
    sample: tuple[SampledEvent, ...] | None
    withheld: str | None


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
    most = MOST_SHOWN if events else 0
    return shown(desk, explain(desk, name, asked["tenant"], asked["day"], most_shown=most), events=events)


def explain_json(desk: Desk, name: str, asked: Mapping[str, str]) -> dict[str, object]:
    """The reply with its events as plain mappings and lists, for who holds the data directory."""
    return plain(told(desk, name, asked, events=True))


def shown(desk: Desk, found: Explanation, *, events: bool) -> ExplainReply:
    """An explanation as it is shown."""
    behind, zone = found.behind, found.proof.zone
    return ExplainReply(
        metric=definition_of(desk.model, found.metric),
        tenant=found.tenant,
        day=found.day.isoformat(),
        value=cast(CellReply, value_cell(found.value, zone)),
        states=tuple(StateReply(name, _state(state, zone)) for name, state in found.states.items()),
        sql=tuple(dedent(text).strip() for text in found.sql),
        folds=tuple(
            DayFoldReply(
                zone.date_of(each.day).isoformat(), each.revision, each.commit, instant(each.folded_at)
            )
            for each in (() if behind is None else behind.folds)
        ),
        events=None if behind is None else _events(found, events=events),
        proof=found.proof.as_json(),
    )


def _state(state: State, zone: Zone) -> str | int | float | HistogramReply | None:
    match state:
        case Histogram():
            return HistogramReply(state.total, state.minimum, state.maximum)
        case Instant():
            return zone.rfc3339(state)
        case Fraction():
            return int(state) if state.denominator == 1 else float(state)
        case _:
            return state


def _events(found: Explanation, *, events: bool) -> BehindReply:
    behind, zone = found.behind, found.proof.zone
    assert behind is not None, "there are events"
    sample = tuple(
        SampledEvent(
            id=each.id,
            time=zone.rfc3339(each.time),
            commit=each.commit,
            fields={name: split_cell(value, zone) for name, value in each.fields.items()},
        )
        for each in behind.shown
    )
    return BehindReply(
        kept=behind.events,
        counted=behind.given,
        sample=sample if events else None,
        withheld=None if events else WITHHELD,
    )


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
