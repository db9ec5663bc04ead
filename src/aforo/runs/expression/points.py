"""Values by date while they are computed, with the cause of each null beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aforo.runs.expression.nulls import Cause, Causes
from aforo.runs.series import Dates, Numbers, Series

Truths: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Rising dates, a value for each (NaN where there is a cause), and why it is null (0 where it is not).

    `passed_over` is how many nulls a window or bucket left out that has a value nevertheless.
    """

    dates: Dates
    values: Numbers
    causes: Causes
    passed_over: int = 0

    @property
    def there(self) -> Truths:
        """Which values are not null."""
        return np.equal(self.causes, 0)


Operand: TypeAlias = Points | float
"""A part of a computation: points, or a number on every date."""


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """The values of several operands on the same dates; the cause is that of the first that is null there."""

    dates: Dates
    values: Mapping[str, Numbers]
    causes: Causes


def of_series(series: Series) -> Points:
    """The points of a series; an infinite value counts as an overflow."""
    causes = np.where(np.isnan(series.values), Cause.NULL_INPUT, 0).astype(np.uint8)
    return settled(series.dates, series.values, causes)


def only(parts: Mapping[str, Operand]) -> Points:
    """The points of the only part."""
    (of,) = parts.values()
    assert isinstance(of, Points), "an expression without a series is refused when it is read"
    return of


def aligned(parts: Mapping[str, Operand]) -> Aligned:
    """All parts on all dates that any of them has; where one lacks a date it is null there, as missing."""
    dates = _all_dates([part.dates for part in parts.values() if isinstance(part, Points)])
    causes: Causes = np.zeros(len(dates), dtype=np.uint8)
    values: dict[str, Numbers] = {}
    for place, part in parts.items():
        if not isinstance(part, Points):
            values[place] = np.full(len(dates), part, dtype=np.float64)
            continue
        placed = _placed(part, dates)
        values[place] = placed.values
        causes = np.where(causes == 0, placed.causes, causes)
    return Aligned(dates, MappingProxyType(values), causes)


def settled(dates: Dates, values: Numbers, causes: Causes, *, by_zero: Truths | None = None) -> Points:
    """Computed values, made null where there is a cause, a division by zero, or nothing finite."""
    causes = causes.copy()
    if by_zero is not None:
        causes[(causes == 0) & by_zero] = Cause.DIVISION_BY_ZERO
    causes[(causes == 0) & ~np.isfinite(values)] = Cause.OVERFLOW
    return Points(dates, np.where(causes == 0, values, np.nan), causes)


def _all_dates(each: Sequence[Dates]) -> Dates:
    first, *others = each
    if all(np.array_equal(first, other) for other in others):
        return first
    # Each rises already, and a stable sort joins what is sorted; `unique` would sort all anew.
    merged: Dates = np.sort(np.concatenate(each), kind="stable")
    fresh: Truths = np.append(True, merged[1:] != merged[:-1])[: len(merged)]
    return merged[fresh]


def _placed(points: Points, dates: Dates) -> Points:
    if len(points.dates) == len(dates):
        return points
    at = np.searchsorted(dates, points.dates)
    values = np.full(len(dates), np.nan)
    causes = np.full(len(dates), Cause.MISSING, dtype=np.uint8)
    values[at], causes[at] = points.values, points.causes
    return Points(dates, values, causes)
