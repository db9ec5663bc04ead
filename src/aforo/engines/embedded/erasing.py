"""Erasure: a value loses its number, then what it sent goes; sealed rollups keep a number without a name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aforo.engines.embedded import derive_marks, dictionary, sealing, unheld
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.hashes import Hashes
from aforo.engines.embedded.layout import EVENTS, RollupLayout, entity_table, quoted
from aforo.engines.embedded.modelling import last_commit
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.keeping import Erased, ErasureAsked
from aforo.model.model import Model
from aforo.model.stream import FieldType, Stream
from aforo.windows import SLOT, Zone

NAMELESS = "\x00erased "
"""What stands where a value was: no event brings it, and no number is given twice."""

CREATE = """
-- The number that a value had, by the erasure that took it away; none where it had none.
CREATE TABLE IF NOT EXISTS erased (
    erasure VARCHAR NOT NULL, tenant VARCHAR NOT NULL, entity VARCHAR NOT NULL, ordinal UINTEGER
)
"""

KNOWN = "SELECT entity, tenant, ordinal FROM erased WHERE erasure = $erasure"

KEEP = "INSERT INTO erased VALUES ($erasure, $tenant, $entity, $ordinal)"

FORGET_SAMPLES = """
-- Refused events that may have been the one's to be erased: all of the tenant, and what shows the value.
DELETE FROM refused WHERE tenant = $tenant
    OR len(list_filter($shown, lambda word: contains(detail, word) OR contains(names, word))) > 0
"""

MARK = """
-- Slots that lost events are to be folded again, from what is left.
INSERT INTO ledger SELECT $stream, $tenant, unnest($slots), $commit, unnest($events)
"""

WAITS = """
-- Whether anything of some streams of a tenant still waits that was marked as of a commit or before it, or
-- is to be derived from what is left.
SELECT 1 FROM ledger
WHERE tenant = $tenant AND list_contains($streams, stream) AND "commit" <= $commit
UNION ALL
SELECT 1 FROM derive_marks WHERE tenant = $tenant AND list_contains($streams, stream) AND since = 0
LIMIT 1
"""

RAISE = """
-- Days that were changed beneath a fold: what it has read of them is old, and it leaves them out.
MERGE INTO revisions AS r USING (SELECT unnest($days) AS day) AS d
ON r.stream = $stream AND r.tenant = $tenant AND r.day = d.day
WHEN MATCHED THEN UPDATE SET revision = r.revision + 1
WHEN NOT MATCHED THEN INSERT (stream, tenant, day, revision) VALUES ($stream, $tenant, d.day, 1)
"""


@dataclass(frozen=True, slots=True)
class OfNumber:
    """The events of one number in one table."""

    table: str
    column: str
    tenant: str
    ordinal: int

    @property
    def stream(self) -> str:
        return self.table.removeprefix(EVENTS)

    @property
    def condition(self) -> str:
        return f"tenant = $tenant AND {quoted(self.column)} = $ordinal"

    @property
    def named(self) -> dict[str, object]:
        return {"tenant": self.tenant, "ordinal": self.ordinal}


def unname(cursor: Cursor, asked: ErasureAsked, model: Model, hashes: Hashes) -> None:
    """Takes a value's number away, and the value from everywhere but its events; the second time nothing."""
    cursor.execute(CREATE)
    if first_row(cursor, KNOWN, {"erasure": asked.id}) is not None:
        return
    forms = hashes.forms(cursor, asked.tenant, asked.entity, asked.value)
    ordinal = dictionary.number_of(cursor, asked.entity, asked.tenant, forms)
    cursor.execute(
        KEEP, {"erasure": asked.id, "tenant": asked.tenant, "entity": asked.entity, "ordinal": ordinal}
    )
    # The row stays without the value: a number that came free would be given to somebody else.
    cursor.execute(
        f"UPDATE {entity_table(asked.entity)} SET value = $nameless "
        "WHERE tenant = $tenant AND list_contains($forms, value)",
        {"tenant": asked.tenant, "forms": forms, "nameless": NAMELESS + asked.id},
    )
    cursor.execute(FORGET_SAMPLES, {"tenant": asked.tenant, "shown": [asked.value, *asked.shown]})
    for stream in streams_of(model, asked.entity):
        _unsplit(cursor, stream, asked)


