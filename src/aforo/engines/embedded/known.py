"""What the tables say of a tenant beside rows: which slots wait, and which version everything kept has.

It is read whole for the streams and rollups that are asked, so that every window is told from it in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.periods import Times
from aforo.engines.embedded.versions import Put, Stretch, Versions, versions

WAITING = """
-- Which slots of a tenant's streams wait for a fold, and of their sources for something to be derived, each
-- with its oldest commit and when that was made; marks of a rollup built over no commit at all have none.
SELECT derived, of, epoch_us(slot) AS slot, number, coalesce(epoch_us(made_at), $untold) AS made_at
FROM (
    SELECT false AS derived, list_position($streams, stream) - 1 AS of, slot, min("commit") AS number
    FROM ledger WHERE tenant = $tenant AND list_contains($streams, stream) GROUP BY ALL
    UNION ALL
    SELECT true, list_position($streams, stream) - 1, slot, min(since)
    FROM derive_marks WHERE tenant = $tenant AND list_contains($streams, stream) GROUP BY ALL
) AS waiting LEFT JOIN commits ON commits."commit" = number ORDER BY slot
"""

REVISIONS = """
-- How often each day of a tenant's streams was folded: its version, which is raised with any of its rows.
SELECT list_position($streams, stream) - 1 AS of, epoch_us(day) AS day, revision
FROM revisions WHERE tenant = $tenant AND list_contains($streams, stream) ORDER BY day
"""

PERIODS = """
-- Of which version of their days the weeks and months of a tenant's rollups are.
SELECT rollup, period, epoch_us(start), epoch_us("end"), revision,
    coalesce(without, [])
FROM period_versions WHERE tenant = $tenant AND list_contains($rollups, rollup) ORDER BY start
"""


UNTOLD = int(np.iinfo(np.int64).min)
"""In the place of when a commit was made of which that is not known."""


@dataclass(frozen=True, slots=True)
class Marked:
    """Slots that wait, ascending, each with the oldest commit that does and when it was made."""

    slots: Times
    commits: Times
    made_at: Times

    def only(self, chosen: npt.NDArray[np.bool_]) -> Marked:
        """Some of them."""
        return Marked(self.slots[chosen], self.commits[chosen], self.made_at[chosen])

    def within(self, start: int, end: int) -> tuple[int, int | None] | None:
        """The first slot of `[start, end)` that waits, and since when the oldest does, where that is told."""
        first, last = self.slots.searchsorted((start, end)).tolist()
        if first == last:
            return None
        since = int(self.made_at[first + int(self.commits[first:last].argmin())])
        return int(self.slots[first]), None if since == UNTOLD else since


@dataclass(frozen=True, slots=True)
class Subjects:
    """Streams, and rollups by their hash, of which something is to be known."""

    streams: tuple[str, ...]
    rollups: tuple[str, ...] = ()

    def __contains__(self, other: Subjects) -> bool:
        return {*other.streams} <= {*self.streams} and {*other.rollups} <= {*self.rollups}

    def __or__(self, other: Subjects) -> Subjects:
        return Subjects(
            tuple(dict.fromkeys((*self.streams, *other.streams))),
            tuple(dict.fromkeys((*self.rollups, *other.rollups))),
        )

    def __len__(self) -> int:
        return len(self.streams) + len(self.rollups)


@dataclass(frozen=True, slots=True)
class Known:
    """What one snapshot has of a tenant, for the streams and rollups of `subjects`."""

    subjects: Subjects
    marked: Mapping[str, Marked]  # by stream: slots that wait for a fold
    source: Mapping[str, Marked]  # by derived stream: slots of its source that it is to be derived from
    days: Mapping[str, Stretch]  # by stream: versions
    put: Mapping[str, Sequence[Put]]  # by rollup: weeks and months
    size: int  # how many rows that is

    def versions(self, stream: str, rollup: str) -> Versions:
        """Those of a rollup and its stream."""
        return versions(self.days[stream], self.put[rollup])


def read(cursor: Cursor, tenant: str, subjects: Subjects) -> Known:
    """As the cursor's snapshot has it."""
    of_streams: dict[str, object] = {"tenant": tenant, "streams": list(subjects.streams)}
    waiting = _numbers(cursor.execute(WAITING, {**of_streams, "untold": UNTOLD}).fetchnumpy())
    marks = Marked(waiting["slot"], waiting["number"], waiting["made_at"])
    days = _numbers(cursor.execute(REVISIONS, of_streams).fetchnumpy())
    put = _put(cursor, tenant, subjects.rollups) if subjects.rollups else {}
    marked, source = (
        {
            name: marks.only((waiting["derived"] == derived) & (waiting["of"] == at))
            for at, name in enumerate(subjects.streams)
        }
        for derived in (False, True)
    )
    return Known(
        subjects,
        marked,
        source,
        {
            name: Stretch(days["day"][days["of"] == at], days["revision"][days["of"] == at])
            for at, name in enumerate(subjects.streams)
        },
        put,
        len(marks.slots) + len(days["day"]) + sum(map(len, put.values())),
    )


def _put(cursor: Cursor, tenant: str, rollups: Sequence[str]) -> dict[str, list[Put]]:
    found: dict[str, list[Put]] = {rollup: [] for rollup in rollups}
    for rollup, *put in cursor.execute(PERIODS, {"tenant": tenant, "rollups": list(rollups)}).fetchall():
        period, start, end, revision, without = put
        found[rollup].append((period, start, end, revision, without))
    return found


def _numbers(columns: Mapping[str, npt.NDArray[np.generic]]) -> dict[str, Times]:
    return {name: np.asarray(column, np.int64) for name, column in columns.items()}
