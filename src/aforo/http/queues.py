"""`/queues`: messages of runs on their way, those that were given up, and that these are tried again."""

from __future__ import annotations

from starlette.requests import Request

from aforo import errors
from aforo.errors import InvalidRequest, NotFound
from aforo.http import paging, run_examples, whose
from aforo.http.about import About, Content
from aforo.http.caller import KeyScope, actor_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape
from aforo.runs.dead import OUTBOX, DeadMessages
from aforo.store.act import Actor

MOST_OF_A_BODY = 2_000  # characters


class QueueReply(Shape, frozen=True):
    """How many messages of a queue wait, are in somebody's hand, and are buried; of a cloud's, about."""

    name: str
    waiting: int
    in_hand: int
    buried: int


class QueueList(Shape, frozen=True):
    """All queues; `outbox` is where requests wait until the first of them has them."""

    queues: tuple[QueueReply, ...]


class BuriedReply(Shape, frozen=True):
    """A message that is not given out any more, and why; a long body is cut."""

    reason: str
    body: str


class BuriedList(Shape, frozen=True):
    """Some of a queue's buried messages."""

    name: str
    buried: tuple[BuriedReply, ...]


class RedrivenReply(Shape, frozen=True):
    """How many messages are tried again."""

    name: str
    redriven: int


def doors(dead: DeadMessages, hands: Hands) -> list[Door]:
    """The ways to queues; they carry messages of all tenants."""

    def listing(_request: Request) -> QueueList:
        return listed(dead)

    def buried(request: Request) -> BuriedList:
        return some_buried(dead, _name(request))

    def redrive(request: Request) -> RedrivenReply:
        most = paging.wanted(request).limit
        return redriven(dead, _name(request), most, actor_of(request))

    return [
        Door(
            "GET", "/queues", "listQueues", whose.by(hands, listing), LISTING,
            scope=KeyScope.OPERATE, across_tenants=True,
        ),
        Door(
            "GET", "/queues/{name}/buried", "buried", whose.by(hands, buried), BURIED,
            scope=KeyScope.OPERATE, across_tenants=True,
        ),
        Door(
            "POST", "/queues/{name}/redrive", "redrive", whose.by(hands, redrive), REDRIVING, (paging.LIMIT,),
            scope=KeyScope.OPERATE, across_tenants=True,
        ),
    ]  # fmt: skip


def listed(dead: DeadMessages) -> QueueList:
    """All queues. Raises BusUnavailable."""
    return QueueList(
        queues=tuple(
            QueueReply(name, depth.waiting, depth.in_hand, depth.buried)
            for name, depth in dead.depths().items()
        )
    )


def some_buried(dead: DeadMessages, name: str) -> BuriedList:
    """Some buried messages of a queue. Raises NotFound, BusUnavailable."""
    return BuriedList(
        name=name,
        buried=tuple(
            BuriedReply(each.reason, each.body.decode("utf-8", "replace")[:MOST_OF_A_BODY])
            for each in dead.buried(name)
        ),
    )


def redriven(dead: DeadMessages, name: str, most: int, actor: Actor) -> RedrivenReply:
    """Has buried messages of a queue tried again. Raises NotFound, BusUnavailable."""
    return RedrivenReply(name=name, redriven=dead.redrive(name, most, actor))


def _name(request: Request) -> str:
    return whose.named(request, "name", "queue")


_ERRORS = (errors.NotYourTenant, errors.BusUnavailable, errors.StorageError)
_NAME = {"name": f"Name of the queue, or {OUTBOX}"}
LISTING = About(
    tag="Runs",
    summary="List the queues",
    description="How many messages wait, are being worked on, and are buried in each queue of runs.",
    reply=Content("application/json", (QueueList,), run_examples.QUEUE_LISTS),
    errors=_ERRORS,
)
BURIED = About(
    tag="Runs",
    summary="Look at buried messages",
    description="Up to ten messages that were given up, and why. They stay where they are.",
    path=_NAME,
    reply=Content("application/json", (BuriedList,), run_examples.BURIED_LISTS),
    errors=(*_ERRORS, NotFound),
)
REDRIVING = About(
    tag="Runs",
    summary="Try buried messages again",
    description="Has the oldest buried messages of a queue given out again, as if for the first time.",
    path=_NAME,
    query={paging.LIMIT: paging.TOLD[paging.LIMIT].replace("entries in the reply", "messages")},
    reply=Content("application/json", (RedrivenReply,), run_examples.REDRIVEN),
    errors=(*_ERRORS, InvalidRequest, NotFound, errors.StorageFull),
)
