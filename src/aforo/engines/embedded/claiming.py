"""Which dirty slots are folded next: whose turn it is, and how much at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from aforo.engines.embedded import held
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.leases import Leases
from aforo.engines.folds import Claim, Places
from aforo.windows import DAY

SLOTS_AT_ONCE = 40_000
DAYS_AT_ONCE = 1_200
Dirty: TypeAlias = dict[str, npt.NDArray[Any]]
"""Dirty slots by turn, as DIRTY_SLOTS gives them."""
LITTLE = 8
"""What waits of a tenant is little below this part of a claim."""

SETTLE_EVERY = 20
PASSED_OVER_AT_MOST = 3
"""As many claims of a stream may leave out whoever waits longest, for what fills and those of little."""

DIRTY_STREAMS = """
-- The streams that have dirty slots which nobody has claimed.
SELECT DISTINCT stream FROM ledger AS s WHERE list_contains($streams, stream){free} ORDER BY stream
"""

DIRTY_SLOTS = """
-- A stream's dirty slots that nobody has claimed, by turn: those still filling, then those of tenants for
-- whom little waits, then one tenant's backlog after the other. Of those whose backlog was cut by a claim
-- others go first; else who has waited longest is first, and of each tenant the newest slot. By age what is
-- filling goes last, and nobody before others for having little.
WITH dirty AS (
    SELECT tenant, slot, sum(events)::BIGINT AS events, min("commit") AS since,
        slot + INTERVAL 30 MINUTES > (SELECT max(made_at) FROM commits) AS filling
    FROM ledger AS s WHERE stream = $stream{free} GROUP BY tenant, slot
), waiting AS (
    SELECT *, sum(events) OVER whose > $little AS much, min(since) OVER whose AS first
    FROM dirty WINDOW whose AS (PARTITION BY tenant, filling)
)
SELECT tenant, epoch_us(slot) AS slot, events, filling, much,
    bool_or(NOT filling) OVER () AS others, bool_or(much AND NOT filling) OVER () AS backlogs
FROM waiting
ORDER BY filling = $by_age, much AND NOT $by_age,
    CASE WHEN much OR $by_age THEN coalesce(list_position($cut::VARCHAR[], tenant), 0) ELSE 0 END,
    first, tenant, slot DESC
LIMIT $slots
"""

FREE = """ AND NOT EXISTS (
    FROM taken AS t WHERE t.stream = s.stream AND t.tenant = s.tenant AND t.start = s.slot
)"""
"""That nobody has claimed a slot."""


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
        self._turns: dict[str, _Turns] = {}

    def claim(self, cursor: Cursor, streams: Iterable[str], max_rows: int) -> Claim | None:
        """About `max_rows` events of one stream, at least one slot; None where nothing is left to claim."""
        with self._one_at_a_time:
            with self._free(cursor) as free:
                chosen = self._choose(cursor, list(streams), max_rows, free)
            if chosen is None:
                return None
            return replace(chosen, lease=self._leases.give(chosen.stream, chosen.slots))

    @contextmanager
    def _free(self, cursor: Cursor) -> Iterator[str]:
        """The condition that slots are free, empty where all are: it would take half of a claim's time."""
        taken = self._leases.taken()
        if not taken.num_rows:
            yield ""
            return
        cursor.register("taken", taken)
        yield FREE
        cursor.unregister("taken")

    def _choose(self, cursor: Cursor, known: list[str], max_rows: int, free: str) -> Claim | None:
        self._claims += 1
        if self._claims % SETTLE_EVERY == 0 and (settling := _settling(cursor, known, free)):
            return settling
        found = cursor.execute(DIRTY_STREAMS.format(free=free), {"streams": known}).fetchall()
        if not found:
            return _settling(cursor, known, free)
        names = [row[0] for row in found]
        self._last = next((name for name in names if name > self._last), names[0])
        turns = self._turns.setdefault(self._last, _Turns())
        asked = {"stream": self._last, "little": max_rows // LITTLE, "slots": SLOTS_AT_ONCE}
        sql = DIRTY_SLOTS.format(free=free)
        dirty = cursor.execute(sql, {**asked, "by_age": turns.by_age, "cut": turns.cut}).fetchnumpy()
        taken = _within(dirty, max_rows)
        turns.took(dirty, taken)
        return Claim(self._last, _first(dirty, taken))


class _Turns:
    """Whose turn it is in a stream: nobody waits for ever, however much comes of others."""

    def __init__(self) -> None:
        self.cut: list[str] = []
        self._passed_over = 0

    @property
    def by_age(self) -> bool:
        """Whether it is the turn of who has waited longest, whatever is filling."""
        return self._passed_over >= PASSED_OVER_AT_MOST

    def took(self, dirty: Dirty, taken: int) -> None:
        """The first of the dirty slots were claimed."""
        tenants, kept = np.asarray(dirty["tenant"], np.object_), ~np.asarray(dirty["filling"], bool)
        served = set(tenants[:taken][kept[:taken]])
        # What lies beyond the slots that were looked at may be the last tenant's.
        left = {*tenants[taken:][kept[taken:]], *(tenants[-1:] if len(tenants) == SLOTS_AT_ONCE else ())}
        self.cut = [each for each in self.cut if each not in served] + sorted(served & left)
        much = bool((np.asarray(dirty["much"], bool) & kept)[:taken].any())
        left_out = (dirty["others"][0] and not served) or (dirty["backlogs"][0] and not much)
        self._passed_over = 0 if self.by_age or not left_out else self._passed_over + 1


def _settling(cursor: Cursor, streams: list[str], free: str) -> Claim | None:
    found = held.quiet(cursor, streams, free)
    return None if found is None else Claim(*found, settling=True)


def _within(dirty: Dirty, max_rows: int) -> int:
    """How many of the first dirty slots are not too many events, nor of too many days.

    A day that would be cut is left to the next claim, which would have to merge it with what is kept, unless
    that leaves little.
    """
    days = _codes(dirty) << 32 | np.asarray(dirty["slot"], np.int64) // DAY
    _, first_of_day = np.unique(days, return_index=True)
    new_days = np.zeros(len(days), np.int64)
    new_days[first_of_day] = 1
    fits = (np.cumsum(dirty["events"]) <= max_rows) & (np.cumsum(new_days) <= DAYS_AT_ONCE)
    taken = max(1, int(fits.sum()))
    if taken < len(days):
        before = int((days[:taken] != days[taken]).sum())
        if 2 * dirty["events"][:before].sum() >= max_rows:
            taken = before
    return taken


def _first(dirty: Dirty, taken: int) -> Places:
    tenants, slots = np.asarray(dirty["tenant"], np.object_), np.asarray(dirty["slot"], np.int64)
    order = np.lexsort((slots[:taken], _codes(dirty)[:taken]))
    return Places(tenants[order], slots[order])


def _codes(dirty: Dirty) -> npt.NDArray[np.int64]:
    """A number for each row's tenant, in the order of their names."""
    _, codes = np.unique(np.asarray(dirty["tenant"], np.object_), return_inverse=True)
    return np.asarray(codes, np.int64)
