"""What is read of one tenant: states, paths, and how far all of it is folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from aforo.engines.folds import Period
from aforo.errors import QuestionTooLarge
from aforo.model.condition import Condition
from aforo.model.measure import Measure
from aforo.model.rollup import Rollup
from aforo.model.stream import Entity, Stream
from aforo.windows import Window

FEWER = "ask a shorter window, a coarser grain or fewer groups ('where', 'limit')"
"""What helps against too many groups in too many buckets."""
Split: TypeAlias = tuple[object, ...]
"""The values of a group, in the order of the dimensions that were asked."""


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
    distinct measures whose sets are wanted, and not only their sizes. With `kept` only these groups of the
    split are told apart, each named once, and all others are merged into one. `most_keys` bounds how many
    groups of how many buckets are told. Without `at_hand` the engine reads what it keeps, and tells by `sql`
    how, though it may have the rows in memory.
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
    kept: tuple[Split, ...] | None = None
    most_keys: int | None = None
    at_hand: bool = True


def few_enough(keys: int, most: int | None) -> None:
    """Raises QuestionTooLarge where more groups and buckets are found than are wanted."""
    if most is not None and keys > most:
        raise QuestionTooLarge(
            f"the answer would have at least {keys:,} rows, and it may have {most:,}", hint=FEWER
        )


@dataclass(frozen=True, slots=True)
class States:
    """Merged states, one for each (bucket, split values) that has rows.

    What is merged of groups that were not to be kept has the split `()`, which no group of a split has.

    `values` holds by measure's name, in the order of `keys`: an int for counts; the scaled int for sums, None
    where nothing was summed; the value or None for minimum and maximum; the size of the union for distinct;
    a `states.histogram.Histogram` for histograms. Of what `sets` names it holds the union itself, a `BitMap`
    of ordinals. `periods` tells of which the rows were that were merged, finest first: whole weeks and months
    of the days that were asked, where they are kept.
    """

    keys: tuple[tuple[int, Split], ...]
    values: Mapping[str, Sequence[object]]
    rows_read: int
    sql: tuple[str, ...] = field(default=())
    periods: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class PathsRequest:
    """Which events of one tenant are steps of an entity's path: numbers from 0 to 7, with what must hold.

    Of `among` only, a set of ordinals, where it is given.
    """

    tenant: str
    stream: Stream
    entity: Entity
    steps: tuple[tuple[int, tuple[Condition, ...]], ...]
    window: Window
    among: BitMap | None = None


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
class Sight:
    """An event's time in microseconds, or where `of_event` is false the start of the tenant's day."""

    time: int
    of_event: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """When a value of an entity was seen.

    `known_from` is None where nothing that was ever kept could tell otherwise; else the value may have been
    seen before it, in events that were purged and that no rollup's sets tell of.
    """

    first: Sight
    last: Sight
    known_from: int | None