def erase(cursor: Cursor, erasure: str, zone: Zone, most_rows: int) -> Erased:
    """Deletes the oldest of what the number sent, about so many events, and marks the slots they leave."""
    cursor.execute(CREATE)
    found = first_row(cursor, KNOWN, {"erasure": erasure})
    commit = last_commit(cursor)
    if found is None or found[2] is None:
        return Erased(0, 0, commit, more=False)
    entity, tenant, ordinal = found
    for table, column in unheld.numbered(cursor, entity):
        of_number = OfNumber(table, column, tenant, ordinal)
        slots = _slots(cursor, of_number, most_rows)
        if slots:
            _delete(cursor, of_number, slots)
            _mark(cursor, of_number.stream, tenant, slots, zone, commit)
            return Erased(sum(slots.values()), len(slots), commit, more=True)
    return Erased(0, 0, commit, more=False)


def waits(cursor: Cursor, tenant: str, streams: Iterable[Stream], commit: int) -> bool:
    """Whether slots that were marked up to a commit are still to be folded."""
    asked = {"tenant": tenant, "streams": [stream.name for stream in streams], "commit": commit}
    return first_row(cursor, WAITS, asked) is not None


def streams_of(model: Model, entity: str) -> tuple[Stream, ...]:
    """The streams whose events may name an entity."""
    return tuple(stream for stream in model.streams.values() if entity in stream.entities)


def _unsplit(cursor: Cursor, stream: Stream, asked: ErasureAsked) -> None:
    """Rows of rollups that are split by the value count on as those of nobody: merging is left to reading."""
    field = stream.fields[stream.entities[asked.entity].field]
    value: object = asked.value
    if field.type is FieldType.INTEGER:
        if not asked.value.lstrip("-").isdigit():
            return
        value = int(asked.value)
    for rollup in stream.rollups.values():
        if field.name not in rollup.dimensions:
            continue
        layout = RollupLayout.of(stream, rollup)
        for period in layout.periods:
            cursor.execute(
                f"UPDATE {layout.table(period)} SET {quoted(field.name)} = NULL "
                f"WHERE tenant = $tenant AND {quoted(field.name)} = $value",
                {"tenant": asked.tenant, "value": value},
            )


def _slots(cursor: Cursor, of: OfNumber, most_rows: int) -> dict[int, int]:
    """The first slots with events of a number, and how many they have: one at least, if there is any."""
    found = cursor.execute(
        f"""
        -- The slots in which a number has events.
        SELECT epoch_us(time_bucket(INTERVAL 15 MINUTES, time)) AS slot, count(*)
        FROM {quoted(of.table)} WHERE {of.condition} GROUP BY slot ORDER BY slot
        """,
        of.named,
    ).fetchall()
    slots: dict[int, int] = {}
    for slot, events in found:
        if slots and sum(slots.values()) + events > most_rows:
            break
        slots[slot] = events
    return slots


def _delete(cursor: Cursor, of: OfNumber, slots: dict[int, int]) -> None:
    condition = f"{of.condition} AND time >= $start AND time < $end"
    named = {**of.named, "start": timestamp(min(slots)), "end": timestamp(max(slots) + SLOT)}
    unheld.note(cursor, of.table, condition, named)
    cursor.execute(f"DELETE FROM {quoted(of.table)} WHERE {condition}", named)


def _mark(cursor: Cursor, stream: str, tenant: str, slots: dict[int, int], zone: Zone, commit: int) -> None:
    kept = {
        slot: events
        for slot, events in slots.items()
        if slot >= sealing.seal_of(cursor, stream, tenant).events_from
    }
    named: dict[str, object] = {"stream": stream, "tenant": tenant}
    marked = {"slots": [timestamp(slot) for slot in kept], "events": list(kept.values()), "commit": commit}
    cursor.execute(MARK, {**named, **marked})
    derive_marks.mark_whole(cursor, stream, tenant, list(kept))
    days = sorted({zone.day_start(zone.date_of(slot)) for slot in kept})
    cursor.execute(RAISE, {**named, "days": [timestamp(day) for day in days]})
