"""What the demonstration loads, by the way of everybody's events: flights of 2013, and a made-up site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aforo.assembly.order import LoadOrder
from aforo.assembly.simulating import NOW, Simulation, simulation
from aforo.clock import Clock
from aforo.events.readers import Chunk
from aforo.packs.flights import source
from aforo.settings import Settings

SITE = "web"
ORDER = LoadOrder(path=Path(source.PACKAGE), stream=source.STREAM, tenant=source.TENANT)


def chunks() -> Iterator[Chunk]:
    """All departures, 50,000 at a time."""
    return source.chunks()


def site(settings: Settings, clock: Clock) -> Simulation | None:
    """Three months of a small site, up to now; None where the pack of sites is not there."""
    if SITE not in settings.packs:
        return None
    return simulation(SITE, settings, clock, tenant=None, to=NOW, days=90, rate=300, seed=7)
