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
class Statistics:
    """The engine at a glance, across tenants: the operator's view."""

    engine: str
    version: str
    commit: int
    file_bytes: int
    streams: tuple[StreamStatistics, ...]
    outcomes: Mapping[str, int]
    builds: tuple[Build, ...] = ()
