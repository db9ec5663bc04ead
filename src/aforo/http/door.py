"""A route: what it answers to, who answers, and what the reference says of it, in one value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeAlias

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aforo.errors import Fault, UnknownName, suggestion
from aforo.http.about import About
from aforo.http.access.bearing import HEADERS, OF_ADMINS, WRITE_KEY, Place
from aforo.http.access.guard import Guard, Lock
from aforo.http.caller import KeyScope
from aforo.http.problems import FLAGGED

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]
MOST_TOLD = 20
MOST_SHOWN = 100  # characters
MOST_REMEMBERED, MOST_REMEMBERED_BYTES = 64, 1_000
"""Query strings of one route whose names are known to be right: who asks often asks the same."""


@dataclass(frozen=True, slots=True)
class Door:
    """One route, and the scope that opens it: None where it is open to everybody.

    What is told `across_tenants` is not for keys that are bound to some. `places` are where a key may stand;
    the header is always one. With `flagged` its problems say `ok` and `error` too. Without `about` it is not
    in the reference.
    """

    method: str
    path: str
    name: str
    answer: Answer
    about: About | None = None
    parameters: tuple[str, ...] = ()  # of the query string
    scope: KeyScope | None = field(kw_only=True)
    across_tenants: bool = field(default=False, kw_only=True)
    places: frozenset[Place] = field(default=HEADERS, kw_only=True)
    flagged: bool = field(default=False, kw_only=True)

    @property
    def shown_path(self) -> str:
        """The path as the reference has it: a name in it may hold strokes, and is a name as any other."""
        return self.path.replace(":path}", "}")

    @property
    def lock(self) -> Lock | None:
        """What the guard holds a request to."""
        if self.scope is None:
            return None
        lock = Lock(self.scope, self.across_tenants, self.places)
        return replace(lock, places=self.places | OF_ADMINS) if lock.is_admin else lock


def route(door: Door, guard: Guard) -> Route:
    """The door as the framework has it."""

    lock = door.lock
    parameters = (*door.parameters, *((WRITE_KEY,) if Place.QUERY in door.places else ()))
    unknown_in = lru_cache(MOST_REMEMBERED)(lambda query: unknown_names(query, parameters))

    def refuse(request: Request) -> None:
        query: bytes = request.scope["query_string"]
        found = unknown_in if len(query) <= MOST_REMEMBERED_BYTES else unknown_in.__wrapped__
        refuse_unknown(request, found(query), parameters)

    async def answer(request: Request) -> Response:
        setattr(request.state, FLAGGED, door.flagged)
        if lock is None:
            refuse(request)
            return await door.answer(request)
        admission = await guard.admit(request, lock)
        caller = admission.caller
        refuse(request)
        with guard.turns.taken(caller.key_id if door.scope is KeyScope.READ else None) as turn:
            request.state.caller = caller.with_turn(turn)
            response = await door.answer(request)
        if admission.headers:
            response.headers.update(admission.headers)
        return response

    return Route(door.path, answer, methods=[door.method], name=door.name)


def unknown_names(query: bytes, known: tuple[str, ...]) -> tuple[str, ...]:
    """The first names of parameters that are not known, each cut to what is shown of it."""
    named = QueryParams(query.decode("latin-1")) if query else ()
    return tuple(name[:MOST_SHOWN] for name in named if name not in known)[:MOST_TOLD]


def refuse_unknown(request: Request, unknown: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Raises UnknownName for parameters of the query string that the route does not know."""
    if not unknown:
        return
    faults = [Fault(name, "unknown_name", f"there is no parameter named {name!r}") for name in unknown]
    hint = suggestion(unknown[0], known) if known else f"{request.url.path} takes no parameters"
    raise UnknownName("; ".join(fault.message for fault in faults), hint=hint, faults=faults)
