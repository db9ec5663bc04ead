"""Finished weeks and months, kept as merges of their days for as long as those days stay what they were.

A kept period carries the sum of its days' revisions. A fold raises those, and so takes a period out of use
without touching it; it is put together again from the days when nothing in it waits for a fold any more.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from aforo.engines.coarsening import Kept
from aforo.engines.embedded.catalog import Catalog
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import PERIODS_OF_DAYS, MeasureLayout, RollupLayout
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.folds import Period
from aforo.model.measure import MeasureKind
from aforo.windows import Window

Times = npt.NDArray[np.int64]

CREATE = """
-- Which weeks and months are kept, and the sum of their days' revisions when they were put together. Their
-- rows are without the sets of some measures; nulls of before there were such.
CREATE TABLE IF NOT EXISTS period_versions (
    rollup VARCHAR NOT NULL, tenant VARCHAR NOT NULL, period VARCHAR NOT NULL, start TIMESTAMP NOT NULL,
    "end" TIMESTAMP NOT NULL, revision BIGINT NOT NULL, without VARCHAR[]
)
"""

ADD_WITHOUT = "ALTER TABLE period_versions ADD COLUMN IF NOT EXISTS without VARCHAR[]"

FORGET_DROPPED = """
-- Of a rollup that is gone; one that means the same and comes back begins anew.
DELETE FROM period_versions WHERE rollup NOT IN (SELECT hash FROM rollups)
"""

KEPT = """
-- The weeks and months of a rollup that were put together, within a window, and the revisions of its days.
SELECT period, epoch_us(start) AS start, epoch_us("end") AS "end", revision FROM period_versions
WHERE rollup = $rollup AND tenant = $tenant AND start >= $first AND "end" <= $last
    AND NOT list_has_any(coalesce(without, []), $sets)
UNION ALL
SELECT NULL, epoch_us(day), NULL, revision FROM revisions
WHERE stream = $stream AND tenant = $tenant AND day >= $first AND day < $last
"""

REVISIONS = """
-- How often each day of a window was folded, ascending.
SELECT epoch_us(day) AS day, revision FROM revisions
WHERE stream = $stream AND tenant = $tenant AND day >= $first AND day < $last ORDER BY day
"""


def make_room(cursor: Cursor, catalog: Catalog, layouts: Iterable[RollupLayout]) -> None:
    """Tables for the weeks and months of rollups, in data directories of before there were any too."""
    catalog.make("period_versions", CREATE)
    cursor.execute(ADD_WITHOUT)
    cursor.execute(FORGET_DROPPED)
    for layout in layouts:
        for period in PERIODS_OF_DAYS:
            catalog.make(
                layout.table_name(period),
                f"CREATE TABLE IF NOT EXISTS {layout.table(period)} ({layout.columns_sql})",
            )


class RevisionSums:
    """The revisions of ascending days, summed over any stretch of them."""

    def __init__(self, days: Times, revisions: Times) -> None:
        self.days = days
        self._running = np.concatenate(([0], np.cumsum(revisions)))

    @classmethod
    def of(cls, cursor: Cursor, stream: str, tenant: str, window: Window) -> RevisionSums:
        """Those of a tenant's days that begin in the window."""
        bounds = {"first": timestamp(window.start), "last": timestamp(window.end)}
        found = cursor.execute(REVISIONS, {"stream": stream, "tenant": tenant, **bounds}).fetchnumpy()
        return cls(np.asarray(found["day"], np.int64), np.asarray(found["revision"], np.int64))

    def within(self, start: int, end: int) -> int:
        """The sum over the days that begin in a stretch."""
        first, last = np.searchsorted(self.days, (start, end))
        return int(self._running[last] - self._running[first])

    def within_each(self, starts: Times, ends: Times) -> Times:
        """The sums over many stretches."""
        found: Times = (
            self._running[self.days.searchsorted(ends)] - self._running[self.days.searchsorted(starts)]
        )
        return found


def kept_periods(
    cursor: Cursor,
    stream: str,
    layout: RollupLayout,
    tenant: str,
    window: Window,
    measures: Iterable[MeasureLayout],
    sql: list[str],
) -> tuple[Kept, ...]:
    """The weeks and months in a window of days whose rows are what those days are now.

    Those without the set of one of the measures are left out. `sql` is told what was run.
    """
    sql.append(KEPT)
    sets = [each.key for each in measures if each.measure.kind is MeasureKind.DISTINCT]
    asked: dict[str, object] = {"rollup": layout.hash, "stream": stream, "tenant": tenant, "sets": sets}
    bounds = {"first": timestamp(window.start), "last": timestamp(window.end)}
    found = cursor.execute(KEPT, {**asked, **bounds}).fetchall()
    days = sorted((day, revision) for period, day, _, revision in found if period is None)
    revisions = RevisionSums(*np.array(days, np.int64).reshape(-1, 2).T)
    return tuple(
        Kept(Period(period), start, end)
        for period, start, end, revision in found
        if period is not None and revisions.within(start, end) == revision
    )
