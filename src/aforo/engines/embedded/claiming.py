"""Which dirty slots are folded next: whose turn it is, and how much at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from aforo.engines.embedded import held
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.leases import Leases
from aforo.engines.folds import Claim, Places
from aforo.windows import DAY

SLOTS_AT_ONCE = 40_000
DAYS_AT_ONCE = 1_200
LITTLE = 8
"""What waits of a tenant is little below this part of a claim."""

SETTLE_EVERY = 20

DIRTY_STREAMS = """
-- The streams that have dirty slots which nobody has claimed.
SELECT DISTINCT stream FROM ledger AS l WHERE list_contains($streams, stream) AND NOT EXISTS (
    FROM taken AS t WHERE t.stream = l.stream AND t.tenant = l.tenant AND t.start = l.slot
) ORDER BY stream
"""

DIRTY_SLOTS = """
-- A stream's dirty slots that nobody has claimed, by turn: those still filling, then those of tenants for
-- whom little waits, then one tenant's backlog after the other. Who has waited longest is first, and of each
-- tenant the newest slot.
WITH dirty AS (
    SELECT tenant, slot, sum(events)::BIGINT AS events, min("commit") AS since,
        slot + INTERVAL 30 MINUTES > (SELECT max(made_at) FROM commits) AS filling
    FROM ledger AS l WHERE stream = $stream AND NOT EXISTS (
        FROM taken AS t WHERE t.stream = l.stream AND t.tenant = l.tenant AND t.start = l.slot
    ) GROUP BY tenant, slot
), waiting AS (
    SELECT *, sum(events) OVER whose > $little AS much, min(since) OVER whose AS first
    FROM dirty WINDOW whose AS (PARTITION BY tenant, filling)
)
SELECT tenant, epoch_us(slot) AS slot, events FROM waiting
ORDER BY filling DESC, much, first, tenant, slot DESC
LIMIT $slots
"""


class Claiming:
    """Chooses what is folded next: streams take turns, and what is quiet is settled when nothing else waits.

    It is settled now and then as well where something always does. What is chosen is leased before anybody
    else chooses.
    """

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._one_at_a_time = Lock()
        self._last = ""
        self._claims = 0

    def claim(self, cursor: Cursor, streams: Iterable[str], max_rows: int) -> Claim | None:
        """About `max_rows` events of one stream, at least one slot; None where nothing is left to claim."""
        with self._one_at_a_time:
            cursor.register("taken", self._leases.taken())
            chosen = self._choose(cursor, list(streams), max_rows)
            cursor.unregister("taken")
            if chosen is None:
                return None
            return replace(chosen, lease=self._leases.give(chosen.stream, chosen.slots))

    def _choose(self, cursor: Cursor, known: list[str], max_rows: int) -> Claim | None:
        self._claims += 1
        if self._claims % SETTLE_EVERY == 0 and (settling := _settling(cursor, known)):
            return settling
        found = cursor.execute(DIRTY_STREAMS, {"streams": known}).fetchall()
        if not found:
            return _settling(cursor, known)
        names = [row[0] for row in found]
        self._last = next((name for name in names if name > self._last), names[0])
        asked = {"stream": self._last, "little": max_rows // LITTLE, "slots": SLOTS_AT_ONCE}
        dirty = cursor.execute(DIRTY_SLOTS, asked).fetchnumpy()
        return Claim(self._last, _within(dirty, max_rows))


def _settling(cursor: Cursor, streams: list[str]) -> Claim | None:
    found = held.quiet(cursor, streams)
    return None if found is None else Claim(*found, settling=True)


def _within(dirty: dict[str, npt.NDArray[Any]], max_rows: int) -> Places:
    """The first of the dirty slots that are not too many events, nor of too many days.

    A day that would be cut is left to the next claim, which would have to merge it with what is kept, unless
    that leaves little.
    """
    tenants, slots = np.asarray(dirty["tenant"], np.object_), np.asarray(dirty["slot"], np.int64)
    _, codes = np.unique(tenants, return_inverse=True)
    days = codes << 32 | slots // DAY
    _, first_of_day = np.unique(days, return_index=True)
    new_days = np.zeros(len(slots), np.int64)
    new_days[first_of_day] = 1
    fits = (np.cumsum(dirty["events"]) <= max_rows) & (np.cumsum(new_days) <= DAYS_AT_ONCE)
    taken = max(1, int(fits.sum()))
    if taken < len(slots):
        before = int((days[:taken] != days[taken]).sum())
        if 2 * dirty["events"][:before].sum() >= max_rows:
            taken = before
    order = np.lexsort((slots[:taken], codes[:taken]))
    return Places(tenants[order], slots[order])
