"""The engine at a glance: the operator's view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aforo.engines.builds import Build


@dataclass(frozen=True, slots=True)
class StreamStatistics:
    """How much of a stream is kept for a tenant; `first` and `last` are slots' starts."""

    stream: str
    tenant: str
    events: int
    first: int | None
    last: int | None
    dirty_slots: int


@dataclass(frozen=True, slots=True)
class Storage:
    """What the engine's file holds: `free_bytes` of it are used again by what comes.

    `out_of_order` of the events lie in blocks whose times overlap those of others by a day at least.
    """

    file_bytes: int
    free_bytes: int
    events: int
    out_of_order: int

    @property
    def bytes_per_event(self) -> float | None:
        """With everything that is in the file, rollups and free room as well; None without events."""
        return round(self.file_bytes / self.events, 1) if self.events else None


@dataclass(frozen=True, slots=True)
class Statistics:
    """The engine at a glance, across tenants: the operator's view."""

    engine: str
    version: str
    commit: int
    storage: Storage
    streams: tuple[StreamStatistics, ...]
    outcomes: Mapping[str, int]
    builds: tuple[Build, ...] = ()
