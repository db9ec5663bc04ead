"""`POST /v1/compact`: puts events in order of time again, while serving."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.errors import Stopping
from aforo.http import operation_examples
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.caller import KeyScope, actor_of
from aforo.http.door import Door
from aforo.http.fold import NoParameters, refuse_parameters
from aforo.http.hands import Hands
from aforo.http.reply import Shape, json_reply
from aforo.rollups.compaction import Compacted, Compaction
from aforo.store.act import Action, Actor
from aforo.store.audit import Audit


class CompactReply(Shape, frozen=True):
    """The file before and after, and how many events were moved; `bytesPerEvent` is null without events.

    `outOfOrder` events lie in blocks whose times overlap those of others, `freeBytes` are room that is used
    again. `finished` is false where it ended early, because too much came or waits to be folded.
    """

    events: int
    bytes_before: int
    bytes_after: int
    bytes_per_event: float | None
    free_bytes: int
    out_of_order_before: int
    out_of_order_after: int
    moved: int
    finished: bool
    took_ms: float


def compacting(compaction: Compaction, hands: Hands, audit: Audit) -> Door:
    """The way to have the file compacted now."""

    def unless_stopping(_rows: int) -> None:
        if hands.stopping:
            raise Stopping("the server is stopping", hint="what was moved stays so; ask for the rest again")

    def work(actor: Actor) -> Response:
        # It is written down as what it may do: it moves what is kept.
        audit.record(Action.FOLD_FORCED, actor, "compaction")
        return json_reply(reply_of(compaction.run_once(whole=True, told=unless_stopping)))

    async def answer(request: Request) -> Response:
        await refuse_parameters(request, "a compaction takes none")
        actor = actor_of(request)
        return await hands.do(lambda: work(actor))

    return Door(
        "POST", "/v1/compact", "compactNow", answer, ABOUT, scope=KeyScope.OPERATE, across_tenants=True
    )


def reply_of(done: Compacted) -> CompactReply:
    """A compaction as it is shown."""
    return CompactReply(
        events=done.after.events,
        bytes_before=done.before.file_bytes,
        bytes_after=done.after.file_bytes,
        bytes_per_event=done.after.bytes_per_event,
        free_bytes=done.after.free_bytes,
        out_of_order_before=done.before.out_of_order,
        out_of_order_after=done.after.out_of_order,
        moved=done.moved,
        finished=done.finished,
        took_ms=round(done.took_seconds * 1000, 3),
    )


ABOUT = About(
    tag="Operation",
    summary="Compact now",
    description=(
        "Puts events in order of time again, in short steps between which events are taken. Free room is "
        "used again; only `aforo compact` without a server gives it back to the disk."
    ),
    body=(Content("application/json", (NoParameters,), operation_examples.NO_PARAMETERS),),
    body_optional=True,
    reply=Content("application/json", (CompactReply,), operation_examples.COMPACTIONS),
    errors=(
        *OF_BODIES,
        errors.Stopping,
        errors.StorageError,
        errors.StorageFull,
    ),
)
