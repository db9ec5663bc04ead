"""Questions: of the caller's tenant, within the key's limits, read by a pool and once for all who wait."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.http import body
from aforo.http.about import OF_BODIES, About
from aforo.http.caller import Caller, KeyScope, caller_of
from aforo.http.door import Door
from aforo.http.readings import Readings
from aforo.http.reply import Written


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
    answer: Callable[[T, Caller, int], object],
    *,
    readings: Readings,
    max_body_bytes: int,
) -> Door:
    """The way in for one kind of question, open to whoever may read; `answer` is told how many ask it."""

    def read(came: body.Body, caller: Caller, askers: int) -> Written:
        asked = decode(with_tenant(body.decoded(came.plain()), caller))
        caller.require(asked.tenant)
        return Written.of(answer(asked, caller, askers))

    async def answered(request: Request) -> Response:
        came = await body.receive(request, max_body_bytes)
        return await told(readings, request, lambda caller, askers: read(came, caller, askers), came)

    return Door("POST", path, name, answered, about, scope=KeyScope.READ)


async def told(
    readings: Readings, request: Request, read: Callable[[Caller, int], Written], *more: Hashable
) -> Response:
    """What is read for all who ask this same address with the same key; `more` is what else they ask by."""
    caller = caller_of(request)
    asked = (request.scope["path"], request.scope["query_string"], caller, *more)
    written = await readings.told(asked, lambda askers: read(caller, askers))
    return written.sent()


def with_tenant(question: object, caller: Caller) -> object:
    """A question that names no tenant is of the only one its key is bound to."""
    if caller.only_tenant is None or not isinstance(question, dict) or "tenant" in question:
        return question
    return {**question, "tenant": caller.only_tenant}
