"""What the demonstration loads: the flights of 2013, by the same way as everybody's events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aforo.assembly.order import LoadOrder
from aforo.events.readers import Chunk
from aforo.packs.flights import source

ORDER = LoadOrder(path=Path(source.PACKAGE), stream=source.STREAM, tenant=source.TENANT)


def chunks() -> Iterator[Chunk]:
    """All departures, 50,000 at a time."""
    return source.chunks()
