"""`GET /v1/refusals`: what was refused lately; `POST /v1/refusals`: what a sender refused before it sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.engines.appends import UNKNOWN, OutcomeCount
from aforo.engines.engine import Engine
from aforo.engines.refused import KeptSample, SamplesAsked
from aforo.errors import Fault, InvalidRequest, UnknownName
from aforo.events.intake import Intake
from aforo.events.receipt import Receipt
from aforo.events.refusals import RefusalCode
from aforo.events.samples import KINDS, sample_of
from aforo.http import body, operation_examples
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.body import Body
from aforo.http.caller import KeyScope, caller_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape, instant, json_reply, plain
from aforo.model.model import Model
from aforo.settings import Http

DEFAULT_LIMIT = 50
MOST_IN_A_PAGE = 1_000
MOST_REPORTED = 1_000  # kinds in one report
PARAMETERS: Mapping[str, str] = {
    "tenant": "Only of this tenant; ? is who is not known",
    "stream": "Only of this stream; ? is what is not known",
    "code": "Only with this code",
    "limit": f"Most that are wanted, {DEFAULT_LIMIT} where nothing is said and {MOST_IN_A_PAGE:,} at most",
    "cursor": "The nextCursor of the page before",
}
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,9})")


class RefusedSample(Shape, frozen=True):
    """An event that was not taken: when it came, what was wrong, and the names in it with their types."""

    at: str
    stream: str
    tenant: str
    code: RefusalCode
    detail: str
    names: dict[str, str]


class RefusalsReply(Shape, frozen=True):
    """Refused events, the newest first; with `nextCursor` there are older ones."""

    refusals: tuple[RefusedSample, ...]
    next_cursor: str | None


class ReportedSample(msgspec.Struct, forbid_unknown_fields=True):
    """One of the refused events: the words of its refusal, and the names in it with their types."""

    detail: Annotated[str, msgspec.Meta(max_length=1_000)]
    names: dict[str, str] = {}


class ReportedKind(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How many events of a stream and tenant a sender refused with one code, and the last few of them."""

    stream: Annotated[str, msgspec.Meta(max_length=256)]
    tenant: Annotated[str, msgspec.Meta(max_length=256)] = UNKNOWN
    code: RefusalCode
    count: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
    samples: Annotated[tuple[ReportedSample, ...], msgspec.Meta(max_length=200)] = ()


class RefusalReport(msgspec.Struct, forbid_unknown_fields=True):
    """What a sender refused by the model before it sent the rest."""

    refused: Annotated[tuple[ReportedKind, ...], msgspec.Meta(max_length=MOST_REPORTED)]


class ReportReply(Shape, frozen=True):
    """How many refusals were counted."""

    counted: int


def listing(engine: Engine, model: Model, hands: Hands) -> Door:
    """The way to what was refused."""

    async def answer(request: Request) -> Response:
        asked = asked_of(request.query_params, model)
        return json_reply(await hands.do(lambda: _page(engine, asked)))

    return Door(
        "GET",
        "/v1/refusals",
        "listRefusals",
        answer,
        LISTING,
        tuple(PARAMETERS),
        scope=KeyScope.OPERATE,
        across_tenants=True,
    )


def reporting(intake: Intake, model: Model, hands: Hands, limits: Http) -> Door:
    """The way in for refusals that senders found themselves."""

    async def answer(request: Request) -> Response:
        came = await body.receive(request, limits.max_body_bytes)
        report = await hands.do(partial(_report_of, came))
        for kind in report.refused:
            if kind.tenant != UNKNOWN:
                caller_of(request).require(kind.tenant)
        kept = _reported(report, intake, model)
        await hands.until(kept)
        return json_reply(ReportReply(counted=sum(each.count for each in report.refused)), 202)

    return Door("POST", "/v1/refusals", "reportRefusals", answer, REPORTING, scope=KeyScope.INGEST)


def refusals_json(engine: Engine, model: Model, asked: Mapping[str, str]) -> dict[str, object]:
    """The reply of `GET /v1/refusals` as plain mappings and lists, for who needs it without a server."""
    return plain(_page(engine, asked_of(asked, model)))


