"""`POST /v1/events`: events in, a receipt out once they are durable."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.errors import BodyTooLarge, Fault, InvalidRequest, NotJson
from aforo.events.draft import ENVELOPE
from aforo.events.intake import Intake
from aforo.events.receipt import Receipt
from aforo.events.refusals import RefusalCode
from aforo.events.shape import FIELDS
from aforo.http import body, examples
from aforo.http.about import About, Content
from aforo.http.body import Body, Format
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape, instant, json_reply
from aforo.settings import Http

BATCH = "events"
_SHOWN_OF_A_BAD_LINE = 80  # characters; a refusal shows fewer


class Event(msgspec.Struct, kw_only=True):
    """One fact of a stream. `tenant` is whose it is; `id` names it once and for all; `time` is when it was.

    Without an id, streams that declare one make it of their fields, others of the whole content. Without a
    time it takes its arrival's.
    """

    stream: str
    tenant: str
    id: str | msgspec.UnsetType = msgspec.UNSET
    time: str | msgspec.UnsetType = msgspec.UNSET
    fields: dict[str, Any] = {}


class EventBatch(msgspec.Struct, kw_only=True):
    """Events of any streams and tenants, in any order."""

    events: list[Event]


class RefusedEvent(Shape, frozen=True):
    """An event that was not taken, by its place in the body, and why."""

    index: int
    code: RefusalCode
    detail: str


class GivenId(Shape, frozen=True):
    """The id that was given to an event which brought neither an id nor a time."""

    index: int
    id: str


class ReceiptReply(Shape, frozen=True):
    """What became of the events. All that is accepted is durable; `completeUntil` is folded up to there."""

    accepted: int
    duplicates: int
    refused: tuple[RefusedEvent, ...]
    complete_until: str | None
    ids: tuple[GivenId, ...] | msgspec.UnsetType = msgspec.UNSET


def taking(intake: Intake, hands: Hands, limits: Http) -> Door:
    """The way in for events."""

    async def answer(request: Request) -> Response:
        came = await body.receive(request, limits.max_body_bytes, ndjson=True)
        kept = await hands.do(lambda: _take(came, intake, limits.max_events_per_request))
        # Who leaves does not take back what is being committed: the wait ends, the commit goes on.
        receipt = await asyncio.shield(asyncio.wrap_future(kept))
        return json_reply(receipt_of(receipt), 202)

    return Door("POST", "/v1/events", "takeEvents", answer, ABOUT)


def events_of(came: Body, most: int) -> list[object]:
    """The events in a body, in order, each still as it came. Raises BodyTooLarge over `most` of them.

    A line of NDJSON that is no JSON stands for itself as a text, and is refused as no object.
    """
    events = _lines(came.plain(), most) if came.format is Format.NDJSON else _listed(came.plain())
    if len(events) > most:
        raise _too_many(len(events), most)
    return events


def receipt_of(receipt: Receipt) -> ReceiptReply:
    """A receipt as it is sent."""
    return ReceiptReply(
        accepted=receipt.accepted,
        duplicates=receipt.duplicates,
        refused=tuple(
            RefusedEvent(index=each.index, code=each.code, detail=each.detail) for each in receipt.refused
        ),
        ids=tuple(GivenId(index=index, id=given) for index, given in receipt.ids) or msgspec.UNSET,
        complete_until=instant(receipt.complete_until),
    )


def _take(came: Body, intake: Intake, most: int) -> Future[Receipt]:
    opened = came.opened()
    return intake.take(events_of(opened, most), size=len(opened.content))


def _listed(content: bytes) -> list[object]:
    """The one event of an object, or those of its `events`."""
    value = body.decoded(content)
    if not isinstance(value, dict):
        raise InvalidRequest("the body is JSON but no object", hint=_SHAPE)
    if BATCH not in value:
        return [value]
    beside = [str(name) for name in value if name != BATCH]
    if beside:
        known = (*ENVELOPE, FIELDS)
        mixed = "an event and a list of events" if any(name in known for name in beside) else "more"
        raise InvalidRequest(
            f"the body holds {mixed}: beside {BATCH!r} it has {', '.join(map(repr, beside[:5]))}",
            hint=_SHAPE,
            faults=[Fault(name, "beside_events", f"stands beside {BATCH!r}") for name in beside[:20]],
        )
    events = value[BATCH]
    if not isinstance(events, list):
        fault = Fault(BATCH, "wrong_type", f"{BATCH} is no list")
        raise InvalidRequest(f"{BATCH!r} is no list", hint=_SHAPE, faults=[fault])
    return events


def _lines(content: bytes, most: int) -> list[object]:
    lines = [line for line in content.split(b"\n") if line.strip()]
    if len(lines) > most:
        raise _too_many(len(lines), most)
    return [_line(line) for line in lines]


def _line(line: bytes) -> object:
    try:
        return body.decoded(line)
    except NotJson:
        return line.decode("utf-8", "replace").strip()[:_SHOWN_OF_A_BAD_LINE]


def _too_many(came: int, most: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"{came:,} events came in one request, and {most:,} may",
        hint="send them in several requests: what is repeated counts once",
    )


_SHAPE = 'send one event {"stream": ..., "tenant": ..., "fields": {...}} or {"events": [...]}'

ABOUT = About(
    tag="Events",
    summary="Take events",
    description=(
        "Takes one event, a list of events, or NDJSON with an event in each line, plain or gzip. The receipt "
        "is given once all that is accepted is durable. An event that is sent again counts once. Events that "
        "cannot be taken are refused one by one, by their place in the body; the rest is taken."
    ),
    body=(
        Content("application/json", (Event, EventBatch), examples.EVENTS),
        Content("application/x-ndjson", (), examples.EVENT_LINES),
    ),
    status=202,
    reply=Content("application/json", (ReceiptReply,), examples.RECEIPTS),
    errors=(
        errors.InvalidRequest,
        errors.NotJson,
        errors.NotInflatable,
        errors.BodyTooLarge,
        errors.UnsupportedBody,
        errors.IntakeFull,
        errors.Stopping,
        errors.StorageError,
        errors.StorageFull,
    ),
)
