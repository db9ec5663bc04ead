"""`/v1/erasures`: what somebody has sent is erased; asked for and watched by the admin."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.errors import InvalidRequest, NotFound
from aforo.http import body, erasure_examples, paging
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.body import Body
from aforo.http.caller import KeyScope, actor_of
from aforo.http.door import Answer, Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape, instant, json_reply
from aforo.http.value_asked import ValueAsked, decode
from aforo.rollups.erasure import Eraser
from aforo.store.act import Actor
from aforo.store.erasure import Erasure, ErasureState
from aforo.store.erasures import Erasures

MAX_BODY_BYTES = 16 * 1_024


class ErasureReply(Shape, frozen=True):
    """An erasure without its value; `digest` is the same for the same value of a tenant.

    `state` is `requested`, `unnamed` (the value is forgotten), `removed` (its events are deleted, and what
    they were in waits for a fold) or `done`. `events` were deleted so far, out of `slots` quarter hours.
    """

    id: str
    tenant: str
    entity: str
    digest: str
    state: ErasureState
    requested_by: str
    requested_at: str
    changed_at: str
    finished_at: str | None
    events: int
    slots: int


class ErasureList(Shape, frozen=True):
    """Erasures, the newest first."""

    erasures: tuple[ErasureReply, ...]
    next_cursor: str | None


def doors(eraser: Eraser, hands: Hands) -> list[Door]:
    """The ways to erasures."""

    def work(came: Body, actor: Actor) -> Response:
        return json_reply(requested(eraser, body.decoded(came.plain()), actor), 202)

    async def request_(request: Request) -> Response:
        came, actor = await body.receive(request, MAX_BODY_BYTES), actor_of(request)
        return await hands.do(lambda: work(came, actor))

    async def listing(request: Request) -> Response:
        page = paging.wanted(request)
        return json_reply(await hands.do(lambda: listed(eraser.erasures, page)))

    async def one(request: Request) -> Response:
        erasure_id = request.path_params["id"]
        return json_reply(await hands.do(lambda: found(eraser.erasures, erasure_id)))

    return [
        _door("POST", "/v1/erasures", "requestErasure", request_, REQUESTING),
        _door("GET", "/v1/erasures", "listErasures", listing, LISTING, paging.PARAMETERS),
        _door("GET", "/v1/erasures/{id}", "erasure", one, FINDING),
    ]


def requested(eraser: Eraser, asked: object, actor: Actor) -> ErasureReply:
    """Takes the erasure that a decoded body asks for. Raises InvalidRequest, UnknownName."""
    wanted = decode(asked)
    return shown(eraser.request(wanted.tenant, wanted.entity, str(wanted.value), actor))


def found(erasures: Erasures, erasure_id: str) -> ErasureReply:
    """The erasure of an id. Raises NotFound."""
    erasure = erasures.get(erasure_id)
    if erasure is None:
        raise NotFound(
            f"there is no erasure with the id {erasure_id[:100]!r}", hint="aforo erasures tells all ids"
        )
    return shown(erasure)


def listed(erasures: Erasures, page: paging.Wanted) -> ErasureList:
    """One page of erasures."""
    came = erasures.page(page.limit + 1, None if page.after is None else _place(page.after))
    kept = came[: page.limit]
    more = len(came) > page.limit
    return ErasureList(
        erasures=tuple(map(shown, kept)),
        next_cursor=paging.cursor_of(f"{kept[-1].requested_at} {kept[-1].id}") if more else None,
    )


def shown(erasure: Erasure) -> ErasureReply:
    """An erasure as it is told."""
    return ErasureReply(
        id=erasure.id,
        tenant=erasure.tenant,
        entity=erasure.entity,
        digest=erasure.digest,
        state=erasure.state,
        requested_by=erasure.requested_by,
        requested_at=instant(erasure.requested_at) or "",
        changed_at=instant(erasure.changed_at) or "",
        finished_at=instant(erasure.finished_at),
        events=erasure.events,
        slots=erasure.slots,
    )


def _place(after: str) -> tuple[int, str]:
    at, _, erasure_id = after.partition(" ")
    if not (at.isascii() and at.isdigit() and len(at) < 19):
        raise InvalidRequest("the cursor is none of this list", hint="give back nextCursor as it came")
    return int(at), erasure_id


def _door(
    method: str, path: str, name: str, answer: Answer, about: About, parameters: tuple[str, ...] = ()
) -> Door:
    return Door(method, path, name, answer, about, parameters, scope=KeyScope.ADMIN, across_tenants=True)


_ERRORS = (errors.NotYourTenant, errors.StorageError)
REQUESTING = About(
    tag="Operation",
    summary="Erase what somebody sent",
    description=(
        "Deletes the events that name a value of an entity, the value itself, and the refused events that "
        "may show it, and folds again what they were in. It is durable once it is replied to, and is brought "
        "to its end whatever happens. Rollups whose events were purged keep their counts, without the value."
    ),
    body=(Content("application/json", (ValueAsked,), erasure_examples.ERASURES_ASKED),),
    status=202,
    reply=Content("application/json", (ErasureReply,), erasure_examples.ERASURES_REQUESTED),
    errors=(*_ERRORS, errors.InvalidRequest, *OF_BODIES, errors.StorageFull),
)
LISTING = About(
    tag="Operation",
    summary="List the erasures",
    description="All erasures without their values, the newest first, those that are done too.",
    query=paging.TOLD,
    reply=Content("application/json", (ErasureList,), erasure_examples.ERASURE_LISTS),
    errors=(*_ERRORS, errors.InvalidRequest),
)
FINDING = About(
    tag="Operation",
    summary="Look at an erasure",
    description="How far an erasure has come.",
    path={"id": "Id of the erasure"},
    reply=Content("application/json", (ErasureReply,), erasure_examples.ERASURES),
    errors=(*_ERRORS, NotFound),
)
