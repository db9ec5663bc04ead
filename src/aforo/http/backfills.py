"""`/v1/backfills`: windows folded again; planned, begun, watched, paused and cancelled by the admin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.errors import InvalidRequest, NotFound
from aforo.http import backfill_examples, body, paging
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.backfill_asked import BackfillAsked, decode
from aforo.http.body import Body
from aforo.http.caller import KeyScope, actor_of
from aforo.http.door import Answer, Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape, instant, json_reply
from aforo.rollups.backfill import Plan, estimated
from aforo.rollups.backfiller import Backfiller
from aforo.store.act import Actor
from aforo.store.backfill import Backfill, BackfillState, Part, Span
from aforo.store.backfills import Backfills

MAX_BODY_BYTES = 64 * 1_024


class Mover(Protocol):
    """Who moves backfills: the store, or the backfiller that is to hear of it at once."""

    def move(self, backfill_id: str, to: BackfillState, actor: Actor) -> Backfill | None: ...


class SpanReply(Shape, frozen=True):
    """One tenant's window of whole slots, and what it holds.

    `sealedBefore` is told where more was asked: raw events before it were purged, and their rollups stay.
    """

    tenant: str
    from_: str = msgspec.field(name="from")
    to: str
    slots: int
    events: int
    sealed_before: str | None


class PlanReply(Shape, frozen=True):
    """What a backfill would fold again, and about how many seconds that takes."""

    stream: str
    slots: int
    events: int
    seconds: float
    tenants: tuple[SpanReply, ...]


class PartReply(Shape, frozen=True):
    """One tenant's window, and how far it is done: all from `doneFrom` on."""

    tenant: str
    from_: str = msgspec.field(name="from")
    to: str
    slots: int
    events: int
    sealed_before: str | None
    done_from: str
    slots_done: int
    events_done: int


class BackfillReply(Shape, frozen=True):
    """A backfill. `progress` is the share of its slots that are done, `secondsLeft` an estimate."""

    id: str
    stream: str
    state: BackfillState
    reason: str
    created_by: str
    created_at: str
    changed_at: str
    finished_at: str | None
    slots: int
    slots_done: int
    events: int
    events_done: int
    batches: int
    progress: float
    seconds_left: float | None
    tenants: tuple[PartReply, ...]


class BackfillList(Shape, frozen=True):
    """Backfills, the newest first."""

    backfills: tuple[BackfillReply, ...]
    next_cursor: str | None


def doors(backfiller: Backfiller, hands: Hands) -> list[Door]:
    """The ways to backfills."""

    def asked(work: Callable[[object, Actor], Response]) -> Answer:
        async def answer(request: Request) -> Response:
            came, actor = await body.receive(request, MAX_BODY_BYTES), actor_of(request)
            return await hands.do(lambda: work(_decoded(came), actor))

        return answer

    def moved(to: BackfillState) -> Answer:
        async def answer(request: Request) -> Response:
            backfill_id, actor = request.path_params["id"], actor_of(request)
            return json_reply(
                await hands.do(lambda: moving(backfiller, backfiller.backfills, backfill_id, to, actor))
            )

        return answer

    async def listing(request: Request) -> Response:
        page = paging.wanted(request)
        return json_reply(await hands.do(lambda: listed(backfiller.backfills, page)))

    async def one(request: Request) -> Response:
        backfill_id = request.path_params["id"]
        return json_reply(await hands.do(lambda: found(backfiller.backfills, backfill_id)))

    begin = asked(lambda came, actor: json_reply(begun(backfiller, came, actor), 202))
    foresee = asked(lambda came, _actor: json_reply(planned(backfiller, came)))
    return [
        _door("POST", "/v1/backfills", "beginBackfill", begin, BEGINNING),
        _door("POST", "/v1/backfills/plan", "planBackfill", foresee, PLANNING),
        _door("GET", "/v1/backfills", "listBackfills", listing, LISTING, paging.PARAMETERS),
        _door("GET", "/v1/backfills/{id}", "backfill", one, FINDING),
        *(_door(move.method, move.path, move.name, moved(move.to), move.about) for move in MOVES),
    ]


