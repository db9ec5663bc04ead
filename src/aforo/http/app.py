"""The app: every route and every middleware, as plain lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware

from aforo import __version__
from aforo.clock import Clock
from aforo.engines.engine import Engine
from aforo.events.intake import Intake
from aforo.events.segment import Switch
from aforo.http import (
    audit,
    backfills,
    cache,
    compact,
    datasets,
    definitions,
    doctor,
    drift,
    erasures,
    events,
    explain,
    explained_query,
    fold,
    funnel,
    health,
    keys,
    models,
    openapi,
    problems,
    project_events,
    project_metrics,
    query,
    queues,
    reference,
    refusals,
    retention,
    run_metrics,
    runs,
    seen,
    segment,
    series,
    summary,
)
from aforo.http.access.cors import Cors
from aforo.http.access.guard import Guard
from aforo.http.access.hosts import Hosts
from aforo.http.access.ring import KeyRing
from aforo.http.door import Door, route
from aforo.http.hands import Hands
from aforo.http.holding import Holding
from aforo.http.lingering import Lingering
from aforo.http.measuring import Measuring
from aforo.http.patience import Patience
from aforo.http.readings import Readings
from aforo.http.straight import Straight
from aforo.model.model import Model
from aforo.questions.ask import Desk
from aforo.questions.cache import Cache
from aforo.rollups.backfiller import Backfiller
from aforo.rollups.compaction import Compaction
from aforo.rollups.drift import DriftCheck
from aforo.rollups.erasure import Eraser
from aforo.rollups.folder import Folder
from aforo.rollups.lag import FoldLag
from aforo.rollups.periods import PeriodKeeper
from aforo.runs.measured import MeasuredSeries
from aforo.runs.reactive import Reactive
from aforo.settings import Settings
from aforo.store.audit import Audit
from aforo.store.connect import Store
from aforo.telemetry import Telemetry


@dataclass(frozen=True)
class Rooms:
    """What the app stands on; whoever builds these starts and stops them."""

    settings: Settings
    clock: Clock
    telemetry: Telemetry
    model: Model
    engine: Engine
    store: Store
    intake: Intake
    folder: Folder
    lag: FoldLag
    periods: PeriodKeeper
    drift: DriftCheck
    compaction: Compaction
    desk: Desk
    cache: Cache
    ring: KeyRing
    audit: Audit
    backfiller: Backfiller
    eraser: Eraser
    reactive: Reactive


@dataclass(frozen=True, slots=True)
class Crew:
    """Threads by what they do, so that long questions hold up neither events nor probes."""

    taking: Hands
    asking: Hands
    running: Hands
    operating: Hands
    admitting: Hands
    probing: Hands
    calling: Hands

    @classmethod
    def of(cls, workers: int) -> Crew:
        return cls(
            Hands("take", workers),
            Hands("ask", workers),
            Hands("run", workers),
            Hands("operate", 2),
            Hands("admit", 2),
            Hands("probe", 1),
            Hands("call", 1),
        )

    def stop(self) -> None:
        pools = (self.taking, self.asking, self.running, self.operating)
        for hands in (*pools, self.admitting, self.probing, self.calling):
            hands.stop()


def create_app(rooms: Rooms, token: str) -> Starlette:
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
    pages = reference.pages(lambda: openapi.document(doors, __version__))
    app = Starlette(
        middleware=[
            Middleware(Measuring, telemetry=rooms.telemetry, clock=rooms.clock),
            Middleware(Lingering),
            Middleware(Holding, most_bytes=rooms.settings.http.max_held_bytes),
            Middleware(Patience, most_seconds=rooms.settings.http.body_seconds),
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
    )
    app.router = Straight([route(door, guard) for door in (*doors, *pages)], _lifespan(crew))
    return app


def doors_of(rooms: Rooms, crew: Crew) -> list[Door]:
    """Every route of the API, in the order of the reference."""
    limits, readings = rooms.settings.http, Readings(crew.asking, rooms.telemetry)
    probe = health.Probe(rooms.engine, rooms.intake, rooms.store, crew.probing, crew.calling)
    return [
        events.taking(rooms.intake, crew.taking, limits),
        project_events.taking(rooms.intake, rooms.model, crew.taking, limits),
        *segment.doors(rooms.intake, Switch(rooms.model), crew.taking, limits),
        refusals.reporting(rooms.intake, rooms.model, crew.taking, limits),
        *query.doors(rooms.desk, readings, limits),
        explained_query.explaining(rooms.desk, readings, limits),
        retention.retaining(rooms.desk, readings, limits),
        funnel.funnelling(rooms.desk, readings, limits),
        seen.seeing(rooms.engine, rooms.model, readings),
        summary.summing_up(rooms.desk, readings, rooms.settings.web),
        project_metrics.telling(rooms.desk, rooms.lag, readings),
        models.listing(rooms.model),
        models.definition(rooms.model),
        explain.explaining(rooms.desk, crew.asking),
        *_of_runs(rooms, crew.running),
        fold.folding(rooms.folder, rooms.periods, crew.operating, rooms.clock, rooms.audit),
        compact.compacting(rooms.compaction, crew.operating, rooms.audit),
        refusals.listing(rooms.engine, rooms.model, crew.operating),
        *drift.doors(rooms.drift, crew.operating, rooms.audit, rooms.settings.drift),
        doctor.examining(rooms.engine, rooms.store, rooms.model, rooms.lag, crew.operating),
        *cache.doors(rooms.cache, crew.operating, rooms.audit),
        *backfills.doors(rooms.backfiller, crew.operating),
        *erasures.doors(rooms.eraser, crew.operating),
        keys.listing(rooms.ring, crew.operating, rooms.clock),
        keys.creating(rooms.ring, crew.operating, rooms.clock),
        keys.revoking(rooms.ring, crew.operating, rooms.clock),
        audit.auditing(rooms.audit, crew.operating),
        health.living(probe, rooms.engine, rooms.clock),
        health.ready(probe),
        health.metering(rooms.telemetry),
    ]


def _of_runs(rooms: Rooms, hands: Hands) -> list[Door]:
    """The ways to metrics over datasets, and to what computes them."""
    reactive, measured = rooms.reactive, MeasuredSeries(rooms.desk, rooms.engine.extent, rooms.engine.zone)
    return [
        definitions.defining(reactive, hands, rooms.settings.http.max_body_bytes),
        *series.doors(reactive.store, measured, hands),
        *datasets.doors(reactive, hands),
        *run_metrics.doors(reactive, hands),
        *runs.doors(reactive, hands),
        *queues.doors(reactive.dead, hands),
    ]


def _lifespan(crew: Crew) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def living(_app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            crew.stop()

    return living
