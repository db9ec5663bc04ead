"""What every engine does, and the values that pass between it and the rooms above.

The protocol is commit-shaped: an append gives a commit number, a fold reads as of a commit and hands
its rows back to be written, and nothing needs a lock between the two. There is no way to read
without naming a tenant; the few verbs that look across tenants are the operator's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.drifted import DaysChecked, KeptDays, Returned
from aforo.engines.refused import KeptSample, Sample, SamplesAsked
from aforo.model.condition import Condition
from aforo.model.measure import Measure
from aforo.model.model import Model
from aforo.model.rollup import Rollup
from aforo.model.stream import Entity, Stream
from aforo.model.tenant import Tenant
from aforo.windows import Window, Zone

UNKNOWN = "?"


class Period(StrEnum):
    """The periods for which rollup rows are kept, finest first.

    Slots and days are a fold's; finished weeks and months are put together from days, read for them.
    """

    SLOT = "slot"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class StreamRows:
    """Events of one stream as columns, every one of them fit to be kept.

    `rows` has `tenant` and `id` (strings), `time` (naive UTC microseconds), `untimed` (the sender gave no
    time, so it is the arrival's) and a column for each field of the stream that came.
    """

    stream: Stream
    rows: pa.Table


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """How many events were refused with a code; `?` for an unknown name."""

    stream: str
    tenant: str
    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class Volume:
    """How many bytes were brought for a stream and tenant, whatever became of its events."""

    stream: str
    tenant: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Append:
    """What one commit is asked to keep; `arrival` is in microseconds.

    Refusals count for the tenants that events or the `owners` of senders have named, else for `?`.
    """

    rows: tuple[StreamRows, ...]
    refused: tuple[OutcomeCount, ...]
    arrival: int
    volumes: tuple[Volume, ...] = ()
    samples: tuple[Sample, ...] = ()
    owners: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Commit:
    """A durable transaction: `fresh[i]` tells which of the i-th stream's rows were not there before.

    `dirty_from` is the start of the earliest slot that waits for a fold, by stream and tenant of the rows.
    `sealed[i]` are the i-th stream's rows that were older than a seal, and that seal; none of them is kept.
    """

    number: int
    fresh: tuple[npt.NDArray[np.bool_], ...]
    dirty_from: Mapping[tuple[str, str], int]
    sealed: tuple[Mapping[int, int], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Starts of slots or days side by side with whose they are, ordered by tenant and start."""

    tenants: npt.NDArray[np.object_]
    starts: npt.NDArray[np.int64]

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

    def by_tenant(self) -> dict[str, npt.NDArray[np.int64]]:
        """Each tenant's starts, ascending."""
        names, first = np.unique(self.tenants, return_index=True)
        return dict(zip(names.tolist(), np.split(self.starts, first[1:]), strict=True))


@dataclass(frozen=True, slots=True)
class Claim:
    """Dirty slots of one stream, of one tenant or many, to be folded together.

    A claim that is `settling` is of slots that do not wait: they were merged into, and are replaced once.
    """

    stream: str
    slots: Places
    settling: bool = False


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
    sums: pa.Table
    buckets: pa.Table | None
    sets: pa.Table | None

    @property
    def parts(self) -> tuple[pa.Table | None, ...]:
        """The rows of each part, None for one that the rollup does not have."""
        return self.sums, self.buckets, self.sets


@dataclass(frozen=True, slots=True)
class Folded:
    """What a fold read as of a commit: rows to be written, and the ledger rows they answer.

    `day_of` names the day of each claimed slot by its place in `days`; `revisions` are those that the days
    had when they were read. `held` tells of each claimed slot whether what comes next is merged into it.
    """

    claim: Claim
    as_of: int
    day_of: npt.NDArray[np.int64]
    days: Places
    revisions: npt.NDArray[np.int64]
    periods: tuple[FoldedPeriod, ...]
    held: npt.NDArray[np.bool_]
    rows_read: int

    @property
    def rows_written(self) -> int:
        """How many rows of rollups there are to be written."""
        parts = [part for period in self.periods for part in period.parts]
        return sum(part.num_rows for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Derived:
    """Which slots of the source one step answered, and which of the derived stream it changed."""

    stream: str
    answered: Places
    changed: Places
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows of a period with `start <= row.start < end`; a request names slots and days only."""

    period: Period
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class StatesRequest:
    """Which states of one tenant to merge.

    `edges` are the starts of the answer's buckets, ascending: a row belongs to the last edge at or before
    its start. With no `rollup` the events themselves are read, one `SLOT` segment a window. `sets` names the
    distinct measures whose sets are wanted, and not only their sizes.
    """

    tenant: str
    stream: Stream
    rollup: Rollup | None
    measures: tuple[Measure, ...]
    by: tuple[str, ...]
    where: tuple[Condition, ...]
    segments: tuple[Segment, ...]
    edges: tuple[int, ...]
    sets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class States:
    """Merged states, one for each (bucket, split values) that has rows.

    `values` holds by measure's name, in the order of `keys`: an int for counts; the scaled int for sums, None
    where nothing was summed; the value or None for minimum and maximum; the size of the union for distinct;
    a `states.histogram.Histogram` for histograms. Of what `sets` names it holds the union itself, a `BitMap`
    of ordinals. `periods` tells of which the rows were that were merged, finest first: whole weeks and months
    of the days that were asked, where they are kept.
    """

    keys: tuple[tuple[int, tuple[object, ...]], ...]
    values: Mapping[str, Sequence[object]]
    rows_read: int
    sql: tuple[str, ...] = field(default=())
    periods: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class PathsRequest:
    """Which events of one tenant are steps of an entity's path: numbers from 0 to 7, with what must hold."""

    tenant: str
    stream: Stream
    entity: Entity
    steps: tuple[tuple[int, tuple[Condition, ...]], ...]
    window: Window


@dataclass(frozen=True, slots=True)
class Paths:
    """Events in any order: the entity's ordinal, the time in microseconds, and bit i set for step i."""

    ordinals: npt.NDArray[np.uint32]
    times: npt.NDArray[np.int64]
    steps: npt.NDArray[np.uint8]
    sql: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the fold has come for a stream and tenant in a window.

    `commit` is the last durable one. `dirty_from` is the start of the first slot of the window that waits
    for a fold, `unfolded_since` when the oldest waiting commit was made, `revision` the sum of the days'.
    """

    commit: int
    dirty_from: int | None
    unfolded_since: int | None
    revision: int


@dataclass(frozen=True, slots=True)
class Seal:
    """How far back a stream is kept for a tenant, in microseconds; 0 where nothing was purged.

    Events, and rollups' slots, are kept from these times on. Both are starts of days of the tenant, and what
    is older is never taken, folded or built again.
    """

    events_from: int = 0
    slots_from: int = 0


@dataclass(frozen=True, slots=True)
class PurgeAsked:
    """What is to be purged of a stream and tenant: events and rollups' slots before two instants, 0: none.

    About `most_rows` events go in one transaction, and never less than a day's.
    """

    stream: str
    tenant: str
    events_before: int
    slots_before: int
    most_rows: int


@dataclass(frozen=True, slots=True)
class Purged:
    """What one purge deleted, how far back is kept now, and whether there is more to purge."""

    events: int
    slot_rows: int
    seal: Seal
    more: bool


@dataclass(frozen=True, slots=True)
class Earlier:
    """A rollup that serves on while one of its name is built: as it was declared in an earlier model.

    `stream` has its measures, under their own names, and its fields as they are now.
    """

    stream: Stream
    rollup: Rollup
    model_version: str


@dataclass(frozen=True, slots=True)
class Build:
    """A rollup that is being built, of how many slots, how many are left, and what serves in its place."""

    stream: str
    rollup: str
    hash: str
    slots: int
    slots_left: int
    earlier: Earlier | None

    @property
    def progress(self) -> float:
        """The share of its slots that is built, 0 to 1."""
        return max(0.0, 1 - self.slots_left / self.slots)


@dataclass(frozen=True, slots=True)
class Built:
    """What one step has built of a rollup, and whether it serves from now on."""

    stream: str
    rollup: str
    slots: int
    serves: bool


@dataclass(frozen=True, slots=True)
class Held:
    """What of a window could be folded again: slots that hold anything, and the events in them."""

    slots: int
    events: int


@dataclass(frozen=True, slots=True)
class Marked:
    """Slots that were marked to be folded again, the first of which begins at `start`.

    They are answered once no mark of theirs as of `commit` or before is left.
    """

    start: int
    slots: int
    events: int
    commit: int


@dataclass(frozen=True, slots=True)
class ErasureAsked:
    """Whose value of an entity is to be erased; `shown` is how it may stand in samples of refused events."""

    id: str
    tenant: str
    entity: str
    value: str = field(repr=False)
    shown: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Erased:
    """What one step of an erasure deleted and marked, as of which commit, and whether there may be more."""

    events: int
    slots: int
    commit: int
    more: bool


@dataclass(frozen=True, slots=True)
class StreamStatistics:
    """How much of a stream is kept for a tenant; `first` and `last` are slots' starts."""

    stream: str
    tenant: str
    events: int
    first: int | None
    last: int | None
    dirty_slots: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """The engine at a glance, across tenants: the operator's view."""

    engine: str
    version: str
    commit: int
    file_bytes: int
    streams: tuple[StreamStatistics, ...]
    outcomes: Mapping[str, int]
    builds: tuple[Build, ...] = ()


class Engine(Protocol):
    """The verbs; every one may be called from any thread."""

    @property
    def name(self) -> str:
        """Which engine this is, as settings and statistics call it."""
        ...

    def apply_model(self, model: Model, default_tenant: Tenant) -> None:
        """Makes room for the model's streams, rollups and tenants, in one transaction.

        A rollup that is new or means something else is built aside from the events; until it is whole an
        earlier one of its name serves on. Tenants that only
        events name are given `default_tenant`'s zone and week start.
        Raises `ModelConflict` where kept events or rollups would come to mean something else.
        """
        ...

    def append(self, append: Append) -> Commit:
        """Keeps events not seen before, their ledger rows and all counts; durable when it returns."""
        ...

    def derive(self, max_rows: int) -> Derived | None:
        """Brings derived streams up to the newest changed days of their sources; None where nothing waits.

        It takes about so many changed events at once, and marks the slots whose derived events changed.
        """
        ...

    def claim(self, max_rows: int) -> Claim | None:
        """Dirty slots of one stream, about `max_rows` events but one slot at least; None where none is dirty.

        Streams take turns. Slots that are still filling come first, then those of tenants for whom little
        waits, then one tenant's backlog after the other; of each tenant the newest.
        """
        ...

    def fold(self, claim: Claim) -> Folded:
        """Computes the rollup rows of a claim's slots and days from one snapshot; writes nothing."""
        ...

    def replace(self, folded: Folded, *, rows_at_once: int | None = None) -> None:
        """Writes what a fold computed, raises its days' revisions, and removes the marks it answered.

        A day that another fold has written in between is left out: what was read of it is old, and its marks
        wait to be claimed again. With `rows_at_once` a transaction writes about so many rows, but whole days.
        """
        ...

    def build_periods(self, now: int) -> int:
        """Puts together the newest finished weeks and months that are not kept, or not as their days now are.

        Gives how many, bounded in rows; 0 where nothing is left. What waits for a fold is left for later.
        """
        ...

    def read_states(self, request: StatesRequest, *, time_limit_seconds: float) -> States:
        """Merges the asked states of one tenant from one snapshot.

        Raises `TimeLimit`, and `RollupReplaced` where another rollup serves in the place of the asked one.
        """
        ...

    def read_paths(self, request: PathsRequest, *, time_limit_seconds: float) -> Paths:
        """The raw events of one tenant that are steps, from one snapshot. Raises `TimeLimit`."""
        ...

    def standing(self, stream: str, tenant: str, window: Window) -> Standing:
        """What of a window is folded, as of now."""
        ...

    def estimate_raw(self, stream: str, tenant: str, window: Window) -> int:
        """How many events a raw question over the window would read."""
        ...

    def extent(self, stream: str, tenant: str) -> Window | None:
        """From the first kept event's slot to the end of the last one's; None where there are none."""
        ...

    def tenants_of(self, stream: str) -> tuple[str, ...]:
        """Everyone who has events of a stream: for the operator."""
        ...

    def build(self, max_rows: int) -> Built | None:
        """Builds the newest slots that a rollup which does not serve yet lacks; None where none lacks any.

        With the last it takes the place of the earlier one of its name, in the same transaction.
        """
        ...

    def builds(self, stream: str | None = None) -> tuple[Build, ...]:
        """What is being built, of a stream or of all; asking is cheap where nothing is."""
        ...

    def held(self, stream: str, tenant: str, window: Window) -> Held:
        """What of a window of whole slots could be folded again."""
        ...

    def mark(self, stream: str, tenant: str, window: Window, most_events: int) -> Marked | None:
        """Marks the newest slots of a window to be folded again, at least one; None where there are none."""
        ...

    def answered(self, stream: str, tenant: str, window: Window, commit: int) -> bool:
        """Whether all that was marked in a window as of a commit or before has been folded."""
        ...

    def tenant(self, name: str) -> Tenant | None:
        """A tenant that the model or an event has named; kept at hand, so that asking is cheap."""
        ...

    def zone(self, tenant: str) -> Zone:
        """A tenant's zone and week start; the default's where nobody has named the tenant."""
        ...

    def days_wait(self, stream: str, tenant: str) -> bool:
        """Whether days are being made anew for another zone; until then only slots and events are right."""
        ...

    def seal(self, stream: str, tenant: str) -> Seal:
        """How far back a stream is kept for a tenant; kept at hand.

        It moves before anything is deleted: who finds it unmoved after reading has read all that it tells of.
        """
        ...

    def births(self, stream: str, tenant: str) -> Mapping[str, Mapping[str, int]]:
        """From when on rollups keep measures, where that is a seal: by rollup and measure; kept at hand."""
        ...

    def purgeable(self, stream: str, before: int) -> tuple[str, ...]:
        """The tenants that have events, or slots of rollups, before an instant: for the operator."""
        ...

    def purge(self, asked: PurgeAsked) -> Purged:
        """Deletes whole folded days of the tenant, oldest first, and seals them in one transaction."""
        ...

    def unname(self, asked: ErasureAsked) -> None:
        """Takes the value's number away, which whoever comes with it later does not get again.

        The value goes from the dictionary, from refused events and from the splits of rollups; its events
        stay until they are erased. Doing it again under the same id changes nothing.
        """
        ...

    def erase(self, erasure: str, tenant: str, most_rows: int) -> Erased:
        """Deletes events of what an erasure unnamed, and marks their slots to be folded from what is left.

        Sealed rollups keep their counts, and the number without a name.
        """
        ...

    def waits(self, tenant: str, entity: str, commit: int) -> bool:
        """Whether slots of an entity's streams still wait for a fold that were marked up to a commit."""
        ...

    def dirty_slots(self) -> int:
        """How many slots of all tenants wait for a fold."""
        ...

    def statistics(self) -> Statistics:
        """Counts and sizes across tenants, for the operator."""
        ...

    def refused(self, asked: SamplesAsked) -> tuple[KeptSample, ...]:
        """The newest refused events, newest first, across tenants unless one is named: for the operator."""
        ...

    def kept_days(self) -> tuple[KeptDays, ...]:
        """Which days of which stream and tenant there is anything of, across tenants: for the operator."""
        ...

    def check_days(self, stream: str, tenant: str, days: Sequence[int]) -> DaysChecked:
        """Holds the rollups of some days, given by their starts, against the events, as of one moment."""
        ...

    def returned_ids(self, stream: str, tenant: str, days: Sequence[int] | None, *, limit: int) -> Returned:
        """The ids that stand under more than one time: all, or those of some days' events."""
        ...

    def mark_slots(self, stream: str, tenant: str, slots: npt.NDArray[np.int64]) -> None:
        """Marks slots to be folded again from their events; durable when it returns."""
        ...

    def close(self) -> None:
        """Lets running reads end, writes what is in the log into the file, and lets go of it."""
        ...
