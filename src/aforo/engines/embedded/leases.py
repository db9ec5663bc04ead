"""Leases: which slots are claimed, by whom and until when.

One process has the directory, so they are kept in its memory: those of a process that died have died with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from uuid import uuid4

import pyarrow as pa

from aforo.clock import Clock
from aforo.engines.embedded.calendar import places_table
from aforo.engines.folds import Claim, Lease, Places
from aforo.errors import ClaimLost

NOTHING = pa.schema({"stream": pa.string(), "tenant": pa.string(), "start": pa.timestamp("us")}).empty_table()


@dataclass(frozen=True, slots=True)
class _Held:
    stream: str
    slots: Places
    until: float


class Leases:
    """Gives leases of `seconds`, counted by the clock's monotonic time, which nobody sets."""

    def __init__(self, clock: Clock, *, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._lock = Lock()
        self._held: dict[str, _Held] = {}

    def taken(self) -> pa.Table:
        """What somebody holds now: rows of `stream`, `tenant` and `start`."""
        now = self._clock.monotonic()
        with self._lock:
            # Whoever held an ended one finds it gone, and so is told.
            self._held = {owner: each for owner, each in self._held.items() if each.until > now}
            held = list(self._held.values())
        return pa.concat_tables([NOTHING, *map(_rows, held)])

    def give(self, stream: str, slots: Places) -> Lease:
        """Holds slots that are not taken for whoever shows the lease."""
        lease = Lease(uuid4().hex, self._until())
        with self._lock:
            self._held[lease.owner] = _Held(stream, slots, lease.until)
        return lease

    def renew(self, claim: Claim) -> None:
        """Has the claim's lease begin again, for somebody works on it. Raises `ClaimLost` where it ended."""
        owner = None if claim.lease is None else claim.lease.owner
        with self._lock:
            held = None if owner is None else self._held.get(owner)
            if owner is None or held is None or held.until <= self._clock.monotonic():
                raise ClaimLost(
                    f"the claim of {len(claim.slots):,} slots of {claim.stream} ended before they were "
                    "written; nothing of them was changed",
                    hint="claim them again; where folds take so long, raise fold.lease_seconds",
                )
            self._held[owner] = _Held(held.stream, held.slots, self._until())

    def release(self, claim: Claim) -> None:
        """Lets others claim the slots; nothing happens where the lease has ended."""
        if claim.lease is not None:
            with self._lock:
                self._held.pop(claim.lease.owner, None)

    def _until(self) -> float:
        return self._clock.monotonic() + self._seconds


def _rows(held: _Held) -> pa.Table:
    streams = pa.array([held.stream] * len(held.slots), pa.string())
    return places_table(held.slots).add_column(0, "stream", streams)