def planned(backfiller: Backfiller, asked: object) -> PlanReply:
    """What a decoded body asks for, looked over and not begun. Raises InvalidRequest, UnknownName."""
    return _shown_plan(backfiller.plan(decode(asked)))


def begun(backfiller: Backfiller, asked: object, actor: Actor) -> BackfillReply:
    """Begins the backfill that a decoded body asks for. Raises InvalidRequest, UnknownName, Conflict."""
    return shown(backfiller.begin(decode(asked), actor), backfiller.backfills.pace())


def moving(
    mover: Mover, backfills: Backfills, backfill_id: str, to: BackfillState, actor: Actor
) -> BackfillReply:
    """Pauses, resumes or cancels a backfill. Raises NotFound, Conflict."""
    return _there(mover.move(backfill_id, to, actor), backfills, backfill_id)


def found(backfills: Backfills, backfill_id: str) -> BackfillReply:
    """The backfill of an id. Raises NotFound."""
    return _there(backfills.get(backfill_id), backfills, backfill_id)


def listed(backfills: Backfills, page: paging.Wanted) -> BackfillList:
    """One page of backfills."""
    came = backfills.page(page.limit + 1, None if page.after is None else _place(page.after))
    kept, pace = came[: page.limit], backfills.pace()
    more = len(came) > page.limit
    return BackfillList(
        backfills=tuple(shown(each, pace) for each in kept),
        next_cursor=paging.cursor_of(f"{kept[-1].created_at} {kept[-1].id}") if more else None,
    )


def shown(backfill: Backfill, pace: tuple[int, int, float]) -> BackfillReply:
    """A backfill as it is told. It folds what it finds, which may be more than was planned."""
    parts = backfill.parts
    slots_done, events_done = (
        sum(part.slots_done for part in parts),
        sum(part.events_done for part in parts),
    )
    slots = max(slots_done, sum(part.slots for part in parts))
    events = max(events_done, sum(part.events for part in parts))
    done = backfill.state is BackfillState.DONE
    running = backfill.state is BackfillState.RUNNING
    left = estimated(slots - slots_done, events - events_done, pace) if running else None
    return BackfillReply(
        id=backfill.id,
        stream=backfill.stream,
        state=backfill.state,
        reason=backfill.reason,
        created_by=backfill.created_by,
        created_at=instant(backfill.created_at) or "",
        changed_at=instant(backfill.changed_at) or "",
        finished_at=instant(backfill.finished_at),
        slots=slots,
        slots_done=slots_done,
        events=events,
        events_done=events_done,
        batches=sum(part.batches for part in parts),
        progress=1.0 if done else round(slots_done / slots, 4) if slots else 0.0,
        seconds_left=None if left is None else round(left, 1),
        tenants=tuple(_shown_part(part) for part in parts),
    )


def _decoded(came: Body) -> object:
    return body.decoded(came.plain())


def _there(backfill: Backfill | None, backfills: Backfills, backfill_id: str) -> BackfillReply:
    if backfill is None:
        raise NotFound(
            f"there is no backfill with the id {backfill_id[:100]!r}",
            hint="aforo backfill status tells all ids",
        )
    return shown(backfill, backfills.pace())


def _shown_plan(plan: Plan) -> PlanReply:
    return PlanReply(
        stream=plan.stream,
        slots=sum(span.slots for span in plan.spans),
        events=sum(span.events for span in plan.spans),
        seconds=round(plan.seconds, 1),
        tenants=tuple(_shown_span(span) for span in plan.spans),
    )


def _shown_span(span: Span) -> SpanReply:
    return SpanReply(
        tenant=span.tenant,
        from_=instant(span.start) or "",
        to=instant(span.end) or "",
        slots=span.slots,
        events=span.events,
        sealed_before=instant(span.sealed_before),
    )


