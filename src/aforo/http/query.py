"""`POST /v1/query`: a question in, an answer with its proof out."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.http import body, examples
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.body import Body
from aforo.http.caller import Caller, KeyScope, caller_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape, json_reply
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked, decode
from aforo.settings import Http


class ColumnReply(Shape, frozen=True):
    """A column of the rows: its name, the type of its cells, and the unit they are in."""

    name: str
    type: str
    unit: str | None


class ComparisonReply(Shape, frozen=True):
    """The other window; `sameElapsed` where it was cut to be as long as an unfinished one.

    `matchWeekdays` where it lies whole weeks back.
    """

    compare: str
    from_: str = msgspec.field(name="from")
    to: str
    same_elapsed: bool
    match_weekdays: bool


class BinReply(Shape, frozen=True):
    """Of a distribution: how many values lie above `from` and up to `to`; below zero the other way round."""

    from_: float = msgspec.field(name="from")
    to: float
    count: int


CellReply: TypeAlias = str | int | float | bool | list[BinReply] | None


class QueryReply(Shape, frozen=True):
    """An answer. `proof` says what it was read from, until when it is complete, and how exact it is.

    `totals` are there where they were asked: each metric of everything, however the rows are cut or kept.
    """

    columns: list[ColumnReply]
    rows: list[dict[str, CellReply]]
    totals: dict[str, CellReply] | None
    comparison: ComparisonReply | None
    proof: dict[str, Any]


def asking(desk: Desk, hands: Hands, limits: Http) -> Door:
    """The way in for questions."""

    def work(came: Body, caller: Caller) -> Response:
        asked = decode(with_tenant(body.decoded(came.plain()), caller))
        caller.require(asked.tenant)
        return json_reply(desk.ask(asked).as_json())

    async def answer(request: Request) -> Response:
        came = await body.receive(request, limits.max_body_bytes)
        caller = caller_of(request)
        return await hands.do(lambda: work(came, caller))

    return Door("POST", "/v1/query", "askQuestion", answer, ABOUT, scope=KeyScope.READ)


def with_tenant(question: object, caller: Caller) -> object:
    """A question that names no tenant is of the only one its key is bound to."""
    if caller.only_tenant is None or not isinstance(question, dict) or "tenant" in question:
        return question
    return {**question, "tenant": caller.only_tenant}


ERRORS = (
    errors.InvalidRequest,
    *OF_BODIES,
    errors.NotYourTenant,
    errors.QuestionTooLarge,
    errors.NotServable,
    errors.StorageError,
    errors.TimeLimit,
)
"""What any question may be answered with instead."""

ABOUT = About(
    tag="Questions",
    summary="Ask for metrics",
    description=(
        "Answers metrics of one tenant, by default the only one of the key, over a window, by grain and "
        "split, with proof. `from` and `to` are dates, both included, or instants, the last one excluded; "
        "without them it is the last 30 days. Buckets in which nothing happened are there. A name that is "
        "not known is told with the nearest one that is."
    ),
    body=(Content("application/json", (Asked,), examples.QUESTIONS),),
    reply=Content("application/json", (QueryReply,), examples.ANSWERS),
    errors=ERRORS,
)
