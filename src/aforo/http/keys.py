"""`GET` and `POST /v1/keys`, `DELETE /v1/keys/{id}`: what opens this server, for its admin."""

from __future__ import annotations

from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.clock import Clock
from aforo.errors import InvalidRequest, NotFound
from aforo.http import body, key_examples, paging
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.body import Body
from aforo.http.caller import KeyScope, actor_of
from aforo.http.door import Answer, Door
from aforo.http.hands import Hands
from aforo.http.key_asked import KeyAsked, PrincipalAsked, decode
from aforo.http.reply import Shape, instant, json_reply
from aforo.store.act import Actor
from aforo.store.key import Key, KeyKind, NewKey

MAX_BODY_BYTES = 64 * 1_024


class Keeper(Protocol):
    """Who keeps keys: the store, or what stands before it in a server."""

    def create(self, wanted: NewKey, actor: Actor) -> tuple[Key, str]: ...

    def revoke(self, key_id: str, actor: Actor) -> Key | None: ...

    def page(self, limit: int, after: tuple[int, str] | None) -> list[Key]: ...


class KeyReply(Shape, frozen=True):
    """A key without its secret; `tenants` null is every tenant, limits that are null are the settings'.

    `state` is `good`, `revoked` or `expired`.
    """

    id: str
    name: str
    principal: PrincipalAsked
    kind: KeyKind
    scopes: tuple[KeyScope, ...]
    tenants: tuple[str, ...] | None
    origins: tuple[str, ...]
    requests_per_second: float | None
    burst_requests: int | None
    raw_rows: int | None
    raw_bytes: int | None
    state: str
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class KeyList(Shape, frozen=True):
    """Keys, the newest first."""

    keys: tuple[KeyReply, ...]
    next_cursor: str | None


class NewKeyReply(Shape, frozen=True):
    """A key that was just made. `secret` is told this once and kept nowhere."""

    secret: str
    key: KeyReply


def creating(keeper: Keeper, hands: Hands, clock: Clock) -> Door:
    """The way to a new key."""

    def work(came: Body, actor: Actor) -> Response:
        return json_reply(created(keeper, clock, body.decoded(came.plain()), actor), 201)

    async def answer(request: Request) -> Response:
        came, actor = await body.receive(request, MAX_BODY_BYTES), actor_of(request)
        return await hands.do(lambda: work(came, actor))

    return _door("POST", "/v1/keys", "createKey", answer, CREATING)


def listing(keeper: Keeper, hands: Hands, clock: Clock) -> Door:
    """The way to the list of keys."""

    async def answer(request: Request) -> Response:
        page = paging.wanted(request)
        return json_reply(await hands.do(lambda: listed(keeper, clock, page)))

    return _door("GET", "/v1/keys", "listKeys", answer, LISTING, paging.PARAMETERS)


def revoking(keeper: Keeper, hands: Hands, clock: Clock) -> Door:
    """The way to end a key."""

    async def answer(request: Request) -> Response:
        key_id, actor = request.path_params["id"], actor_of(request)
        return json_reply(await hands.do(lambda: revoked(keeper, clock, key_id, actor)))

    return _door("DELETE", "/v1/keys/{id}", "revokeKey", answer, REVOKING)


def created(keeper: Keeper, clock: Clock, asked: object, actor: Actor) -> NewKeyReply:
    """Makes the key that a decoded body asks for. Raises InvalidRequest with all faults."""
    key, secret = keeper.create(decode(asked, clock.now()), actor)
    return NewKeyReply(secret=secret, key=shown(key, clock.now()))


def listed(keeper: Keeper, clock: Clock, page: paging.Wanted) -> KeyList:
    """One page of keys."""
    found = keeper.page(page.limit + 1, None if page.after is None else _place(page.after))
    kept = found[: page.limit]
    more = len(found) > page.limit
    return KeyList(
        keys=tuple(shown(key, clock.now()) for key in kept),
        next_cursor=paging.cursor_of(f"{kept[-1].created_at} {kept[-1].id}") if more else None,
    )


def revoked(keeper: Keeper, clock: Clock, key_id: str, actor: Actor) -> KeyReply:
    """Ends a key. Raises NotFound."""
    key = keeper.revoke(key_id, actor)
    if key is None:
        raise NotFound(f"there is no key with the id {key_id[:100]!r}", hint="aforo keys list tells all ids")
    return shown(key, clock.now())


def shown(key: Key, now: int) -> KeyReply:
    """A key as it is told."""
    state = "revoked" if key.revoked_at is not None else "good" if key.is_good(now) else "expired"
    return KeyReply(
        id=key.id,
        name=key.name,
        principal=PrincipalAsked(kind=key.principal.kind, name=key.principal.name),
        kind=key.kind,
        scopes=tuple(scope for scope in KeyScope if scope in key.scopes),
        tenants=None if key.tenants is None else tuple(sorted(key.tenants)),
        origins=tuple(sorted(key.origins)),
        requests_per_second=key.requests_per_second,
        burst_requests=key.burst_requests,
        raw_rows=key.raw_rows,
        raw_bytes=key.raw_bytes,
        state=state,
        created_at=instant(key.created_at) or "",
        expires_at=instant(key.expires_at),
        revoked_at=instant(key.revoked_at),
        last_used_at=instant(key.last_used_at),
    )


def _place(after: str) -> tuple[int, str]:
    at, _, key_id = after.partition(" ")
    if not (at.isascii() and at.isdigit() and len(at) < 19):
        raise InvalidRequest("the cursor is none of this list", hint="give back nextCursor as it came")
    return int(at), key_id


def _door(
    method: str, path: str, name: str, answer: Answer, about: About, parameters: tuple[str, ...] = ()
) -> Door:
    return Door(method, path, name, answer, about, parameters, scope=KeyScope.ADMIN, across_tenants=True)


_ERRORS = (errors.NotYourTenant, errors.StorageError)
CREATING = About(
    tag="Access",
    summary="Make a key",
    description=(
        "Makes a key and tells its secret, this once. A secret key opens its scopes for its tenants, or for "
        "all. A public key may stand in a page: it brings events of one tenant from the origins it lists."
    ),
    body=(Content("application/json", (KeyAsked,), key_examples.KEYS_ASKED),),
    status=201,
    reply=Content("application/json", (NewKeyReply,), key_examples.KEYS_MADE),
    errors=(
        *_ERRORS,
        errors.InvalidRequest,
        *OF_BODIES,
        errors.StorageFull,
    ),
)
LISTING = About(
    tag="Access",
    summary="List the keys",
    description="All keys without their secrets, the newest first, the revoked and expired ones too.",
    query=paging.TOLD,
    reply=Content("application/json", (KeyList,), key_examples.KEY_LISTS),
    errors=(*_ERRORS, errors.InvalidRequest),
)
REVOKING = About(
    tag="Access",
    summary="Revoke a key",
    description="The key opens nothing from now on. Revoking it again changes nothing.",
    path={"id": "Id of the key"},
    reply=Content("application/json", (KeyReply,), key_examples.KEYS),
    errors=(*_ERRORS, NotFound, errors.StorageFull),
)
