"""Observations gathered into calendar weeks, months, quarters or years."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from aforo.runs.expression.members import Choice, Member, Part, Periods
from aforo.runs.expression.node import Expression, Kind
from aforo.runs.expression.nulls import Cause, Causes
from aforo.runs.expression.points import Operand, Points, only, settled
from aforo.runs.expression.unit import Unit, one_unit
from aforo.runs.series import Dates, Numbers

Counts: TypeAlias = npt.NDArray[np.int64]


class Frequency(StrEnum):
    """The calendar periods; a week begins on Monday."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class ResampleFunction(StrEnum):
    """What is told of the values in a bucket."""

    SUM = "sum"
    MEAN = "mean"
    FIRST = "first"
    LAST = "last"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"


@dataclass(frozen=True, slots=True)
class Resample(Kind):
    """A function of all values in each calendar week (from Monday), month, quarter or year.

    A bucket's date is its first day. Every bucket from that of the first date to that of the last one is
    there: one without any date is null as missing. Nulls are passed over; a bucket of nulls only is null by
    the cause of its first. A bucket that the series begins or ends within counts like any other, unless it
    has fewer values than `minimumPeriods`: then it is null as a short window.
    """

    of: Expression
    frequency: Frequency
    function: ResampleFunction
    minimum_periods: int = 1

    MEMBERS: ClassVar[tuple[Member, ...]] = (
        Part("of", "What is gathered."),
        Choice("frequency", "The calendar period of a bucket.", Frequency),
        Choice("function", "What is told of a bucket.", ResampleFunction),
        Periods("minimum_periods", "The least number of values in a bucket.", default=1),
    )

    @property
    def parts(self) -> Mapping[str, Expression]:
        return {"of": self.of}

    def unit(self, units: Mapping[str, Unit | None]) -> Unit | None:
        return one_unit(units)

    def points(self, parts: Mapping[str, Operand]) -> Points:
        of = only(parts)
        numbers = numbered(of.dates, self.frequency)
        if not len(numbers):
            return of
        first, length = numbers[0], int(numbers[-1] - numbers[0]) + 1
        counts = np.bincount(numbers[of.there] - first, minlength=length)
        values = np.full(length, np.nan)
        values[counts > 0] = self._told(of.values[of.there], counts[counts > 0])
        causes = _causes(of, numbers - first, length)
        causes[(counts > 0) & (counts < self.minimum_periods)] = Cause.SHORT_WINDOW
        nulls = np.bincount(numbers[~of.there] - first, minlength=length)
        points = settled(started(first + np.arange(length), self.frequency), values, causes)
        return Points(points.dates, points.values, points.causes, int(nulls[points.there].sum()))

    def _told(self, values: Numbers, counts: Counts) -> Numbers:
        """What is told of groups of values that stand one after another, each with at least one."""
        ends: Counts = np.cumsum(counts)
        starts: Counts = ends - counts
        match self.function:
            case ResampleFunction.FIRST:
                return values[starts]
            case ResampleFunction.LAST:
                return values[ends - 1]
            case ResampleFunction.MINIMUM:
                return np.minimum.reduceat(values, starts)
            case ResampleFunction.MAXIMUM:
                return np.maximum.reduceat(values, starts)
        sums: Numbers = np.add.reduceat(values, starts)
        return sums if self.function is ResampleFunction.SUM else np.divide(sums, counts)


def numbered(dates: Dates, frequency: Frequency) -> Counts:
    """The number of the period that each date lies in, counted from that of 1970-01-01."""
    if frequency is Frequency.WEEK:
        return (dates.astype(np.int64) + _THURSDAY) // 7
    months = dates.astype("datetime64[M]").astype(np.int64)
    return months // _MONTHS[frequency]


def started(numbers: Counts, frequency: Frequency) -> Dates:
    """The first day of each numbered period."""
    if frequency is Frequency.WEEK:
        return (numbers * 7 - _THURSDAY).astype("datetime64[D]")
    return (numbers * _MONTHS[frequency]).astype("datetime64[M]").astype("datetime64[D]")


_THURSDAY = 3  # days from Monday to the weekday of 1970-01-01
_MONTHS = MappingProxyType({Frequency.MONTH: 1, Frequency.QUARTER: 3, Frequency.YEAR: 12})


def _causes(of: Points, buckets: Counts, length: int) -> Causes:
    """Of each bucket the cause of its first null, missing where it has no date, 0 where it has a value."""
    causes = np.full(length, Cause.MISSING, dtype=np.uint8)
    met, at = np.unique(buckets, return_index=True)
    causes[met] = of.causes[at]
    causes[buckets[of.there]] = 0
    return causes
