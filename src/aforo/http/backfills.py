"""`/v1/backfills`: windows folded again; planned, begun, watched, paused and cancelled by the admin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.errors import InvalidRequest, NotFound
from aforo.http import backfill_examples, body, paging
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.backfill_asked import BackfillAsked, decode
from aforo.http.backfills_shown import BackfillList, BackfillReply, PlanReply, shown, shown_plan
from aforo.http.body import Body
from aforo.http.caller import KeyScope, actor_of
from aforo.http.door import Answer, Door
from aforo.http.hands import Hands
from aforo.http.reply import json_reply
from aforo.rollups.backfiller import Backfiller
from aforo.store.act import Actor
from aforo.store.backfill import Backfill, BackfillState
from aforo.store.backfills import Backfills

MAX_BODY_BYTES = 64 * 1_024


class Mover(Protocol):
    """Who moves backfills: the store, or the backfiller that is to hear of it at once."""

    def move(self, backfill_id: str, to: BackfillState, actor: Actor) -> Backfill | None: ...


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
    return shown_plan(backfiller.plan(decode(asked)))


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


def _decoded(came: Body) -> object:
    return body.decoded(came.plain())


def _there(backfill: Backfill | None, backfills: Backfills, backfill_id: str) -> BackfillReply:
    if backfill is None:
        raise NotFound(
            f"there is no backfill with the id {backfill_id[:100]!r}",
            hint="aforo backfill status tells all ids",
        )
    return shown(backfill, backfills.pace())


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
