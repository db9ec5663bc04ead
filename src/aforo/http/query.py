"""`POST /v1/query` and `GET /v1/query`: a question in, an answer with its proof out."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.http import body, examples
from aforo.http.about import About, Content
from aforo.http.accepting import chosen
from aforo.http.asking import ERRORS, ERRORS_OF_ADDRESSES, told, with_tenant
from aforo.http.caller import Caller, KeyScope
from aforo.http.door import Door
from aforo.http.query_words import WORDS, question_of
from aforo.http.readings import Readings
from aforo.http.reply import HEADERS, Shape, Written
from aforo.questions.answer import Answer
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked, decode
from aforo.questions.formats import ARROW, CSV, PARQUET, WRITERS, compact, in_a_line
from aforo.questions.proof import told_to
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


PROOF, TOTALS = "Aforo-Proof", "Aforo-Totals"
"""Headers of what CSV has no place for."""
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


def doors(desk: Desk, readings: Readings, limits: Http) -> tuple[Door, ...]:
    """The ways in for questions, as a body and as an address."""

    def read(question: object, caller: Caller, kind: str, askers: int) -> Written:
        asked = decode(with_tenant(question, caller))
        caller.require(asked.tenant)
        return reply_of(told_to(desk.within(caller.budget).ask(asked), askers), kind)

    async def of_body(request: Request) -> Response:
        kind = chosen(request.headers.getlist("accept"), WRITERS)
        came = await body.receive(request, limits.max_body_bytes)

        def read_body(caller: Caller, askers: int) -> Written:
            return read(body.decoded(came.plain()), caller, kind, askers)

        return await told(readings, request, read_body, kind, came)

    async def of_address(request: Request) -> Response:
        kind = chosen(request.headers.getlist("accept"), WRITERS)

        def read_address(caller: Caller, askers: int) -> Written:
            return read(question_of(request.query_params.multi_items()), caller, kind, askers)

        return await told(readings, request, read_address, kind)

    return (
        Door("POST", "/v1/query", "askQuestion", of_body, ABOUT, scope=KeyScope.READ),
        Door("GET", "/v1/query", "getAnswer", of_address, OF_ADDRESS, tuple(WORDS), scope=KeyScope.READ),
    )


def reply_of(answer: Answer, kind: str) -> Written:
    """An answer in a media type; what CSV has no place for is in headers, the proof so that it fits one."""
    headers = {**HEADERS, "Vary": "Accept"}
    if kind == CSV:
        headers[PROOF] = compact(answer.proof.as_json())
        if answer.totals is not None:
            # Distributions are what may be too long.
            numbers = {name: cell for name, cell in answer.totals.items() if not isinstance(cell, list)}
            headers[TOTALS] = in_a_line(answer.totals, numbers)
    media_type = f"{CSV}; charset=utf-8; header=present" if kind == CSV else kind
    return Written(WRITERS[kind](answer), media_type, headers)


_DESCRIPTION = (
    "Answers metrics of one tenant, by default the only one of the key, over a window, by grain and "
    "split, with proof. `from` and `to` are dates, both included, or instants, the last one excluded; "
    "without them it is the last 30 days. Buckets in which nothing happened are there. A name that is "
    "not known is told with the nearest one that is. `Accept` chooses how the reply is written; an Arrow "
    "stream and a Parquet file have the proof in their metadata as `aforo.proof`, CSV has it in the header "
    "`Aforo-Proof`, of 4,096 bytes at most, and totals in `Aforo-Totals`."
)
_HEADERS = {
    PROOF: "With CSV: the proof as JSON in ASCII, 4,096 bytes at most, without what was considered.",
    TOTALS: "With CSV, where totals are asked: the totals as JSON in ASCII, 4,096 bytes at most.",
}
_REPLY = Content("application/json", (QueryReply,), examples.ANSWERS)
_ALSO = (
    Content(CSV, (), examples.CSV_ANSWERS),
    Content(ARROW, (), binary=True),
    Content(PARQUET, (), binary=True),
)
ABOUT = About(
    tag="Questions",
    summary="Ask for metrics",
    description=_DESCRIPTION,
    body=(Content("application/json", (Asked,), examples.QUESTIONS),),
    reply=_REPLY,
    also=_ALSO,
    headers=_HEADERS,
    errors=(*ERRORS, errors.NotAcceptable),
)
OF_ADDRESS = About(
    tag="Questions",
    summary="Ask for metrics by an address",
    description=f"The same as `POST /v1/query`, its keys as parameters. {_DESCRIPTION}",
    query=WORDS,
    reply=_REPLY,
    also=_ALSO,
    headers=_HEADERS,
    errors=(*ERRORS_OF_ADDRESSES, errors.NotAcceptable),
)
