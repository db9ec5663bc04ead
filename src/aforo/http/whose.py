"""Whose metrics, datasets and runs a request is about, and what it names of them."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from aforo.errors import Fault, InvalidRequest, NotFound
from aforo.http.caller import Caller, caller_of
from aforo.http.door import Answer
from aforo.http.hands import Hands
from aforo.http.reply import json_reply

DEFAULT = "default"
TENANT = "tenant"
MOST_CHARACTERS, MOST_OF_A_NAME = 128, 300
OF_ONE = f"Whose it is; the key's only tenant where it is bound to one, else {DEFAULT!r}"
OF_A_LIST = "Only this tenant's; all that the key may see where it is left out"


def tenant_of(request: Request) -> str:
    """The tenant in which a code is looked up. Raises InvalidRequest, NotYourTenant."""
    caller, named = caller_of(request), request.query_params.get(TENANT)
    if named is not None:
        return _owned(caller, named)
    if caller.tenants is None:
        return DEFAULT
    if caller.only_tenant is None:
        raise InvalidRequest(
            "tenant: the key is bound to several, and none was named",
            hint=f"for example ?tenant={min(caller.tenants)}",
            faults=[Fault(TENANT, "missing_parameter", "tenant is wanted")],
        )
    return caller.only_tenant


def tenants_of(request: Request) -> frozenset[str] | None:
    """The tenants that a list is of; None: all there are. Raises InvalidRequest, NotYourTenant."""
    caller, named = caller_of(request), request.query_params.get(TENANT)
    return caller.tenants if named is None else frozenset({_owned(caller, named)})


def named(request: Request, part: str, kind: str) -> str:
    """What the address names; NotFound for what can be no name, such as one that no database keeps."""
    text: str = request.path_params[part]
    if not text.isprintable() or not 1 <= len(text) <= MOST_OF_A_NAME:
        raise NotFound(f"there is no {kind} named {text[:100]!r}")
    return text


def by(hands: Hands, work: Callable[[Request], object], status: int = 200) -> Answer:
    """Answers with what the work of another thread makes of a request without a body."""

    async def answer(request: Request) -> Response:
        return json_reply(await hands.do(lambda: work(request)), status)

    return answer


def _owned(caller: Caller, tenant: str) -> str:
    caller.require(tenant)
    if not 1 <= len(tenant) <= MOST_CHARACTERS or not tenant.isprintable():
        told = f"wanted 1 to {MOST_CHARACTERS} printable characters"
        raise InvalidRequest(f"tenant: {told}", faults=[Fault(TENANT, "wrong_value", told)])
    return tenant
