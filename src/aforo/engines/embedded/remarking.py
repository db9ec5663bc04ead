"""Slots to be folded again though nothing came: what a window holds, marking it, whether it is done."""

from __future__ import annotations

import numpy as np

from aforo.engines.builds import Held, Marked
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.held import let_go
from aforo.engines.embedded.layout import RollupLayout, events_table
from aforo.engines.embedded.modelling import last_commit
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.sealing import seal_of
from aforo.engines.folds import Period, Places
from aforo.model.stream import Stream
from aforo.windows import Window

Named = dict[str, object]

MARK = """
-- Slots to be folded again, as of the last commit that their events may be of.
INSERT INTO ledger SELECT $stream, $tenant, unnest($slots), $commit, unnest($events)
"""

OVERTAKE = """
-- A fold that has read these days already may have merged what came, and must not answer the marks.
UPDATE revisions SET revision = revision + 1
WHERE stream = $stream AND tenant = $tenant AND day > $first - INTERVAL 2 DAY AND day <= $last
"""

WAITING = """
-- Whether a slot of a window still waits that was marked as of a commit or before it.
SELECT 1 FROM ledger
WHERE stream = $stream AND tenant = $tenant AND slot >= $start AND slot < $end AND "commit" <= $commit
LIMIT 1
"""


def tenants_of(cursor: Cursor, stream: Stream) -> tuple[str, ...]:
    """Everyone who has events of a stream."""
    found = cursor.execute(
        f"""
        -- Whose events of a stream are kept.
        SELECT DISTINCT tenant FROM {events_table(stream.name)} ORDER BY tenant
        """
    ).fetchall()
    return tuple(name for (name,) in found)


def held(cursor: Cursor, stream: Stream, tenant: str, window: Window) -> Held:
    """How many slots of a window hold anything, and how many events there are in them."""
    found = first_row(
        cursor,
        f"""
        -- What a window holds that could be folded again.
        SELECT count(*), coalesce(sum(events), 0)::BIGINT FROM ({_slots_sql(stream)})
        """,
        _kept(cursor, stream, tenant, window),
    )
    assert found is not None, "an aggregate without groups gives one row"
    return Held(*found)


def mark(cursor: Cursor, stream: Stream, tenant: str, window: Window, most_events: int) -> Marked | None:
    """Marks the newest slots of a window, at least one; None where it holds nothing."""
    found = cursor.execute(
        f"""
        -- The slots of a window that hold anything, newest first.
        SELECT epoch_us(slot) AS slot, events FROM ({_slots_sql(stream)}) ORDER BY slot DESC
        """,
        _kept(cursor, stream, tenant, window),
    ).fetchnumpy()
    slots, events = np.asarray(found["slot"], np.int64), np.asarray(found["events"], np.int64)
    if not len(slots):
        return None
    within = max(1, int(np.searchsorted(np.cumsum(events), most_events, side="right")))
    slots, events = slots[:within], events[:within]
    commit = last_commit(cursor)
    let_go(cursor, stream.name, Places.of({tenant: slots.tolist()}))
    cursor.execute(
        MARK,
        {
            "stream": stream.name,
            "tenant": tenant,
            "slots": [timestamp(int(slot)) for slot in slots],
            "events": events.tolist(),
            "commit": commit,
        },
    )
    bounds = {"first": timestamp(int(slots[-1])), "last": timestamp(int(slots[0]))}
    cursor.execute(OVERTAKE, {"stream": stream.name, "tenant": tenant, **bounds})
    return Marked(start=int(slots[-1]), slots=len(slots), events=int(events.sum()), commit=commit)


def answered(cursor: Cursor, stream: str, tenant: str, window: Window, commit: int) -> bool:
    """Whether all that was marked in a window up to a commit has been folded."""
    asked = {**_named(tenant, window), "stream": stream, "commit": commit}
    return first_row(cursor, WAITING, asked) is None


def _named(tenant: str, window: Window) -> Named:
    return {"tenant": tenant, "start": timestamp(window.start), "end": timestamp(window.end)}


def _kept(cursor: Cursor, stream: Stream, tenant: str, window: Window) -> Named:
    """What of a window is not sealed; what is can never be folded again."""
    sealed = seal_of(cursor, stream.name, tenant).events_from
    return _named(tenant, Window(min(max(window.start, sealed), window.end), window.end))


def _slots_sql(stream: Stream) -> str:
    """Slots with events, and those that have none and yet have rows, which then are wrong."""
    kept = [
        layout.table(Period.SLOT)
        for layout in (RollupLayout.of(stream, rollup) for rollup in stream.rollups.values())
        if Period.SLOT in layout.periods
    ]
    rows = "".join(
        f" UNION ALL SELECT DISTINCT start, 0 FROM {table} "
        "WHERE tenant = $tenant AND start >= $start AND start < $end"
        for table in kept
    )
    return f"""
        SELECT slot, sum(events)::BIGINT AS events FROM (
            SELECT time_bucket(INTERVAL 15 MINUTES, time) AS slot, count(*) AS events
            FROM {events_table(stream.name)}
            WHERE tenant = $tenant AND time >= $start AND time < $end GROUP BY ALL
            {rows}
        ) GROUP BY slot
    """
