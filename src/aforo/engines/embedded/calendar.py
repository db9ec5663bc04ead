"""The days that a fold touches, each in its tenant's zone, and the slots they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.folds import Places
from aforo.windows import SLOT, Zone

Starts = npt.NDArray[np.int64]
Span = tuple[int, int]

SPANS = 16
"""In how many stretches of time events are looked for at most."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Every slot of the days that hold claimed slots, which day it is of, and whether it is claimed.

    `day_of` tells the place in `days`, `claimed_day_of` that of each claimed slot.
    """

    days: Places
    slots: Places
    day_of: Starts
    dirty: npt.NDArray[np.bool_]
    claimed_day_of: Starts

    @classmethod
    def of(cls, claimed: Places, zone_of: Callable[[str], Zone]) -> Calendar:
        """The days are the tenant's own: of 23 to 25 hours, some of them none of another tenant's."""
        tenants: list[str] = []
        starts: list[int] = []
        slots: list[Starts] = []
        dirty: list[npt.NDArray[np.bool_]] = []
        of_claimed = []
        for tenant, own in claimed.by_tenant().items():
            for (start, end), here in _days(own, zone_of(tenant)):
                tenants.append(tenant)
                starts.append(start)
                slots.append(np.arange(start, end, SLOT))
                dirty.append(np.zeros(len(slots[-1]), np.bool_))
                dirty[-1][(here - start) // SLOT] = True
                of_claimed.append(len(here))
        names = np.array(tenants, np.object_)
        lengths = [len(each) for each in slots]
        return cls(
            days=Places(names, np.array(starts, np.int64)),
            slots=Places(np.repeat(names, lengths), np.concatenate(slots)),
            day_of=np.repeat(np.arange(len(starts)), lengths),
            dirty=np.concatenate(dirty),
            claimed_day_of=np.repeat(np.arange(len(starts)), of_claimed),
        )

    def table(self) -> pa.Table:
        return pa.table(
            {
                "__tenant": pa.array(self.slots.tenants, pa.string()),
                "__slot": as_times(self.slots.starts),
                "__day": as_times(self.days.starts[self.day_of]),
                "__dirty": pa.array(self.dirty),
            }
        )

    @property
    def span(self) -> Span:
        """From the first slot of any of the days to the end of the last."""
        return int(self.slots.starts.min()), int(self.slots.starts.max()) + SLOT


def _days(slots: Starts, zone: Zone) -> Iterator[tuple[Span, Starts]]:
    """Each day that holds any of the slots, from its start to its end, with those it holds."""
    done = 0
    while done < len(slots):
        date = zone.date_of(int(slots[done]))
        start, end = zone.day_start(date), zone.day_start(date + timedelta(days=1))
        upto = int(np.searchsorted(slots, end))
        yield (start, end), slots[done:upto]
        done = upto


def stretches(slots: Starts, at_most: int) -> list[Span]:
    """The slots as few stretches from a start to an end: apart where the widest gaps are."""
    different = np.unique(slots)
    gaps = np.diff(different)
    wide = np.flatnonzero(gaps > SLOT)
    cuts = np.sort(wide[np.argsort(gaps[wide], kind="stable")[::-1][: at_most - 1]]) + 1
    return [(int(part[0]), int(part[-1]) + SLOT) for part in np.split(different, cuts)]


def as_times(microseconds: Starts) -> pa.Array:
    """Microseconds as naive UTC times."""
    return pa.array(microseconds).cast(pa.timestamp("us"))


def places_table(places: Places) -> pa.Table:
    """Places as rows of `tenant` and `start`."""
    return pa.table({"tenant": pa.array(places.tenants, pa.string()), "start": as_times(places.starts)})
