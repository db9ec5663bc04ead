"""What is wished of data that is made up, for trying things out.

It belongs to tenants whose names say so, and the same wish makes the same events again, with the same ids:
making them twice adds nothing, and a wish of more days adds those days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aforo.errors import InvalidRequest
from aforo.events.readers import Chunk
from aforo.model.tenant import SIMULATED, is_simulated
from aforo.windows import Zone

LONGEST_DAYS = 3_660
MOST_EVENTS_A_DAY = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The days of a tenant up to the instant `until` (µs, excluded), with about `rate` events on each.

    Raises InvalidRequest for what cannot be wished.
    """

    tenant: str
    zone: Zone
    until: int
    days: int
    rate: int
    seed: int

    def __post_init__(self) -> None:
        if not is_simulated(self.tenant):
            beginnings = " or ".join(SIMULATED)
            raise InvalidRequest(
                f"{self.tenant!r} does not say that it is made up",
                hint=f"let the tenant's name begin with {beginnings}: {SIMULATED[0]}{self.tenant}",
            )
        for name, value, most in (("days", self.days, LONGEST_DAYS), ("rate", self.rate, MOST_EVENTS_A_DAY)):
            if not 1 <= value <= most:
                raise InvalidRequest(f"{name}: {value:,} came, wanted 1 to {most:,}")
        if self.seed < 0:
            raise InvalidRequest(f"seed: {self.seed} came, wanted a whole number from 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """What makes a pack's events; `tenant` is whose they are where nobody says it, `ask` what to ask then."""

    make: Callable[[Wish], Iterator[Chunk]]
    tenant: str
    ask: str
