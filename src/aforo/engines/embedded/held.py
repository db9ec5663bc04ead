"""Slots that are still being written: up to which commit their kept rows hold their events.

Of such a slot a fold reads only what came later, and merges it in (law 4). Once it is quiet it is settled:
made from all of its events by one replace, and held no more. One into which nothing was merged since it was
made so is let go without that. Whatever changes a slot otherwise than by appending marks it with a commit
that is not later, or with events that did not come, and so has it replaced.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.embedded.calendar import places_table
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.removing import bounds, remove
from aforo.engines.folds import Folded, Places
from aforo.windows import SLOT

Numbers = npt.NDArray[np.int64]

REPLACED = -1
"""As the commit that rows hold: they are made from all events of the slot."""

WORTH_HOLDING = 10_000
"""Events of a slot from which on it is held though it is not filling now.

Fewer are read again sooner than the sets of a day: to reach one DuckDB unpacks those of 2,048 rows beside it.
"""

QUIET_SLOTS_AT_ONCE = 64

CREATE = """
-- Slots that are still being written: their kept rows hold the events up to a commit, and whether any were
-- merged into them since they were made from all.
CREATE TABLE IF NOT EXISTS held (
    stream VARCHAR NOT NULL, tenant VARCHAR NOT NULL, slot TIMESTAMP NOT NULL,
    "commit" BIGINT NOT NULL, made_at TIMESTAMP NOT NULL, merged BOOLEAN
)
"""

HELD = """
-- Up to which commit the kept rows of some tenants' slots hold their events, from the first to the last of
-- these slots, and how many the marks say came later; -1 where they must be made anew.
SELECT h.tenant, epoch_us(h.slot) AS slot, max(h."commit") AS held,
    CASE WHEN min(l."commit") > max(h."commit") AND min(l.events) > 0 THEN sum(l.events) ELSE -1 END::BIGINT
        AS marked
FROM held AS h LEFT JOIN ledger AS l ON l.stream = h.stream AND l.tenant = h.tenant AND l.slot = h.slot
WHERE h.stream = $stream AND h.slot BETWEEN make_timestamp($first) AND make_timestamp($last)
    AND h.tenant IN (SELECT unnest($tenants))
GROUP BY h.tenant, h.slot
"""

ANY_QUIET = """
-- Whether any slot was merged into, but not while other events came for the time of a slot.
SELECT 1 FROM held
WHERE merged AND made_at + INTERVAL 15 MINUTES <= (SELECT max(made_at) FROM commits) LIMIT 1
"""

QUIET = """
-- Slots of one stream that were merged into, but not while other events came for the time of a slot, and that
-- nobody has claimed.
SELECT stream, tenant, epoch_us(slot) AS slot FROM held AS s
WHERE merged AND made_at + INTERVAL 15 MINUTES <= (SELECT max(made_at) FROM commits)
    AND list_contains($streams, stream)
    AND NOT EXISTS (
        SELECT 1 FROM ledger AS l WHERE l.stream = s.stream AND l.tenant = s.tenant AND l.slot = s.slot
    ){free}
ORDER BY stream, slot DESC, tenant LIMIT $slots
"""

HOLD = """
-- The kept rows of these slots hold what the fold read.
INSERT INTO held (stream, tenant, slot, "commit", made_at, merged)
SELECT $stream, p.tenant, p.start, $commit, (SELECT made_at FROM commits WHERE "commit" = $commit), p.merged
FROM places AS p
"""

LET_QUIET_GO = """
-- Slots that are quiet, and as they were made from all of their events: nothing is left to be settled.
DELETE FROM held
WHERE NOT merged AND made_at + INTERVAL 15 MINUTES <= (SELECT max(made_at) FROM commits)
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """For each of some slots, the commit up to which its rows hold its events, and how many came later.

    `marked` is -1 where the marks do not tell: then the slot is replaced.
    """

    commits: Numbers
    marked: Numbers

    @classmethod
    def none(cls, slots: Places) -> Holding:
        """Every slot is replaced."""
        return cls(np.full(len(slots), REPLACED), np.full(len(slots), REPLACED))

    @classmethod
    def of(cls, cursor: Cursor, stream: str, slots: Places) -> Holding:
        """As the snapshot has them."""
        asked = {"stream": stream, "tenants": slots.names, **bounds(slots)}
        found = cursor.execute(HELD, asked).fetchnumpy()
        held, marked = (
            slots.spread(found["tenant"], found["slot"], found[name], otherwise=REPLACED)
            for name in ("held", "marked")
        )
        return cls(held, marked)


def worth_holding(slots: Places, events: Numbers, last_arrival: int) -> npt.NDArray[np.bool_]:
    """Which slots are filling now, as far as arrivals tell, or have so many events that more may come."""
    return (slots.starts + 2 * SLOT > last_arrival) | (events >= WORTH_HOLDING)


def quiet(cursor: Cursor, streams: list[str], free: str) -> tuple[str, Places] | None:
    """Slots of one stream that may be settled, and are `free` as SQL says it; None where there are none."""
    if first_row(cursor, ANY_QUIET) is None:
        return None
    asked = {"streams": streams, "slots": QUIET_SLOTS_AT_ONCE}
    rows = cursor.execute(QUIET.format(free=free), asked).fetchall()
    if not rows:
        return None
    found: dict[str, list[int]] = {}
    for stream, tenant, slot in rows:
        if stream == rows[0][0]:
            found.setdefault(tenant, []).append(slot)
    return rows[0][0], Places.of(found)


def let_go(cursor: Cursor, stream: str, slots: Places) -> None:
    """The next fold of these slots replaces their rows."""
    remove(cursor, "held", "slot", slots, "stream = $stream", {"stream": stream})


def let_all_go(cursor: Cursor, stream: str) -> None:
    """The next fold of every slot of a stream replaces its rows: they are not those that were held."""
    cursor.execute("DELETE FROM held WHERE stream = $stream", {"stream": stream})


def keep(cursor: Cursor, folded: Folded) -> None:
    """Writes which of the folded slots are held, in the transaction that writes their rows."""
    stream, slots = folded.claim.stream, folded.claim.slots
    let_go(cursor, stream, slots)
    if not folded.held.any():
        return
    cursor.execute(LET_QUIET_GO)  # by whoever brings some, so that there are never many
    merged = pa.array(folded.merged[folded.held])
    cursor.register("places", places_table(slots.only(folded.held)).append_column("merged", merged))
    cursor.execute(HOLD, {"stream": stream, "commit": folded.as_of})
    cursor.unregister("places")
