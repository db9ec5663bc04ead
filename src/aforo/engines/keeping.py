"""How long what came is kept: seals, purges and erasures."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Seal:
    """How far back a stream is kept for a tenant, in microseconds; 0 where nothing was purged.

    Events, and rollups' slots, are kept from these times on. Both are starts of days of the tenant, and what
    is older is never taken, folded or built again.
    """

    events_from: int = 0
    slots_from: int = 0


@dataclass(frozen=True, slots=True)
class PurgeAsked:
    """What is to be purged of a stream and tenant: events and rollups' slots before two instants, 0: none.

    About `most_rows` events go in one transaction, and never less than a day's.
    """

    stream: str
    tenant: str
    events_before: int
    slots_before: int
    most_rows: int


@dataclass(frozen=True, slots=True)
class Purged:
    """What one purge deleted, how far back is kept now, and whether there is more to purge."""

    events: int
    slot_rows: int
    seal: Seal
    more: bool


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many values were looked at whose events had gone, and how many of them were hashed and removed."""

    looked_at: int
    hashed: int
    removed: int


@dataclass(frozen=True, slots=True)
class ErasureAsked:
    """Whose value of an entity is to be erased; `shown` is how it may stand in samples of refused events."""

    id: str
    tenant: str
    entity: str
    value: str = field(repr=False)
    shown: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Erased:
    """What one step of an erasure deleted and marked, as of which commit, and whether there may be more."""

    events: int
    slots: int
    commit: int
    more: bool
