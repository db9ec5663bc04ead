"""`GET /v1/cache` and `POST /v1/cache/clear`: the answers that are kept, for the operator."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.errors import InvalidRequest
from aforo.http import body, operation_examples
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.body import Body
from aforo.http.caller import KeyScope, actor_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape, json_reply
from aforo.questions.asked import decoded
from aforo.questions.cache import Cache
from aforo.store.act import Action, Actor
from aforo.store.audit import Audit

MAX_BODY_BYTES = 4_096


class ClearAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which answers are to be cleared, `tenant:NAME`, `stream:NAME` or `metric:NAME`; null is all."""

    tag: str | None = None


class CacheReply(Shape, frozen=True):
    """What lies in the cache, null where Redis does not say, and what it was asked since the server began.

    `joined` are the hits that waited for a reading that was under way.
    """

    shelf: str
    entries: int | None
    bytes: int | None
    hits: int
    misses: int
    joined: int


class ClearedReply(Shape, frozen=True):
    """How many answers were taken away."""

    cleared: int


def doors(cache: Cache, hands: Hands, audit: Audit) -> tuple[Door, ...]:
    """The ways to see what is kept, and to clear it."""

    def clear(came: Body, actor: Actor) -> Response:
        asked = decoded(body.decoded(came.plain()), ClearAsked, SHAPE)
        return json_reply(cleared(cache, asked.tag, audit, actor))

    async def seeing(_request: Request) -> Response:
        return json_reply(await hands.do(lambda: shown(cache)))

    async def clearing(request: Request) -> Response:
        came, actor = await body.receive(request, MAX_BODY_BYTES), actor_of(request)
        return await hands.do(lambda: clear(came, actor))

    return (
        Door("GET", "/v1/cache", "showCache", seeing, SEEING, scope=KeyScope.OPERATE, across_tenants=True),
        Door(
            "POST",
            "/v1/cache/clear",
            "clearCache",
            clearing,
            CLEARING,
            scope=KeyScope.OPERATE,
            across_tenants=True,
        ),
    )


def shown(cache: Cache) -> CacheReply:
    """What lies in the cache, as it is told."""
    found = cache.statistics()
    return CacheReply(
        shelf=found.shelf,
        entries=found.held.entries,
        bytes=found.held.size_bytes,
        hits=found.hits,
        misses=found.misses,
        joined=found.joined,
    )


def cleared(cache: Cache, tag: str | None, audit: Audit, actor: Actor) -> ClearedReply:
    """Clears what has the tag, or everything. Raises InvalidRequest for a tag of no kind."""
    # First, so that what cannot be written down is not done.
    audit.record(Action.CACHE_CLEARED, actor, (tag or "everything")[:200])
    return ClearedReply(cleared=cache.clear(tag))


SHAPE = 'for example {"tag": "tenant:nyc"}, or {} for all answers'
SEEING = About(
    tag="Operation",
    summary="See what is kept of answers",
    description="How many answers are kept, what room they take, and how many questions they answered.",
    reply=Content("application/json", (CacheReply,), operation_examples.CACHES),
)
CLEARING = About(
    tag="Operation",
    summary="Clear kept answers",
    description=(
        "Takes kept answers away, all or those with a tag; what is being read meanwhile is not kept either. "
        "Answers are right without it: their keys change with what they are read from."
    ),
    body=(Content("application/json", (ClearAsked,), operation_examples.CACHE_CLEARS),),
    reply=Content("application/json", (ClearedReply,), operation_examples.CACHES_CLEARED),
    errors=(*OF_BODIES, InvalidRequest, errors.StorageError, errors.StorageFull),
)
