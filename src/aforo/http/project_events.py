"""`POST /api/project-metrics`: what happens in the modules of a project, one event a request."""

from __future__ import annotations

from concurrent.futures import Future

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.errors import InvalidRequest, NotJson
from aforo.events.intake import Intake
from aforo.events.receipt import Receipt
from aforo.events.refusals import RefusalCode
from aforo.http import body, project_examples
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.body import Body
from aforo.http.caller import Caller, KeyScope, caller_of
from aforo.http.door import Door
from aforo.http.events import AT_ONCE_BYTES
from aforo.http.hands import Hands
from aforo.http.reply import Shape, json_reply
from aforo.model.model import Model
from aforo.packs.projects import PACK, STREAM
from aforo.packs.projects.brought import Brought, brought, fault_of
from aforo.packs.together import require_pack
from aforo.settings import Http

PATH = "/api/project-metrics"


class ProjectPayload(msgspec.Struct, kw_only=True, rename="camel"):
    """What the event tells, in any names; all of it is kept. `timestamp` is when it was, else its arrival."""

    timestamp: str | msgspec.UnsetType = msgspec.UNSET
    category_id: str | msgspec.UnsetType = msgspec.UNSET
    percentage: float | msgspec.UnsetType = msgspec.UNSET


class ProjectMeta(msgspec.Struct, kw_only=True):
    """What sent the event."""

    source: str | msgspec.UnsetType = msgspec.UNSET
    version: str | msgspec.UnsetType = msgspec.UNSET


class ProjectEvent(msgspec.Struct, kw_only=True, rename="camel"):
    """Something that happened in a module of a project. `eventId` names it once and for all."""

    wedding_id: str
    module: str
    event: str
    payload: ProjectPayload | msgspec.UnsetType = msgspec.UNSET
    meta: ProjectMeta | msgspec.UnsetType = msgspec.UNSET
    event_id: str | msgspec.UnsetType = msgspec.UNSET


class ProjectEventTaken(Shape, frozen=True):
    """The event is durable. Whoever sends it again under the same `eventId` adds nothing."""

    accepted: bool
    event_id: str


def taking(intake: Intake, model: Model, hands: Hands, limits: Http) -> Door:
    """The way in for events of projects."""

    async def answer(request: Request) -> Response:
        require_pack(model, PACK, (STREAM,))
        came = await body.receive(request, limits.max_body_bytes)
        caller = caller_of(request)
        if came.gzipped or len(came.content) > AT_ONCE_BYTES:
            event, kept = await hands.do(lambda: _take(came, intake, caller))
        else:
            event, kept = _take(came, intake, caller)
        # Who leaves does not take back what is being committed: the wait ends, the commit goes on.
        return json_reply(_taken(event, await hands.until(kept), caller), 202)

    return Door("POST", PATH, "takeProjectEvent", answer, ABOUT, scope=KeyScope.INGEST)


def _take(came: Body, intake: Intake, caller: Caller) -> tuple[Brought, Future[Receipt]]:
    content = came.plain()
    try:
        event = brought(body.as_object(body.decoded(content)))
    except RecursionError as error:
        raise NotJson("the body's values stand too deep within one another") from error
    kept = intake.take([event.event], tenant=caller.only_tenant, owns=caller.tenants, size=len(content))
    return event, kept


def _taken(event: Brought, receipt: Receipt, caller: Caller) -> ProjectEventTaken:
    """The reply. Raises NotYourTenant and InvalidRequest where the event was refused."""
    for refusal in receipt.refused:
        if refusal.code is RefusalCode.NOT_YOUR_TENANT:
            caller.require(str(event.event["tenant"]))
        faults = event.faults or (fault_of(refusal),)
        raise InvalidRequest(
            f"the event was not taken: {'; '.join(fault.message for fault in faults[:3])}",
            hint=_SHAPE,
            faults=faults,
        )
    return ProjectEventTaken(accepted=True, event_id=event.id or receipt.ids[0][1])


_SHAPE = 'send {"weddingId": ..., "module": ..., "event": ..., "payload": {"timestamp": ...}}'

ABOUT = About(
    tag="Events",
    summary="Take an event of a project",
    description=(
        "Takes something that happened in a module of a project, of the pack `projects`; the reply is given "
        "once it is durable. `payload.timestamp` is when it was, else it takes its arrival's. An event that "
        "is sent again counts once: by `eventId` and time; by its whole content and time where it has no "
        "`eventId`; by its content within ten minutes where it has no time either. What is refused is told "
        "as a problem, and counted."
    ),
    body=(Content("application/json", (ProjectEvent,), project_examples.EVENTS),),
    status=202,
    reply=Content("application/json", (ProjectEventTaken,), project_examples.TAKEN),
    errors=(
        errors.InvalidRequest,
        errors.NotYourTenant,
        errors.NotServable,
        *OF_BODIES,
        errors.Stopping,
        errors.StorageError,
        errors.StorageFull,
    ),
)
