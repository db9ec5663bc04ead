"""Compaction: by the server that holds the data directory, or of one that this process holds meanwhile."""

from __future__ import annotations

from aforo.assembly.local import Local
from aforo.assembly.reach import connection_to
from aforo.assembly.remote import called
from aforo.clock import Clock
from aforo.engines.embedded.compacting import compact as compact_file
from aforo.settings import Settings

COMPACT_SECONDS = 86_400.0


def compact(settings: Settings, clock: Clock) -> dict[str, object]:
    """Has the server put events in order, or writes the events' file anew; how large it was and is.

    Raises `DataInUse` where another command has the directory, `StorageError`, `StorageFull`.
    """
    connection = connection_to(settings)
    if connection is None:
        return _written_anew(settings, clock)
    patient = connection.patient(COMPACT_SECONDS)
    return called(lambda: patient.post("/v1/compact", {}))


def _written_anew(settings: Settings, clock: Clock) -> dict[str, object]:
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
