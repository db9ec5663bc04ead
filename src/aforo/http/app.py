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
from aforo.http import (
    audit,
    doctor,
    events,
    fold,
    health,
    keys,
    models,
    openapi,
    problems,
    query,
    reference,
)
from aforo.http.access.cors import Cors
from aforo.http.access.guard import Guard
from aforo.http.access.hosts import Hosts
from aforo.http.access.ring import KeyRing
from aforo.http.door import Door, route
from aforo.http.hands import Hands
from aforo.http.lingering import Lingering
from aforo.http.measuring import Measuring
from aforo.model.model import Model
from aforo.questions.ask import Desk
from aforo.rollups.folder import Folder
from aforo.settings import Settings
from aforo.store.audit import Audit
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
    ring: KeyRing
    audit: Audit


@dataclass(frozen=True, slots=True)
class Crew:
    """Threads by what they do, so that long questions hold up neither events nor probes."""

    taking: Hands
    asking: Hands
    operating: Hands
    admitting: Hands
    probing: Hands

    @classmethod
    def of(cls, workers: int) -> Crew:
        return cls(
            Hands("take", workers),
            Hands("ask", workers),
            Hands("operate", 2),
            Hands("admit", 2),
            Hands("probe", 1),
        )

    def stop(self) -> None:
        for hands in (self.taking, self.asking, self.operating, self.admitting, self.probing):
            hands.stop()


class Api(FastAPI):
    """FastAPI whose reference is what the doors tell, not what signatures look like."""

    def __init__(self, document: dict[str, Any], **parts: Any) -> None:
        super().__init__(openapi_url=None, docs_url=None, redoc_url=None, **parts)
        self._document = document

    def openapi(self) -> dict[str, Any]:
        return self._document


def create_app(rooms: Rooms, token: str) -> FastAPI:
    """The app over running parts; `token` opens every route to who may read the data directory."""
    crew, access = Crew.of(rooms.settings.http.workers), rooms.settings.access
    guard = Guard(
        rooms.ring,
        rooms.audit,
        crew.admitting,
        rooms.clock,
        access,
        token=token,
        most_bytes=rooms.settings.http.max_body_bytes,
    )
    doors = doors_of(rooms, crew)
    document = openapi.document(doors, __version__)
    return Api(
        document,
        title="Aforo",
        version=__version__,
        routes=[route(door, guard) for door in (*doors, *reference.pages(document))],
        middleware=[
            Middleware(Measuring, telemetry=rooms.telemetry, clock=rooms.clock),
            Middleware(Lingering),
            Middleware(problems.Unexpected),
            Middleware(Cors, origins=access.cors_origins, public_origins=lambda: rooms.ring.public_origins),
            Middleware(
                Hosts,
                bound_to=rooms.settings.http.host,
                origins=access.cors_origins,
                keyless=lambda: rooms.ring.keyless,
            ),
        ],
        exception_handlers=dict(problems.HANDLERS),
        redirect_slashes=False,
        lifespan=_lifespan(crew),
    )


def doors_of(rooms: Rooms, crew: Crew) -> list[Door]:
    """Every route of the API, in the order of the reference."""
    limits = rooms.settings.http
    probe = health.Probe(rooms.engine, rooms.intake, crew.probing)
    return [
        events.taking(rooms.intake, crew.taking, limits),
        query.asking(rooms.desk, crew.asking, limits),
        models.listing(rooms.model),
        models.definition(rooms.model),
        fold.folding(rooms.folder, crew.operating, rooms.clock, rooms.audit),
        doctor.examining(rooms.engine, rooms.model, crew.operating),
        keys.listing(rooms.ring, crew.operating, rooms.clock),
        keys.creating(rooms.ring, crew.operating, rooms.clock),
        keys.revoking(rooms.ring, crew.operating, rooms.clock),
        audit.auditing(rooms.audit, crew.operating),
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
