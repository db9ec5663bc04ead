"""The reactive side of a process: over its store, its bus, and the rollups that it folds."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

from aforo.assembly.build import Aforo
from aforo.assembly.consuming import consumer_of
from aforo.buses.opening import bus_of
from aforo.clock import Clock
from aforo.model.model import Model
from aforo.objects.opening import Opener
from aforo.runs.defined import Grounds
from aforo.runs.folded import Fold
from aforo.runs.reactive import Reactive
from aforo.settings import Settings
from aforo.store.connect import Store
from aforo.telemetry import Telemetry


def reactive(aforo: Aforo, store: Store) -> Reactive:
    """The reactive side of a process that holds the data directory. Raises InvalidSettings."""
    return reactive_over(
        store, aforo.settings, aforo.model, aforo.clock, aforo.telemetry, partial(_fold_of, aforo)
    )


def reactive_over(
    store: Store,
    settings: Settings,
    model: Model,
    clock: Clock,
    telemetry: Telemetry,
    fold_of: Callable[[str, str], Fold | None],
) -> Reactive:
    """The same over a store alone; `fold_of` is asked only once it is started. Raises InvalidSettings."""
    return Reactive(
        store,
        bus_of(settings, store, clock),
        clock,
        telemetry,
        settings.runs,
        grounds=_grounds(settings, model),
        objects=Opener(region=settings.aws.region, endpoint_url=settings.aws.endpoint_url),
        fold_of=fold_of,
        consume=partial(consumer_of, settings, clock, telemetry),
        dice=random.Random(),  # noqa: S311 - how long a lost run rests is no secret
    )


def _grounds(settings: Settings, model: Model) -> Grounds:
    wanted, data = settings.runs, settings.data.resolve().as_uri()
    streams: dict[str, list[str]] = {stream: [] for stream in model.streams}
    for metric in model.metrics.values():
        streams.setdefault(metric.stream, []).append(metric.name)
    return Grounds(
        roots=wanted.roots or (f"{data}/datasets/{{tenant}}/",),
        results=wanted.results or f"{data}/results/",
        streams=streams,
    )


def _fold_of(aforo: Aforo, stream: str, tenant: str) -> Fold | None:
    """How far a stream is folded for a tenant, from its first event to its last; None where there is none."""
    engine = aforo.engine
    extent = engine.extent(stream, tenant) if stream in aforo.model.streams else None
    if extent is None:
        return None
    standing = engine.standing(stream, tenant, extent)
    complete_until = extent.end if standing.dirty_from is None else standing.dirty_from
    zone = engine.zone(tenant)
    return Fold(standing.revision, complete_until, zone.day_start(zone.date_of(complete_until)))
