"""The reactive side of a process: over its store, its bus, and the rollups that it folds."""

from __future__ import annotations

import random
from functools import partial

from aforo.assembly.build import Aforo
from aforo.buses.bus import Bus, Queue
from aforo.buses.consumer import MOST_AT_ONCE, Consumer, Handle
from aforo.buses.opening import bus_of
from aforo.clock import Clock
from aforo.engines.engine import Engine
from aforo.objects.opening import Opener
from aforo.runs.definitions import Grounds
from aforo.runs.folded import Fold
from aforo.runs.measured import MeasuredSeries
from aforo.runs.reactive import Reactive
from aforo.runs.worker.answers import Topics
from aforo.runs.worker.gathering import AsksRollup
from aforo.runs.worker.whereabouts import StoredWhereabouts
from aforo.runs.worker.worker import Worker
from aforo.settings import Settings
from aforo.store.channel import Channel
from aforo.store.connect import Store
from aforo.telemetry import Telemetry


def reactive(aforo: Aforo, store: Store) -> Reactive:
    """The reactive side of a process that holds the data directory. Raises InvalidSettings."""
    settings, clock = aforo.settings, aforo.clock
    return Reactive(
        store,
        bus_of(settings, store, clock),
        clock,
        aforo.telemetry,
        settings.runs,
        grounds=_grounds(aforo),
        fold_of=partial(_fold_of, aforo.engine),
        consume=partial(consumer_of, settings, clock, aforo.telemetry),
        dice=random.Random(),  # noqa: S311 - how long a lost run rests is no secret
    )


def worker(aforo: Aforo, store: Store, bus: Bus) -> Worker:
    """The worker beside the server, which asks the rollups of its own process."""
    measured = MeasuredSeries(aforo.desk, aforo.engine.extent, aforo.engine.zone)
    return worker_over(store, bus, measured, aforo.settings, aforo.clock, aforo.telemetry)


def worker_over(
    store: Store, bus: Bus, measured: AsksRollup, settings: Settings, clock: Clock, telemetry: Telemetry
) -> Worker:
    """A worker that takes requests from a bus, and knows from a store where files may lie."""
    # What waits behind a run in one hand is better computed by another's.
    consume = partial(consumer_of, settings, clock, telemetry, most_at_once=1)
    return Worker(
        partial(consume, bus.queue(Channel.METRIC_RUN_REQUESTS)),
        Topics(
            started=bus.topic(Channel.METRIC_RUN_STARTED),
            heartbeats=bus.topic(Channel.METRIC_RUN_HEARTBEATS),
            completed=bus.topic(Channel.METRIC_RUN_COMPLETED),
        ),
        Opener(region=settings.aws.region, endpoint_url=settings.aws.endpoint_url),
        StoredWhereabouts(store),
        measured,
        clock,
        telemetry,
        settings.worker,
    )


def consumer_of(
    settings: Settings,
    clock: Clock,
    telemetry: Telemetry,
    queue: Queue,
    handle: Handle,
    *,
    most_at_once: int = MOST_AT_ONCE,
) -> Consumer:
    wanted = settings.buses
    return Consumer(
        queue,
        handle,
        clock,
        telemetry,
        wait_seconds=wanted.wait_seconds,
        visibility_seconds=wanted.visibility_seconds,
        most_receives=wanted.most_receives,
        most_at_once=most_at_once,
    )


def _grounds(aforo: Aforo) -> Grounds:
    wanted, data = aforo.settings.runs, aforo.settings.data.resolve().as_uri()
    streams: dict[str, list[str]] = {stream: [] for stream in aforo.model.streams}
    for metric in aforo.model.metrics.values():
        streams.setdefault(metric.stream, []).append(metric.name)
    return Grounds(
        roots=wanted.roots or (f"{data}/datasets/{{tenant}}/",),
        results=wanted.results or f"{data}/results/",
        streams=streams,
    )


def _fold_of(engine: Engine, stream: str, tenant: str) -> Fold | None:
    """How far a stream is folded for a tenant, from its first event to its last."""
    extent = engine.extent(stream, tenant)
    if extent is None:
        return None
    standing = engine.standing(stream, tenant, extent)
    complete_until = extent.end if standing.dirty_from is None else standing.dirty_from
    zone = engine.zone(tenant)
    return Fold(standing.revision, complete_until, zone.day_start(zone.date_of(complete_until)))
