"""What the reference says of Segment's tracking API, with examples that a test sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from aforo import errors
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.events import ReceiptReply
from aforo.model.segment import Call

Examples = Mapping[str, Any]


class TrackingCall(msgspec.Struct, kw_only=True, rename="camel"):
    """One call. `messageId` names it once and for all, `timestamp` is when it was; `type` counts in a batch.

    What else is sent may be taken too: a stream's rules say which keys its fields are filled with. Without a
    `messageId` the call is named by all that it says; without a `timestamp` it takes its arrival's.
    """

    type: str | msgspec.UnsetType = msgspec.UNSET
    message_id: str | msgspec.UnsetType = msgspec.UNSET
    timestamp: str | msgspec.UnsetType = msgspec.UNSET
    user_id: str | msgspec.UnsetType | None = msgspec.UNSET
    anonymous_id: str | msgspec.UnsetType | None = msgspec.UNSET
    event: str | msgspec.UnsetType = msgspec.UNSET
    name: str | msgspec.UnsetType | None = msgspec.UNSET
    category: str | msgspec.UnsetType | None = msgspec.UNSET
    group_id: str | msgspec.UnsetType = msgspec.UNSET
    previous_id: str | msgspec.UnsetType = msgspec.UNSET
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    context: dict[str, Any] = {}
    write_key: str | msgspec.UnsetType = msgspec.UNSET


class TrackingBatch(msgspec.Struct, kw_only=True, rename="camel"):
    """Calls of any kinds, in any order. `context` holds for each call that does not say otherwise."""

    batch: list[TrackingCall]
    context: dict[str, Any] = {}
    write_key: str | msgspec.UnsetType = msgspec.UNSET


class TrackingReply(ReceiptReply, frozen=True, kw_only=True):
    """What became of the calls, by their place in the batch. A call that two streams take is two events."""

    success: bool = True

    @classmethod
    def of(cls, receipt: ReceiptReply) -> TrackingReply:
        """The receipt as Segment's libraries like to see it."""
        return cls(**{name: getattr(receipt, name) for name in receipt.__struct_fields__})


def about(path: str, kind: Call | None) -> About:
    """What is said of one of the addresses; no `kind` is a batch of any."""
    if kind is None:
        summary = (
            "Take a batch of Segment's calls" if path == "/v1/batch" else "Take Segment's calls of long ago"
        )
        body = Content("application/json", (TrackingBatch,), BATCHES)
        reply = Content("application/json", (TrackingReply,), BATCH_REPLIES)
    else:
        summary = f"Take one of Segment's {kind} calls"
        body = Content("application/json", (TrackingCall,), {f"A {kind} call": CALLS[kind]})
        reply = Content("application/json", (TrackingReply,), REPLIES)
    return About(
        tag="Segment", summary=summary, description=_DESCRIPTION, body=(body,), reply=reply, errors=_ERRORS
    )


_DESCRIPTION = (
    "Segment's tracking API, so that its libraries work unchanged. The write key is the user of basic auth, "
    "else `writeKey` in the body, and stands for the tenant. Streams take calls by the rules under their "
    "`segment:` in the model; a call that no stream takes is refused as `unknown_stream`. The reply is 200 "
    "once all that is accepted is durable, whatever was refused, so that a library repeats nothing in vain; "
    "a call that is sent again counts once."
)
_ERRORS = (
    errors.InvalidRequest,
    *OF_BODIES,
    errors.NotAuthorised,
    errors.Stopping,
    errors.StorageError,
    errors.StorageFull,
)

_WHO = {"userId": "u-17", "anonymousId": "5b0f"}
_WHERE = {"context": {"page": {"path": "/basket"}}}


def _call(number: int, **more: Any) -> dict[str, Any]:
    return {"messageId": f"m-{number}", "timestamp": f"2013-01-31T17:05:0{number}Z", **_WHO, **more}


CALLS: Mapping[Call, Mapping[str, Any]] = {
    Call.TRACK: _call(1, event="Order Completed", properties={"total": 39.9}, **_WHERE),
    Call.PAGE: _call(2, name="Basket", properties={"path": "/basket"}),
    Call.SCREEN: _call(3, name="Basket"),
    Call.IDENTIFY: _call(4, traits={"plan": "pro"}),
    Call.GROUP: _call(5, groupId="g-3", traits={"seats": 12}),
    Call.ALIAS: {**_call(6), "previousId": "5b0f"},
}
BATCHES: Examples = {
    "An order, once more the same, and a call that no stream takes": {
        "batch": [
            {"type": "track", **CALLS[Call.TRACK]},
            {"type": "track", **CALLS[Call.TRACK]},
            {**_call(7), "type": "track", "event": "Order Complete"},
        ],
        "sentAt": "2013-01-31T17:05:09Z",
    }
}
BATCH_REPLIES: Examples = {
    "An order, once more the same, and a call that no stream takes": {
        "accepted": 1,
        "duplicates": 1,
        "refused": [
            {
                "index": 2,
                "code": "unknown_stream",
                "detail": 'no stream takes the track call "Order Complete", did you mean "Order Completed"?',
            }
        ],
        "completeUntil": "2013-01-31T17:00:00+00:00",
        "success": True,
    }
}
REPLIES: Examples = {
    "A call": {
        "accepted": 1,
        "duplicates": 0,
        "refused": [],
        "completeUntil": "2013-01-31T17:00:00+00:00",
        "success": True,
    }
}
