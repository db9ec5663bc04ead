"""`POST /v1/events`: events in, a receipt out once they are durable."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.errors import BodyTooLarge, Fault, InvalidRequest, NotJson
from aforo.events.decoding import TypedEvents
from aforo.events.draft import ENVELOPE
from aforo.events.intake import Intake
from aforo.events.receipt import Receipt
from aforo.events.refusals import RefusalCode
from aforo.events.shape import FIELDS
from aforo.http import body, examples
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.access.bearing import FORM_TYPE, OF_PAGES, WRITE_KEY
from aforo.http.body import Body, Format
from aforo.http.caller import Caller, KeyScope, caller_of
from aforo.http.door import Door
from aforo.http.doubled import doubled, may_be_doubled, refuse_doubled, suspected
from aforo.http.hands import Hands
from aforo.http.reply import Shape, instant, json_reply
from aforo.settings import Http

BATCH = "events"
AT_ONCE_BYTES = 64 * 1024
"""A body up to this size is decoded where it was received: handing it to a thread would take longer."""

OPENINGS, OPENINGS_OF_AN_EVENT = 100_000, 20
"""Braces and brackets an event may have on the average of a full body, those in texts included; 2 are usual.

An empty object takes 30 times as much memory as it has letters: they are counted before any is made.
"""
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


class EventForm(msgspec.Struct, kw_only=True, rename="camel"):
    """A form of a page: a public key, and the JSON of one event or of a list as a text."""

    write_key: str
    events: str


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
        caller, most = caller_of(request), limits.max_events_per_request
        came = _in_form(request, limits.max_body_bytes)
        if came is None:
            came = await body.receive(request, limits.max_body_bytes, ndjson=True, beacon=caller.public)
        if came.gzipped or len(came.content) > AT_ONCE_BYTES:
            kept = await hands.do(lambda: _take(came, intake, most, caller))
        else:
            kept = _take(came, intake, most, caller)
        # Who leaves does not take back what is being committed: the wait ends, the commit goes on.
        receipt = await hands.until(kept)
        return json_reply(receipt_of(receipt), 202)

    return Door("POST", "/v1/events", "takeEvents", answer, ABOUT, scope=KeyScope.INGEST, places=OF_PAGES)


def events_of(content: bytes, written: Format, most: int) -> list[object]:
    """The events in a body, in order, each still as it came. Raises BodyTooLarge over `most` of them.

    A line of NDJSON that is no JSON stands for itself as a text, and is refused as no object.
    """
    openings = content.count(b"{") + content.count(b"[")
    if openings > max(OPENINGS, OPENINGS_OF_AN_EVENT * most):
        raise _too_many_openings(openings, max(OPENINGS, OPENINGS_OF_AN_EVENT * most))
    events = _lines(content, most) if written is Format.NDJSON else _listed(content)
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


def _take(came: Body, intake: Intake, most: int, caller: Caller) -> Future[Receipt]:
    content = came.plain()
    typed = intake.read(content, lines=came.format is Format.NDJSON)
    events: Sequence[object] | TypedEvents
    if typed is None or may_be_doubled(content, typed.names):
        events = events_of(content, came.format, most)
    elif len(typed) > most:
        raise _too_many(len(typed), most)
    else:
        events = typed
    return intake.take(events, tenant=caller.only_tenant, owns=caller.tenants, size=len(content))


def _in_form(request: Request, limit: int) -> Body | None:
    """The events in a form's field, if it was a form that brought the key."""
    form: dict[str, str] | None = getattr(request.state, "form", None)
    if form is None:
        return None
    unknown = [name for name in form if name not in (BATCH, WRITE_KEY)]
    if unknown or BATCH not in form:
        came = f"the form has the field {unknown[0]!r}" if unknown else f"the form has no field {BATCH!r}"
        raise InvalidRequest(came, hint=f"{BATCH} holds the JSON, {WRITE_KEY} the public key")
    return Body(form[BATCH].encode(), Format.JSON, gzipped=False, limit=limit)


def _listed(content: bytes) -> list[object]:
    """The one event of an object, or those of its `events`."""
    value = body.parsed(content)
    if not isinstance(value, dict):
        raise InvalidRequest("the body is JSON but no object", hint=_SHAPE)
    if BATCH not in value:
        if suspected(content, [value]):
            refuse_doubled(content)
        return [value]
    events = _batch(value)
    if suspected(content, events, above=1):
        refuse_doubled(content)
    return events


def _batch(value: dict[str, object]) -> list[object]:
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
    events = [_line(line) for line in lines]
    return (
        [_once(*each) for each in zip(lines, events, strict=True)] if suspected(content, events) else events
    )


def _line(line: bytes) -> object:
    try:
        return body.parsed(line)
    except NotJson:
        return line.decode("utf-8", "replace").strip()[:_SHOWN_OF_A_BAD_LINE]


def _once(line: bytes, event: object) -> object:
    """The event, unless its line says a name twice: then what is wrong with it stands in its place."""
    name = doubled(line) if isinstance(event, dict) else None
    return event if name is None else f"{name[:20]} twice in an object"


def _too_many(came: int, most: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"{came:,} events came in one request, and {most:,} may",
        hint="send them in several requests: what is repeated counts once",
    )


def _too_many_openings(came: int, most: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"a body with {came:,} braces and brackets came, and {most:,} may",
        hint="send fewer events at once: what is repeated counts once",
    )


_SHAPE = 'send one event {"stream": ..., "tenant": ..., "fields": {...}} or {"events": [...]}'

ABOUT = About(
    tag="Events",
    summary="Take events",
    description=(
        "Takes one event, a list of events, or NDJSON with an event in each line, plain or gzip. The receipt "
        "is given once all that is accepted is durable. An event that is sent again counts once. Events that "
        "cannot be taken are refused one by one, by their place in the body; the rest is taken. An event "
        "that names no tenant takes the only one of its key; one that names another than the key is bound "
        "to is refused. With a public key the JSON may also come as text/plain (a beacon), or in the field "
        "`events` of a form."
    ),
    body=(
        Content("application/json", (Event, EventBatch), examples.EVENTS),
        Content("application/x-ndjson", (), examples.EVENT_LINES),
        Content(FORM_TYPE, (EventForm,), examples.EVENT_FORMS),
    ),
    status=202,
    reply=Content("application/json", (ReceiptReply,), examples.RECEIPTS),
    errors=(
        errors.InvalidRequest,
        *OF_BODIES,
        errors.Stopping,
        errors.StorageError,
        errors.StorageFull,
    ),
)
