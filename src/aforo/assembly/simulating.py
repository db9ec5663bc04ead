"""Data that is made up on its way in: whose it is, up to when, and how its zone is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from aforo.assembly.build import DEFAULT_TENANT, load_model
from aforo.assembly.order import LoadOrder
from aforo.clock import Clock
from aforo.errors import UnknownName
from aforo.events.readers import Chunk
from aforo.packs.simulating import Simulator, Wish
from aforo.packs.simulators import simulator
from aforo.settings import Settings
from aforo.windows import Zone, parse_date, window_of_dates

NOW = "now"


@dataclass(frozen=True, slots=True)
class Simulation:
    """A wish with what fulfils it."""

    pack: str
    simulator: Simulator
    wish: Wish

    @property
    def order(self) -> LoadOrder:
        """As what its events are loaded."""
        return LoadOrder(path=Path(f"simulated {self.pack}"), tenant=self.wish.tenant)

    def chunks(self) -> Iterator[Chunk]:
        """The events, some at a time."""
        return self.simulator.make(self.wish)


def simulation(
    pack: str,
    settings: Settings,
    clock: Clock,
    *,
    tenant: str | None,
    to: str,
    days: int,
    rate: int,
    seed: int,
) -> Simulation:
    """A pack's data up to now, or to the end of a date if that is earlier.

    Raises InvalidRequest, and UnknownName for a pack whose data cannot be made up or that is not there.
    """
    found = simulator(pack)
    if pack not in settings.packs:
        raise UnknownName(
            f"the pack {pack} is not among the packs",
            hint=f"set AFORO_PACKS={','.join((*settings.packs, pack))}, or packs in aforo.toml",
        )
    name = tenant or found.tenant
    zone = _zone(name, settings)
    now = clock.now()
    until = now if to == NOW else min(now, _end(to, zone))
    wish = Wish(tenant=name, zone=zone, until=until, days=days, rate=rate, seed=seed)
    return Simulation(pack, found, wish)


def _zone(name: str, settings: Settings) -> Zone:
    """The tenant's zone, as the model has it, else as every tenant that nobody declared."""
    tenant = load_model(settings).tenants.get(name, replace(DEFAULT_TENANT, name=name))
    return Zone(tenant.timezone, tenant.week_start)


def _end(text: str, zone: Zone) -> int:
    day = parse_date(text)
    return window_of_dates(day, day, zone).end
