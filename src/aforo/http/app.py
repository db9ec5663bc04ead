"""The app: every route and every middleware, as plain lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from aforo import __version__
from aforo.clock import Clock
from aforo.engines.engine import Engine
from aforo.events.intake import Intake
from aforo.http import doctor, events, fold, health, models, openapi, problems, query, reference, refusals
from aforo.http.access import Hosts, Token
from aforo.http.door import Door, route
from aforo.http.hands import Hands
from aforo.http.lingering import Lingering
from aforo.http.measuring import Measuring
from aforo.model.model import Model
from aforo.questions.ask import Desk
from aforo.rollups.folder import Folder
from aforo.settings import Settings
from aforo.telemetry import Telemetry


@dataclass(frozen=True)
class Rooms:
    """What the app stands on; whoever builds these starts and stops them."""

    settings: Settings
    clock: Clock
    telemetry: Telemetry
    model: Model
    engine: Engine
    intake: Intake
    folder: Folder
    desk: Desk


@dataclass(frozen=True, slots=True)
class Crew:
    """Threads by what they do, so that long questions hold up neither events nor probes."""

    taking: Hands
    asking: Hands
    operating: Hands
    probing: Hands

    @classmethod
    def of(cls, workers: int) -> Crew:
        return cls(Hands("take", workers), Hands("ask", workers), Hands("operate", 2), Hands("probe", 1))

    def stop(self) -> None:
        for hands in (self.taking, self.asking, self.operating, self.probing):
            hands.stop()


class Api(FastAPI):
    """FastAPI whose reference is what the doors tell, not what signatures look like."""

    def __init__(self, document: dict[str, Any], **parts: Any) -> None:
        super().__init__(openapi_url=None, docs_url=None, redoc_url=None, **parts)
        self._document = document

    def openapi(self) -> dict[str, Any]:
        return self._document


def create_app(rooms: Rooms, token: str) -> FastAPI:
    """The app over running parts; `token` opens the routes of the operator."""
    crew = Crew.of(rooms.settings.http.workers)
    doors = doors_of(rooms, crew, Token(token))
    document = openapi.document(doors, __version__)
    return Api(
        document,
        title="Aforo",
        version=__version__,
        routes=[route(door) for door in (*doors, *reference.pages(document))],
        middleware=[
            Middleware(Measuring, telemetry=rooms.telemetry, clock=rooms.clock),
            Middleware(Lingering),
            Middleware(problems.Unexpected),
            Middleware(Hosts, bound_to=rooms.settings.http.host),
        ],
        exception_handlers=dict(problems.HANDLERS),
        redirect_slashes=False,
        lifespan=_lifespan(crew),
    )


def doors_of(rooms: Rooms, crew: Crew, token: Token) -> list[Door]:
    """Every route of the API, in the order of the reference."""
    limits = rooms.settings.http
    probe = health.Probe(rooms.engine, rooms.intake, crew.probing)
    return [
        events.taking(rooms.intake, crew.taking, limits),
        refusals.reporting(rooms.intake, rooms.model, crew.taking, limits),
        query.asking(rooms.desk, crew.asking, limits),
        models.listing(rooms.model),
        models.definition(rooms.model),
        fold.folding(rooms.folder, crew.operating, rooms.clock, token),
        refusals.listing(rooms.engine, rooms.model, crew.operating, token),
        doctor.examining(rooms.engine, rooms.model, crew.operating, token),
        health.living(probe, rooms.engine, rooms.clock),
        health.ready(probe),
        health.metering(rooms.telemetry),
    ]


def _lifespan(crew: Crew) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            crew.stop()

    return living
