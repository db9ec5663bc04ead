"""`POST /v1/fold`: folds all that waits, for the command line."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.clock import Clock
from aforo.engines.folds import Folded
from aforo.errors import Stopping, UnknownName
from aforo.http import body, operation_examples
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.caller import KeyScope, actor_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape, json_reply
from aforo.rollups.folder import Folder
from aforo.rollups.periods import PeriodKeeper
from aforo.store.act import Action, Actor
from aforo.store.audit import Audit

MAX_BODY_BYTES = 1_024


class NoParameters(msgspec.Struct, forbid_unknown_fields=True):
    """An object with nothing in it: there is nothing to choose yet."""


class FoldReply(Shape, frozen=True):
    """How many slots were made true again, and how long that took."""

    slots: int
    took_ms: float


def folding(folder: Folder, periods: PeriodKeeper, hands: Hands, clock: Clock, audit: Audit) -> Door:
    """The way to have everything folded now."""

    def unless_stopping(_folded: Folded) -> None:
        if hands.stopping:
            raise Stopping(
                "the server is stopping", hint="what is not folded yet is folded at its next start"
            )

    def work(actor: Actor) -> Response:
        # First, so that what cannot be written down is not done.
        audit.record(Action.FOLD_FORCED, actor, "rollups")
        begun = clock.monotonic()
        slots = folder.run_until_clean(unless_stopping)
        periods.run_until_kept()
        return json_reply(FoldReply(slots=slots, took_ms=round((clock.monotonic() - begun) * 1000, 3)))

    async def answer(request: Request) -> Response:
        await refuse_parameters(request, "a fold takes none")
        actor = actor_of(request)
        return await hands.do(lambda: work(actor))

    return Door("POST", "/v1/fold", "foldNow", answer, ABOUT, scope=KeyScope.OPERATE, across_tenants=True)


async def refuse_parameters(request: Request, hint: str) -> None:
    """An empty body will do, and so will an empty object."""
    if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        return
    came = await body.receive(request, MAX_BODY_BYTES)
    given = body.as_object(body.decoded(came.plain()))
    if given:
        raise UnknownName(f"there is no parameter named {next(iter(given))!r}", hint=hint)


ABOUT = About(
    tag="Operation",
    summary="Fold now",
    description="Makes the rollups of every slot that waits for it true again, and replies once none waits.",
    body=(Content("application/json", (NoParameters,), operation_examples.NO_PARAMETERS),),
    body_optional=True,
    reply=Content("application/json", (FoldReply,), operation_examples.FOLDS),
    errors=(
        *OF_BODIES,
        errors.Stopping,
        errors.StorageError,
        errors.StorageFull,
    ),
)
