"""What an engine finds where its rollups are not what the events say, or an id has come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class Against(StrEnum):
    """What kept rows are held against."""

    EVENTS = "events"
    SLOTS = "slots"


@dataclass(frozen=True, slots=True)
class KeptDays:
    """The days of one stream and tenant that have events or rollup rows; starts, ascending, and events."""

    stream: str
    tenant: str
    days: npt.NDArray[np.int64]
    events: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A state that is not what it should be.

    `start` is its slot's or day's in microseconds, `split` the values of the rollup's dimensions. `measure`
    is None where the whole row is missing or too much. `kept` and `wanted` are in the measure's unit, as
    text; None is null, or nothing at all.
    """

    stream: str
    tenant: str
    rollup: str
    period: str
    start: int
    split: Mapping[str, object]
    measure: str | None
    against: Against
    wanted: str | None
    kept: str | None


@dataclass(frozen=True, slots=True)
class DaysChecked:
    """Some days of a stream and tenant, compared as of one moment.

    `found` counts all differences, of which the first are named; `slots` are those that a fold mends them
    by. `waiting` slots had events that were not folded yet: these were not compared, and neither were the
    days above them, which are not among the `days` compared.
    """

    stream: str
    tenant: str
    days: int
    waiting: int
    found: int
    differences: tuple[Difference, ...]
    slots: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ReturnedId:
    """An id of a tenant's that stands under more than one time, and so counts more than once (law 2).

    `times` are in microseconds, ascending: the first few of `count`.
    """

    stream: str
    tenant: str
    id: str
    count: int
    times: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Returned:
    """How many ids came back, and the first few of them by name."""

    found: int
    ids: tuple[ReturnedId, ...]
