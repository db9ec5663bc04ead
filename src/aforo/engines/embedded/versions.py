"""Which version each of a tenant's days, weeks and months has: what of a rollup's rows may have changed.

Whatever changes rows of a day raises its revision in the same transaction, and a week's or month's version is
the sum of its days'. So rows that were read with the versions they had are known to be those of now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from aforo.engines.coarsening import Kept
from aforo.engines.embedded.layout import PERIODS_OF_DAYS
from aforo.engines.embedded.periods import RevisionSums, Times
from aforo.engines.folds import Period
from aforo.windows import Window

Put: TypeAlias = tuple[str, int, int, int, list[str]]
"""A week or month that was put together: which, its start and end, the version of its days, and the measures
whose sets it is without."""


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

    kept: tuple[tuple[Kept, frozenset[str]], ...]  # each with the measures whose sets it is without
    of: dict[Period, Stretch]

    def within(self, window: Window, sets: Iterable[str]) -> tuple[Kept, ...]:
        """The weeks and months that lie in a window of days and have the sets of some measures."""
        return tuple(
            each
            for each, without in self.kept
            if each.start >= window.start and each.end <= window.end and without.isdisjoint(sets)
        )


def versions(days: Stretch, put: Sequence[Put]) -> Versions:
    """Those that one snapshot has of a rollup's days, and of its weeks and months in their order."""
    of = np.array([row[1:4] for row in put], np.int64).reshape(-1, 3)
    current = RevisionSums(days.starts, days.versions).within_each(of[:, 0], of[:, 1]) == of[:, 2]
    kept = [row for row, is_current in zip(put, current.tolist(), strict=True) if is_current]
    found = {Period.DAY: days}
    for each in PERIODS_OF_DAYS:
        own = [(start, revision) for period, start, _, revision, _ in kept if period == each]
        found[each] = Stretch(*np.array(own, np.int64).reshape(-1, 2).T)
    told = ((Kept(Period(period), start, end), frozenset(without)) for period, start, end, _, without in kept)
    return Versions(tuple(told), found)
