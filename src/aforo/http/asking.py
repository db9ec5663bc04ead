"""Questions that come as a body: of the caller's tenant, within the key's limits, answered by a pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.http import body
from aforo.http.about import OF_BODIES, About
from aforo.http.caller import Caller, KeyScope, caller_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import json_reply


class OfATenant(Protocol):
    """A question, whichever it is."""

    @property
    def tenant(self) -> str: ...


T = TypeVar("T", bound=OfATenant)

ERRORS_OF_ADDRESSES = (
    errors.InvalidRequest,
    errors.NotYourTenant,
    errors.QuestionTooLarge,
    errors.NotServable,
    errors.StorageError,
    errors.TimeLimit,
)
"""What any question in an address may be answered with instead."""

ERRORS = (*ERRORS_OF_ADDRESSES, *OF_BODIES)
"""What any question in a body may be answered with instead."""


def asking(
    path: str,
    name: str,
    about: About,
    decode: Callable[[object], T],
    answer: Callable[[T, Caller], object],
    *,
    hands: Hands,
    max_body_bytes: int,
) -> Door:
    """The way in for one kind of question, open to whoever may read."""

    def work(came: body.Body, caller: Caller) -> Response:
        asked = decode(with_tenant(body.decoded(came.plain()), caller))
        caller.require(asked.tenant)
        return json_reply(answer(asked, caller))

    async def answered(request: Request) -> Response:
        came, caller = await body.receive(request, max_body_bytes), caller_of(request)
        return await hands.do(lambda: work(came, caller))

    return Door("POST", path, name, answered, about, scope=KeyScope.READ)


def with_tenant(question: object, caller: Caller) -> object:
    """A question that names no tenant is of the only one its key is bound to."""
    if caller.only_tenant is None or not isinstance(question, dict) or "tenant" in question:
        return question
    return {**question, "tenant": caller.only_tenant}
