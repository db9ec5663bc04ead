"""Segment's tracking API: `POST /v1/batch`, `/v1/track` and the like, for Segment's own libraries."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from aforo.errors import BodyTooLarge, Fault, Forbidden, InvalidRequest, NotAuthorised, NotJson
from aforo.events.intake import Intake
from aforo.events.receipt import Receipt
from aforo.events.segment import Switch
from aforo.http import body, segment_about
from aforo.http.access.bearing import HEADERS, Place
from aforo.http.body import Body
from aforo.http.caller import ANYONE, KeyScope, caller_of
from aforo.http.door import Door
from aforo.http.events import receipt_of
from aforo.http.hands import Hands
from aforo.http.reply import json_reply
from aforo.http.segment_about import TrackingReply
from aforo.model.segment import Call
from aforo.settings import Http
from aforo.store.key import looks_like_a_key

BATCH = "batch"
WRITE_KEY = "writeKey"
SHARED = ("context", "integrations")  # of a batch, for each of its calls


@dataclass(frozen=True, slots=True)
class Calls:
    """What a request brings; `kind` is what all calls are, where it is the address that says it."""

    calls: Sequence[object]
    kind: Call | None
    shared: Mapping[str, object]


def doors(intake: Intake, switch: Switch, hands: Hands, limits: Http) -> list[Door]:
    """The ways in for calls: two for batches, and one for each kind of call."""
    batches = [
        _door(name, path, None, intake, switch, hands, limits)
        for name, path in (("takeBatch", "/v1/batch"), ("importBatch", "/v1/import"))
    ]
    single = [
        _door(f"take{call.title()}", f"/v1/{call}", call, intake, switch, hands, limits) for call in Call
    ]
    return [*batches, *single]


def tenant_of(request: Request, written: object) -> str:
    """Whose the calls are: the tenant of the caller's key, else the one that the write key names.

    The write key is the user of basic auth, else the `writeKey` written in the body. It is a name only where
    the server does not know its callers: a key is a secret, and never becomes data. Raises NotAuthorised, and
    Forbidden for a caller who is not bound to one tenant.
    """
    caller = caller_of(request)
    if caller is ANYONE:
        return _write_key(request.headers.get("authorization", ""), written)
    if caller.only_tenant is None:
        raise Forbidden(
            f"the key {caller.name!r} is not bound to one tenant, and a call names none",
            hint="use a write key, which belongs to one tenant",
        )
    return caller.only_tenant


def _door(
    name: str, path: str, kind: Call | None, intake: Intake, switch: Switch, hands: Hands, limits: Http
) -> Door:
    def take(request: Request, came: Body) -> Future[Receipt]:
        content = came.plain()
        said = body.as_object(body.decoded(content))
        tenant = tenant_of(request, said.get(WRITE_KEY))
        calls = _batch(said, limits.max_events_per_request) if kind is None else Calls([said], kind, {})
        return _take(calls, tenant, len(content), intake, switch)

    async def answer(request: Request) -> Response:
        came = await body.receive(request, limits.max_body_bytes)
        kept = await hands.do(lambda: take(request, came))
        # Who leaves does not take back what is being committed: the wait ends, the commit goes on.
        receipt = await hands.until(kept)
        return json_reply(TrackingReply.of(receipt_of(receipt)))

    return Door(
        "POST",
        path,
        name,
        answer,
        segment_about.about(path, kind),
        scope=KeyScope.INGEST,
        places=HEADERS | {Place.BASIC},
    )


def _take(calls: Calls, tenant: str, size: int, intake: Intake, switch: Switch) -> Future[Receipt]:
    try:
        drafts, refusals = switch.drafts(calls.calls, kind=calls.kind, shared=calls.shared)
    except RecursionError as error:
        raise NotJson("the body's values stand too deep within one another") from error
    return intake.take_drafts(drafts, len(calls.calls), tenant=tenant, refusals=refusals, size=size)


def _batch(said: Mapping[str, object], most: int) -> Calls:
    """The calls of a batch. Raises InvalidRequest, and BodyTooLarge over `most` of them."""
    calls = said.get(BATCH)
    if not isinstance(calls, list):
        came = "is missing" if calls is None else "is no list"
        fault = Fault(BATCH, "missing" if calls is None else "wrong_type", f"{BATCH} {came}")
        raise InvalidRequest(f"{BATCH!r} {came}", hint='send {"batch": [...]}', faults=[fault])
    if len(calls) > most:
        raise BodyTooLarge(
            f"{len(calls):,} calls came in one request, and {most:,} may",
            hint="send them in several requests: what is repeated counts once",
        )
    shared = {key: said[key] for key in SHARED if said.get(key) is not None}
    for key, value in shared.items():
        if not isinstance(value, dict):
            fault = Fault(key, "wrong_type", f"{key} is no object")
            raise InvalidRequest(f"{key!r} is no object", faults=[fault])
    return Calls(calls, None, shared)


def _write_key(authorization: str, written: object) -> str:
    key = _user(authorization) or (written if isinstance(written, str) else "")
    if looks_like_a_key(key):
        raise NotAuthorised(
            "a key of Aforo came, and this server has none",
            hint="without keys the write key names the tenant",
        )
    if not key:
        raise NotAuthorised(
            "no write key came",
            hint="send it as the user of basic auth, or as writeKey in the body",
        )
    return key


def _user(authorization: str) -> str:
    """The user of basic auth; empty where there is none. Raises NotAuthorised where it cannot be read."""
    scheme, _, shown = authorization.partition(" ")
    if scheme.casefold() != "basic":
        return ""
    try:
        return base64.b64decode(shown.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError) as error:
        raise NotAuthorised(
            "the basic auth that came cannot be read", hint="wanted is base64 of 'WRITE_KEY:' in UTF-8"
        ) from error
