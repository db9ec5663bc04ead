"""`GET /health`, `GET /ready` and `GET /internal/metrics`: how the server itself is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import Response

from aforo import __version__, errors
from aforo.clock import Clock
from aforo.engines.engine import Engine
from aforo.errors import AforoError, StorageError
from aforo.events.intake import Intake
from aforo.http import operation_examples
from aforo.http.about import About, Content
from aforo.http.caller import KeyScope
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import HEADERS, Shape, json_reply
from aforo.store.connect import Store
from aforo.telemetry import EXPOSITION_TYPE, Telemetry

PROBE_SECONDS = 2.0


class Status(StrEnum):
    """How a part is."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class ComponentReply(Shape, frozen=True):
    """One part of the server; `detail` says what keeps it from working."""

    status: Status
    detail: str


class HealthReply(Shape, frozen=True):
    """The server is alive; `status` is unhealthy where one of its parts is."""

    status: Status
    version: str
    engine: str
    uptime_seconds: float
    components: dict[str, ComponentReply]


class ReadyReply(Shape, frozen=True):
    """The server takes events and answers questions."""

    ready: bool


class Probe:
    """Asks the parts whether they work: engine and store by a read, the intake if it would take a row."""

    def __init__(self, engine: Engine, intake: Intake, store: Store, near: Hands, far: Hands) -> None:
        self._checks: dict[str, tuple[Hands, Callable[[], object]]] = {
            "engine": (near, engine.dirty_slots),
            "intake": (near, intake.check),
            # One that is away over a network keeps a thread waiting, and must not hold up the others.
            "store": (far, store.version),
        }

    async def failures(self) -> dict[str, AforoError | None]:
        """What is wrong with each part, if anything is."""
        return {name: await self._failure(name, *check) for name, check in self._checks.items()}

    async def _failure(self, name: str, hands: Hands, check: Callable[[], object]) -> AforoError | None:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await hands.do(check)
        except AforoError as error:
            return error
        except TimeoutError:
            return StorageError(f"the {name} has not answered for {PROBE_SECONDS:g} seconds")
        return None


def living(probe: Probe, engine: Engine, clock: Clock) -> Door:
    """The way to learn that the process is alive, and how its parts are."""
    begun = clock.monotonic()

    async def answer(_request: Request) -> Response:
        failures = await probe.failures()
        components = {
            name: ComponentReply(status=_status(error is None), detail="" if error is None else error.detail)
            for name, error in failures.items()
        }
        return json_reply(
            HealthReply(
                status=_status(not any(failures.values())),
                version=__version__,
                engine=engine.name,
                uptime_seconds=round(clock.monotonic() - begun, 3),
                components=components,
            )
        )

    return Door("GET", "/health", "getHealth", answer, HEALTH, scope=None)


def ready(probe: Probe) -> Door:
    """The way to learn whether to send anything here."""

    async def answer(_request: Request) -> Response:
        for error in (await probe.failures()).values():
            if error is not None:
                raise error
        return json_reply(ReadyReply(ready=True))

    return Door("GET", "/ready", "getReady", answer, READY, scope=None)


def metering(telemetry: Telemetry) -> Door:
    """The way to the server's own metrics."""

    async def answer(_request: Request) -> Response:
        return Response(telemetry.exposition(), headers={**HEADERS, "Content-Type": EXPOSITION_TYPE})

    return Door(
        "GET", "/internal/metrics", "getOwnMetrics", answer, METRICS, scope=KeyScope.READ, across_tenants=True
    )


def _status(well: bool) -> Status:
    return Status.HEALTHY if well else Status.UNHEALTHY


HEALTH = About(
    tag="Operation",
    summary="Is it alive?",
    description="Replies with 200 for as long as the process lives, and tells how its parts are.",
    reply=Content("application/json", (HealthReply,), operation_examples.HEALTH),
)
READY = About(
    tag="Operation",
    summary="Does it take and answer?",
    description="Replies with 200 where events would be taken and questions answered, else says why not.",
    reply=Content("application/json", (ReadyReply,), operation_examples.READY),
    errors=(errors.IntakeFull, errors.Stopping, errors.StorageError),
)
METRICS = About(
    tag="Operation",
    summary="The server's own metrics",
    description="Counters, gauges and histograms of the server itself, in the text form of Prometheus.",
    reply=Content("text/plain", (), operation_examples.METRICS),
)
