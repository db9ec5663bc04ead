"""Purge: whole folded days of events and of rollups' slots are deleted and sealed in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from aforo.engines.embedded import sealing, unheld
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.layout import EVENTS, RollupLayout, events_table
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.folds import Period
from aforo.engines.keeping import PurgeAsked, Purged, Seal
from aforo.model.rollup import RollupGrain
from aforo.model.stream import Stream
from aforo.windows import Zone

DAYS_OF_SLOTS = 7
"""Of slots' rows so many days go in one transaction."""

FIRST_DIRTY = """
-- The earliest slot of a stream and tenant that waits for a fold, to be built, or to be derived from or anew.
SELECT epoch_us(min(slot)) FROM (
    SELECT slot FROM ledger WHERE stream = $stream AND tenant = $tenant
    UNION ALL
    SELECT m.slot FROM build_marks AS m JOIN builds AS b ON b.hash = m.hash
    WHERE b.stream = $stream AND m.tenant = $tenant
    UNION ALL
    SELECT m.slot FROM derive_marks AS m JOIN derivations AS d ON d.stream = m.stream
    WHERE m.tenant = $tenant AND (d.stream = $stream OR d.source = $stream)
)
"""


@dataclass(frozen=True, slots=True)
class Step:
    """The next purge: the seal that it would leave, and whether another would follow."""

    seal: Seal
    more: bool


def tenants(cursor: Cursor, stream: Stream, before: int) -> tuple[str, ...]:
    """Those that have anything before an instant."""
    tables = [(events_table(stream.name), "time"), *((table, "start") for table in _slot_tables(stream))]
    found = cursor.execute(
        "-- Whose events or slots are older than they need be.\n"
        + " UNION ".join(
            f"SELECT tenant FROM {table} WHERE {time} < $before GROUP BY tenant" for table, time in tables
        )
        + " ORDER BY tenant",
        {"before": timestamp(before)},
    ).fetchall()
    return tuple(name for (name,) in found)


def next_step(cursor: Cursor, asked: PurgeAsked, stream: Stream, zone: Zone) -> Step | None:
    """How far one purge may go: to no day that waits for a fold; None where there is nothing to do."""
    now = sealing.seal_of(cursor, asked.stream, asked.tenant)
    events, more = _events_step(cursor, asked, zone, now)
    slots, more_slots = _slots_step(cursor, asked, stream, zone, Seal(events, now.slots_from))
    seal = Seal(events, slots)
    return None if seal == now else Step(seal, more or more_slots)


def purge(cursor: Cursor, asked: PurgeAsked, stream: Stream, step: Step) -> Purged:
    """Deletes what the step says; nothing where something older came to wait for a fold in between."""
    now = sealing.seal_of(cursor, asked.stream, asked.tenant)
    dirty = _first_dirty(cursor, asked)
    if dirty is not None and dirty < step.seal.events_from:
        return Purged(0, 0, now, more=False)
    events = slots = 0
    if step.seal.events_from > now.events_from:
        going: dict[str, object] = {"tenant": asked.tenant, "before": timestamp(step.seal.events_from)}
        unheld.note(cursor, EVENTS + stream.name, "tenant = $tenant AND time < $before", going)
        events = _delete(cursor, events_table(stream.name), "time", asked.tenant, step.seal.events_from)
    if step.seal.slots_from > now.slots_from:
        for table in _slot_tables(stream):
            slots += _delete(cursor, table, "start", asked.tenant, step.seal.slots_from)
    sealing.keep(cursor, asked.stream, asked.tenant, step.seal)
    return Purged(events, slots, step.seal, step.more)


def _events_step(cursor: Cursor, asked: PurgeAsked, zone: Zone, now: Seal) -> tuple[int, bool]:
    """From when on events would be kept, and whether another step would follow."""
    limit = _day_start(zone, asked.events_before)
    dirty = _first_dirty(cursor, asked)
    if dirty is not None:
        limit = min(limit, _day_start(zone, dirty))
    slots = cursor.execute(
        f"""
        -- How many events of a tenant are in each slot that may go.
        SELECT epoch_us(time_bucket(INTERVAL 15 MINUTES, time)) AS slot, count(*)
        FROM {events_table(asked.stream)} WHERE tenant = $tenant AND time < $limit GROUP BY slot ORDER BY slot
        """,
        {"tenant": asked.tenant, "limit": timestamp(limit)},
    ).fetchall()
    if not slots or limit <= now.events_from:
        return now.events_from, False
    rows, first = 0, _day_after(zone, slots[0][0])
    for slot, count in slots:
        rows += count
        if rows > asked.most_rows and slot >= first:
            return _day_start(zone, slot), True
    return limit, False


def _slots_step(
    cursor: Cursor, asked: PurgeAsked, stream: Stream, zone: Zone, seal: Seal
) -> tuple[int, bool]:
    """The same of slots, which stay as long as the events that a day is folded from."""
    limit = min(_day_start(zone, asked.slots_before), seal.events_from)
    tables = _slot_tables(stream)
    if not tables or limit <= seal.slots_from:
        return seal.slots_from, False
    found = first_row(
        cursor,
        "-- The oldest slot that is kept.\nSELECT epoch_us(min(start)) FROM ("
        + " UNION ALL ".join(
            f"SELECT min(start) AS start FROM {table} WHERE tenant = $tenant" for table in tables
        )
        + ")",
        {"tenant": asked.tenant},
    )
    if found is None or found[0] is None or found[0] >= limit:
        return seal.slots_from, False
    until = found[0]
    for _ in range(DAYS_OF_SLOTS):
        until = _day_after(zone, until)
    return (until, True) if until < limit else (limit, False)


def _slot_tables(stream: Stream) -> list[str]:
    return [
        layout.table(Period.SLOT)
        for layout in (RollupLayout.of(stream, rollup) for rollup in stream.rollups.values())
        if layout.rollup.grain is RollupGrain.SLOT
    ]


def _first_dirty(cursor: Cursor, asked: PurgeAsked) -> int | None:
    found = first_row(cursor, FIRST_DIRTY, {"stream": asked.stream, "tenant": asked.tenant})
    return None if found is None else found[0]


def _delete(cursor: Cursor, table: str, time: str, tenant: str, before: int) -> int:
    found = first_row(
        cursor,
        f"DELETE FROM {table} WHERE tenant = $tenant AND {time} < $before",
        {"tenant": tenant, "before": timestamp(before)},
    )
    return 0 if found is None else int(found[0])


def _day_start(zone: Zone, time: int) -> int:
    return zone.day_start(zone.date_of(time)) if time > 0 else 0


def _day_after(zone: Zone, time: int) -> int:
    """The start of the day after the one that holds the time."""
    start, day = time, zone.date_of(time)
    while start <= time:
        day += timedelta(days=1)
        start = zone.day_start(day)
    return start
