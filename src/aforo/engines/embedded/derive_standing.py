"""How far a derived stream has come: which of its slots may change by what its source has and it has not."""

from __future__ import annotations

from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.pending import Waiting
from aforo.model.derivation import Derivation, DerivationKind
from aforo.windows import Window, Zone, slot_of

WAITING = """
-- The first slot of a stretch of the source from which something is to be derived, and the oldest commit of
-- those that brought it.
SELECT epoch_us(min(slot)), (SELECT epoch_us(made_at) FROM commits WHERE "commit" = min(since))
FROM derive_marks
WHERE stream = $stream AND tenant = $tenant AND slot >= $start AND slot < $end
"""


def source_window(derivation: Derivation, zone: Zone, window: Window) -> Window:
    """Where an event of the source may be that changes what is derived in a window.

    A session begins on the day of all its events; an earlier event makes a first sighting go.
    """
    if derivation.kind is DerivationKind.FIRSTS:
        return Window(0, window.end)
    days = zone.days(window)
    return Window(days[0].start, days[-1].end) if days else window


def waiting(cursor: Cursor, stream: str, tenant: str, window: Window) -> tuple[int, int | None] | None:
    """The first waiting slot of a stretch of the source, and since when it waits, where a commit tells."""
    bounds = {"start": timestamp(window.start), "end": timestamp(window.end)}
    found = first_row(cursor, WAITING, {"stream": stream, "tenant": tenant, **bounds})
    return None if found is None or found[0] is None else (found[0], found[1])


def changes_from(derivation: Derivation, zone: Zone, window: Window, slot: int) -> int:
    """The first slot of a window that may change by an event in a slot of the source."""
    if derivation.kind is DerivationKind.SESSIONS:
        slot = zone.day_start(zone.date_of(slot))
    return max(slot, slot_of(window.start))


def told(pending: Waiting | None, marked: tuple[int, int | None] | None) -> tuple[list[int], list[int]]:
    """The first slots of the source that wait, pending and marked, and since when they do."""
    slots = [] if pending is None else [pending.dirty_from]
    since = [] if pending is None else [pending.since]
    if marked is not None:
        slots.append(marked[0])
        since += [] if marked[1] is None else [marked[1]]
    return slots, since
