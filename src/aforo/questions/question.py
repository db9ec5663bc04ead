"""A question whose every word is known to be right."""

from __future__ import annotations

from dataclasses import dataclass

from aforo.engines.reads import Split
from aforo.model.condition import Condition
from aforo.questions.comparison import Against, Comparison
from aforo.windows import Grain, Window, Zone

TIME, PARTIAL, OTHER = "time", "partial", "other"
"""Columns of an answer that are no dimension and no metric."""
PER_DAY, COMPARED, CHANGE, DELTA = "_per_day", "_compared", "_change", "_delta"
"""Behind a metric's name: its average day, the other window's value, absolute and relative change."""


def suffixes_of(compare: Comparison | None, *, per_day: bool) -> tuple[str, ...]:
    """What stands behind a metric's name in the columns that it has, its own first."""
    compared: tuple[str, ...] = ()
    if compare is not None:
        compared = (COMPARED, *((CHANGE,) if compare.against is Against.BEFORE else ()), DELTA)
    return ("", *((PER_DAY,) if per_day else ()), *compared)


@dataclass(frozen=True, slots=True)
class Order:
    """A column of the answer that its rows are ordered by."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Metrics for one tenant, over a window, by grain and split.

    What is read is of one stream, `stream`; what was asked may have metrics of several, first of this.
    """

    tenant: str
    stream: str
    metrics: tuple[str, ...]
    window: Window
    grain: Grain
    by: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()  # all must hold
    compare: Comparison | None = None
    daily: bool = False  # what can be averaged by day is, beside the whole
    order: tuple[Order, ...] = ()
    limit: int | None = None  # of groups; the others are merged into one
    totals: bool = False
    kept: tuple[Split, ...] | None = None  # the groups that the limit leaves, once that is known
    zone: Zone  # cuts the buckets, and is shown
    tenant_zone: Zone  # its days are what rollups keep
