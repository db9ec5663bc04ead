"""`GET /v1/audit`: who did what, for the admin."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.errors import InvalidRequest
from aforo.http import key_examples, paging
from aforo.http.about import About, Content
from aforo.http.caller import KeyScope
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape, instant, json_reply
from aforo.store.act import Action
from aforo.store.audit import Audit


class ActReply(Shape, frozen=True):
    """One act: who (a key by name and id, or a way in), from which address, to what."""

    id: int
    at: str
    action: Action
    actor: str
    address: str | None
    subject: str
    detail: str


class AuditReply(Shape, frozen=True):
    """Acts, the newest first."""

    acts: tuple[ActReply, ...]
    next_cursor: str | None


def auditing(audit: Audit, hands: Hands) -> Door:
    """The way to the audit."""

    async def answer(request: Request) -> Response:
        page = paging.wanted(request)
        return json_reply(await hands.do(lambda: told(audit, page)))

    return Door(
        "GET", "/v1/audit", "listActs", answer, ABOUT, paging.PARAMETERS,
        scope=KeyScope.ADMIN, across_tenants=True,
    )  # fmt: skip


def told(audit: Audit, page: paging.Wanted) -> AuditReply:
    """One page of the audit. Raises InvalidRequest where the cursor is none of it."""
    before = page.after
    if before is not None and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise InvalidRequest("the cursor is none of this list", hint="give back nextCursor as it came")
    found = audit.page(page.limit + 1, None if before is None else int(before))
    kept = found[: page.limit]
    return AuditReply(
        acts=tuple(
            ActReply(
                id=act.id,
                at=instant(act.at) or "",
                action=act.action,
                actor=act.actor.name,
                address=act.actor.address,
                subject=act.subject,
                detail=act.detail,
            )
            for act in kept
        ),
        next_cursor=paging.cursor_of(str(kept[-1].id)) if len(found) > page.limit else None,
    )


ABOUT = About(
    tag="Access",
    summary="Read the audit",
    description=(
        "What was done with keys, folds that were forced, and, no more than one in a minute and address in "
        "the long run, who was turned away from an admin route. The newest first."
    ),
    query=paging.TOLD,
    reply=Content("application/json", (AuditReply,), key_examples.AUDITS),
    errors=(errors.NotYourTenant, errors.InvalidRequest, errors.StorageError),
)
