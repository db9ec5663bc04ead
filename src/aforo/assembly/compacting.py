"""Compaction of a data directory that this process holds for as long as it takes."""

from __future__ import annotations

from aforo.assembly.local import Local
from aforo.clock import Clock
from aforo.engines.embedded.compacting import compact as compact_file
from aforo.settings import Settings


def compact(settings: Settings, clock: Clock) -> dict[str, object]:
    """Writes the events' file anew, in order and without free room; how large it was and is.

    Raises `DataInUse` where a server or another command has the directory, `StorageError`, `StorageFull`.
    """
    # What waits in the journal, and what an older format left, is brought to the tables by opening it once.
    local = Local(settings, clock)
    events = sum(each.events for each in local.aforo.engine.statistics().streams)
    local.close()
    started = clock.monotonic()
    engine = settings.engine
    before, after = compact_file(settings.data, memory_mb=engine.memory_mb, threads=engine.threads)
    return {
        "events": events,
        "bytesBefore": before,
        "bytesAfter": after,
        "bytesPerEvent": round(after / events, 1) if events else None,
        "tookMs": round((clock.monotonic() - started) * 1000, 3),
    }
