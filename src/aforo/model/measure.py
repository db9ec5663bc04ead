"""A mergeable aggregate over a stream."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aforo.model.condition import Condition


class MeasureKind(StrEnum):
    """The kinds of state a measure can keep; each has its file in `states/`."""

    COUNT = "count"
    SUM = "sum"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    DISTINCT = "distinct"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is kept of the events for which every condition of `where` holds."""

    name: str
    kind: MeasureKind
    field: str | None = None  # None for count; the entity's field for distinct
    entity: str | None = None  # only for distinct
    where: tuple[Condition, ...] = ()