def asked_of(given: Mapping[str, str], model: Model) -> SamplesAsked:
    """What is asked, every word of it known. Raises InvalidRequest and UnknownName."""
    stream, code, cursor = given.get("stream"), given.get("code"), given.get("cursor")
    if stream is not None and stream not in (*model.sent_streams, UNKNOWN):
        raise UnknownName.of("stream", stream, model.sent_streams)
    if code is not None and code not in set(RefusalCode):
        raise UnknownName.of("refusal code", code, RefusalCode)
    before = None if cursor is None else _CURSOR.fullmatch(cursor)
    if cursor is not None and before is None:
        raise InvalidRequest(
            f"cursor: came {cursor[:40]!r}, which is none", hint="give the nextCursor of the page before"
        )
    return SamplesAsked(
        tenant=given.get("tenant"),
        stream=stream,
        code=code,
        before=None if before is None else (int(before[1]), int(before[2])),
        limit=_limit(given.get("limit", str(DEFAULT_LIMIT))),
    )


def _limit(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MOST_IN_A_PAGE:
        return int(text)
    raise InvalidRequest(
        f"limit: came {text[:40]!r}, wanted a whole number from 1 to {MOST_IN_A_PAGE:,}",
        hint="older ones are on the next page: give its nextCursor as cursor",
    )


def _page(engine: Engine, asked: SamplesAsked) -> RefusalsReply:
    # One more than is wanted tells whether there is a next page.
    found = engine.refused(replace(asked, limit=asked.limit + 1))
    shown = found[: asked.limit]
    last = shown[-1] if len(found) > len(shown) else None
    return RefusalsReply(
        refusals=tuple(_shown(each) for each in shown),
        next_cursor=None if last is None else f"{last.commit}-{last.place}",
    )


def _shown(kept: KeptSample) -> RefusedSample:
    sample = kept.sample
    return RefusedSample(
        at=instant(kept.arrived_at) or "",
        stream=sample.stream,
        tenant=sample.tenant,
        code=RefusalCode(sample.code),
        detail=sample.detail,
        names=dict(sample.names),
    )


def _report_of(came: Body) -> RefusalReport:
    given = body.as_object(body.decoded(came.plain()))
    try:
        return msgspec.convert(given, RefusalReport)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        place = path.rstrip("`").lstrip(".")
        fault = Fault(place, "wrong_type", message)
        raise InvalidRequest(f"{place or 'the report'}: {message}", hint=_SHAPE, faults=[fault]) from error


def _reported(report: RefusalReport, intake: Intake, model: Model) -> Future[Receipt]:
    """Only names that are known here are kept as they are: a sender may have another model."""
    refused = []
    samples = []
    for kind in report.refused:
        stream = kind.stream if kind.stream in model.sent_streams else UNKNOWN
        refused.append(OutcomeCount(stream, kind.tenant, str(kind.code), kind.count))
        samples += [
            sample_of(stream, kind.tenant, str(kind.code), each.detail, _types(each.names))
            for each in kind.samples
        ]
    return intake.report(refused, samples)


def _types(names: Mapping[str, str]) -> dict[str, str]:
    """The names with types that there are, so that no value can stand in the place of one."""
    return {name: kind if kind in KINDS else "other" for name, kind in names.items()}


_SHAPE = (
    'for example {"refused": [{"stream": "flights", "tenant": "nyc", "code": "wrong_type", "count": 1, '
    '"samples": []}]}'
)

LISTING = About(
    tag="Operation",
    summary="List refused events",
    description=(
        "The newest of what was not taken, of each stream, tenant and code no more than "
        "`intake.refused_per_reason`. An event's values are not kept: shown are the names in it with their "
        "types, and what was wrong, the refused value only where it is one short word or number. How many "
        "were refused is asked as `ingest_refused`."
    ),
    query=PARAMETERS,
    reply=Content("application/json", (RefusalsReply,), operation_examples.REFUSALS),
    errors=(errors.InvalidRequest, errors.StorageError),
)
REPORTING = About(
    tag="Events",
    summary="Report refused events",
    description=(
        "Counts events that a sender refused by the model before it sent the rest, by the slot in which the "
        "report arrives, and keeps samples of them. A report that is sent again counts again, as refused "
        "events that are sent again do."
    ),
    body=(Content("application/json", (RefusalReport,), operation_examples.REFUSAL_REPORTS),),
    status=202,
    reply=Content("application/json", (ReportReply,), operation_examples.REPORTED),
    errors=(
        errors.InvalidRequest,
        *OF_BODIES,
        errors.NotYourTenant,
        errors.Stopping,
        errors.StorageError,
        errors.StorageFull,
    ),
)