def _shown_part(part: Part) -> PartReply:
    return PartReply(
        tenant=part.tenant,
        from_=instant(part.start) or "",
        to=instant(part.end) or "",
        slots=part.slots,
        events=part.events,
        sealed_before=instant(part.sealed_before),
        done_from=instant(part.done_from) or "",
        slots_done=part.slots_done,
        events_done=part.events_done,
    )


def _place(after: str) -> tuple[int, str]:
    at, _, backfill_id = after.partition(" ")
    if not (at.isascii() and at.isdigit() and len(at) < 19):
        raise InvalidRequest("the cursor is none of this list", hint="give back nextCursor as it came")
    return int(at), backfill_id


def _door(
    method: str, path: str, name: str, answer: Answer, about: About, parameters: tuple[str, ...] = ()
) -> Door:
    return Door(method, path, name, answer, about, parameters, scope=KeyScope.ADMIN, across_tenants=True)


_ERRORS = (errors.NotYourTenant, errors.StorageError)
_ASKED = (Content("application/json", (BackfillAsked,), backfill_examples.BACKFILLS_ASKED),)
_REPLY = Content("application/json", (BackfillReply,), backfill_examples.BACKFILLS)
_ID = {"id": "Id of the backfill"}
BEGINNING = About(
    tag="Operation",
    summary="Begin a backfill",
    description=(
        "Folds a window of a stream again: its slots are marked in batches, the newest first, and each batch "
        "is folded before the next is marked. One runs at a time for a stream and tenant."
    ),
    body=_ASKED,
    status=202,
    reply=_REPLY,
    errors=(*_ERRORS, errors.InvalidRequest, *OF_BODIES, errors.Conflict, errors.StorageFull),
)
PLANNING = About(
    tag="Operation",
    summary="Plan a backfill",
    description="What the same body would have folded again: slots, events and how long. Nothing is done.",
    body=_ASKED,
    reply=Content("application/json", (PlanReply,), backfill_examples.BACKFILL_PLANS),
    errors=(*_ERRORS, errors.InvalidRequest, *OF_BODIES),
)
LISTING = About(
    tag="Operation",
    summary="List the backfills",
    description="All backfills, the newest first, those that are over too.",
    query=paging.TOLD,
    reply=Content("application/json", (BackfillList,), backfill_examples.BACKFILL_LISTS),
    errors=(*_ERRORS, errors.InvalidRequest),
)
FINDING = About(
    tag="Operation",
    summary="Look at a backfill",
    description="Where a backfill stands, tenant by tenant.",
    path=_ID,
    reply=_REPLY,
    errors=(*_ERRORS, NotFound),
)


@dataclass(frozen=True, slots=True)
class Move:
    """A way to move a backfill to another state, and what the reference says of it."""

    method: str
    path: str
    name: str
    to: BackfillState
    summary: str
    description: str

    @property
    def about(self) -> About:
        return About(
            tag="Operation",
            summary=self.summary,
            description=self.description,
            path=_ID,
            reply=_REPLY,
            errors=(*_ERRORS, NotFound, errors.Conflict, errors.StorageFull),
        )


MOVES = (
    Move(
        "POST",
        "/v1/backfills/{id}/pause",
        "pauseBackfill",
        BackfillState.PAUSED,
        "Pause a backfill",
        "Marks no more until it is resumed; the batch under way is still folded.",
    ),
    Move(
        "POST",
        "/v1/backfills/{id}/resume",
        "resumeBackfill",
        BackfillState.RUNNING,
        "Resume a backfill",
        "Goes on where it was paused. Resuming one that runs changes nothing.",
    ),
    Move(
        "DELETE",
        "/v1/backfills/{id}",
        "cancelBackfill",
        BackfillState.CANCELLED,
        "Cancel a backfill",
        "Ends it for good. What it has folded stays folded, and is as true as it was.",
    ),
)
