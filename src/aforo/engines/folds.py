"""What a fold claims, reads and hands back to be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.model.rollup import Rollup
from aforo.windows import SLOT

Tenants = npt.NDArray[np.object_]
Starts = npt.NDArray[np.int64]


class Period(StrEnum):
    """The periods for which rollup rows are kept, finest first.

    Slots and days are a fold's; finished weeks and months are put together from days, read for them.
    """

    SLOT = "slot"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Starts of slots or days side by side with whose they are, ordered by tenant and start."""

    tenants: Tenants
    starts: Starts

    def __len__(self) -> int:
        return len(self.starts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Places):
            return NotImplemented
        return np.array_equal(self.starts, other.starts) and np.array_equal(self.tenants, other.tenants)

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def of(cls, starts: Mapping[str, Sequence[int]]) -> Places:
        """The places of some starts of each tenant."""
        pairs = sorted((tenant, start) for tenant, own in starts.items() for start in own)
        tenants = np.array([tenant for tenant, _ in pairs], np.object_)
        return cls(tenants, np.array([start for _, start in pairs], np.int64))

    def only(self, chosen: npt.NDArray[np.bool_]) -> Places:
        """The places that are chosen."""
        return Places(self.tenants[chosen], self.starts[chosen])

    def pairs(self) -> Iterator[tuple[str, int]]:
        """Each place as a tenant and a start."""
        return zip(self.tenants.tolist(), self.starts.tolist(), strict=True)

    def spread(self, tenants: Tenants, starts: Starts, values: Starts, otherwise: int) -> Starts:
        """The values that rows have for some of these places, side by side with all of them."""
        names = np.array(self.names, np.object_)
        ends = np.searchsorted(self.tenants, names, "right")
        # Added, not shifted in: starts before 1970 are negative.
        own = np.repeat(np.arange(len(names)), np.diff(ends, prepend=0)) * 2**32 + self.starts // SLOT
        theirs = np.searchsorted(names, tenants) * 2**32 + starts // SLOT
        at = own.searchsorted(theirs)
        there = at < len(own)
        there[there] = own[at[there]] == theirs[there]
        out = np.full(len(self), otherwise, np.int64)
        out[at[there]] = values[there]
        return out

    @property
    def names(self) -> list[str]:
        """Whose the places are, each named once."""
        return list(dict.fromkeys(self.tenants.tolist()))

    def by_tenant(self) -> dict[str, npt.NDArray[np.int64]]:
        """Each tenant's starts, ascending."""
        names, first = np.unique(self.tenants, return_index=True)
        return dict(zip(names.tolist(), np.split(self.starts, first[1:]), strict=True))


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a claim, and `until` when, in seconds of the engine's own clock, if nothing renews it."""

    owner: str
    until: float


@dataclass(frozen=True, slots=True)
class Claim:
    """Dirty slots of one stream, of one tenant or many, to be folded together.

    A claim that is `settling` is of slots that do not wait: they were merged into, and are replaced once.
    Without a `lease` it is nobody's, and what is folded of it is not written by `replace`.
    """

    stream: str
    slots: Places
    settling: bool = False
    lease: Lease | None = None


@dataclass(frozen=True, slots=True)
class FoldedPeriod:
    """The rows of one rollup and period, with their `tenant`, that take the place of those kept for `starts`.

    Where `whole` is true they take that of all that are kept, else only of those of the same split, with
    which they were merged.
    """

    rollup: Rollup
    period: Period
    starts: Places
    whole: npt.NDArray[np.bool_]
    rows: pa.Table


@dataclass(frozen=True, slots=True)
class Folded:
    """What a fold read as of a commit: rows to be written, and the ledger rows they answer.

    `day_of` names the day of each claimed slot by its place in `days`; `revisions` are those that the days
    had when they were read. `held` tells of each claimed slot whether what comes next is merged into it, and
    `merged` whether this was: the others were made from all of their events.
    """

    claim: Claim
    as_of: int
    day_of: npt.NDArray[np.int64]
    days: Places
    revisions: npt.NDArray[np.int64]
    periods: tuple[FoldedPeriod, ...]
    held: npt.NDArray[np.bool_]
    merged: npt.NDArray[np.bool_]
    rows_read: int

    @property
    def rows_written(self) -> int:
        """How many rows of rollups there are to be written."""
        return sum(period.rows.num_rows for period in self.periods)


@dataclass(frozen=True, slots=True)
class Derived:
    """Which slots of the source one step answered, and which of the derived stream it changed."""

    stream: str
    answered: Places
    changed: Places
    added: int
    removed: int
