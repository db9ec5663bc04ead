"""A route: what it answers to, who answers, and what the reference says of it, in one value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aforo.errors import Fault, UnknownName, suggestion
from aforo.http.about import About
from aforo.http.access import Token

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]
MOST_TOLD = 20
MOST_SHOWN = 100  # characters


@dataclass(frozen=True, slots=True)
class Door:
    """One route. With a `token` it opens to who shows it; without `about` it is not in the reference."""

    method: str
    path: str
    name: str
    answer: Answer
    about: About | None = None
    token: Token | None = None
    parameters: tuple[str, ...] = ()  # of the query string


def route(door: Door) -> Route:
    """The door as the framework has it."""

    async def answer(request: Request) -> Response:
        if door.token is not None:
            door.token.require(request)
        refuse_unknown(request, door.parameters)
        return await door.answer(request)

    return Route(door.path, answer, methods=[door.method], name=door.name)


def refuse_unknown(request: Request, known: tuple[str, ...]) -> None:
    """Raises UnknownName for parameters of the query string that the route does not know."""
    if not request.scope["query_string"]:
        return
    unknown = [name[:MOST_SHOWN] for name in request.query_params if name not in known][:MOST_TOLD]
    if not unknown:
        return
    faults = [Fault(name, "unknown_name", f"there is no parameter named {name!r}") for name in unknown]
    hint = suggestion(unknown[0], known) if known else f"{request.url.path} takes no parameters"
    raise UnknownName("; ".join(fault.message for fault in faults), hint=hint, faults=faults)
