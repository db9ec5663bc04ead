"""Which version each of a tenant's days, weeks and months has: what of a rollup's rows may have changed.

Whatever changes rows of a day raises its revision in the same transaction, and a week's or month's version is
the sum of its days'. So rows that were read with the versions they had are known to be those of now.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aforo.engines.coarsening import Kept
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.periods import RevisionSums, Times
from aforo.engines.folds import Period
from aforo.windows import Window

DAYS = """
-- How often each day of a tenant was folded, ascending.
SELECT epoch_us(day) AS day, revision FROM revisions WHERE stream = $stream AND tenant = $tenant ORDER BY day
"""

PERIODS = """
-- The weeks and months of a rollup that were put together, and of which version of their days.
SELECT period, epoch_us(start), epoch_us("end"), revision FROM period_versions
WHERE rollup = $rollup AND tenant = $tenant ORDER BY start
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Ascending starts, each with its version."""

    starts: Times
    versions: Times

    def within(self, start: int, end: int) -> Stretch:
        """Those that begin in `[start, end)`."""
        first, last = self.starts.searchsorted((start, end))
        return Stretch(self.starts[first:last], self.versions[first:last])

    def unlike(self, other: Stretch) -> Stretch:
        """Those that the other does not have, or in another version."""
        if np.array_equal(self.starts, other.starts) and np.array_equal(self.versions, other.versions):
            return NONE
        same = np.isin(self.starts, other.starts)
        at = np.searchsorted(other.starts, self.starts[same])
        same[same] = other.versions[at] == self.versions[same]
        return Stretch(self.starts[~same], self.versions[~same])

    def replaced(self, newer: Stretch) -> Stretch:
        """With what is newer in the place of what it had of the same starts."""
        stays = ~np.isin(self.starts, newer.starts)
        starts = np.concatenate((self.starts[stays], newer.starts))
        versions = np.concatenate((self.versions[stays], newer.versions))
        order = np.argsort(starts)
        return Stretch(starts[order], versions[order])


NONE = Stretch(np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Versions:
    """Those of one snapshot, for a rollup and a tenant; of weeks and months only those that may be read."""

    kept: tuple[Kept, ...]
    of: dict[Period, Stretch]

    def within(self, window: Window) -> tuple[Kept, ...]:
        """The weeks and months that lie in a window of days."""
        return tuple(each for each in self.kept if each.start >= window.start and each.end <= window.end)


def versions(cursor: Cursor, stream: str, rollup: str, tenant: str) -> Versions:
    """As the cursor's snapshot has them; `rollup` is the hash."""
    days = cursor.execute(DAYS, {"stream": stream, "tenant": tenant}).fetchnumpy()
    starts, revisions = (np.asarray(days[name], np.int64) for name in ("day", "revision"))
    sums = RevisionSums(starts, revisions)
    put = cursor.execute(PERIODS, {"rollup": rollup, "tenant": tenant}).fetchall()
    kept = [
        (Kept(Period(period), start, end), revision)
        for period, start, end, revision in put
        if sums.within(start, end) == revision
    ]
    found = {Period.DAY: Stretch(starts, revisions)}
    for period in (Period.WEEK, Period.MONTH):
        own = [(each.start, revision) for each, revision in kept if each.period is period]
        found[period] = Stretch(*np.array(own, np.int64).reshape(-1, 2).T)
    return Versions(tuple(each for each, _ in kept), found)
