"""Windows of observations that end on each date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np

from aforo.runs.expression.members import Choice, Member, Part, Periods
from aforo.runs.expression.node import Expression, Kind
from aforo.runs.expression.nulls import Cause
from aforo.runs.expression.points import Operand, Points, only, settled
from aforo.runs.expression.unit import Unit, one_unit
from aforo.runs.series import Numbers


class RollingFunction(StrEnum):
    """What is told of the values in a window."""

    MEAN = "mean"
    SUM = "sum"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"


@dataclass(frozen=True, slots=True)
class Rolling(Kind):
    """A function of the last `window` observations up to each date, that of the date included.

    Observations are counted by position among the dates of `of`. Nulls are passed over; a window with fewer
    than `minimumPeriods` values is null as a short window, at the beginning too.
    """

    of: Expression
    window: int
    function: RollingFunction
    minimum_periods: int | None = None

    MEMBERS: ClassVar[tuple[Member, ...]] = (
        Part("of", "What the windows are laid over."),
        Periods("window", "How many observations a window has."),
        Choice("function", "What is told of a window.", RollingFunction),
        Periods(
            "minimum_periods", "The least number of values in a window; the window by default.", default=None
        ),
    )

    @property
    def parts(self) -> Mapping[str, Expression]:
        return {"of": self.of}

    def contradictions(self) -> Iterator[tuple[str, str]]:
        if self.least > self.window:
            wanted = f"a number from 1 to {self.window} was wanted"
            yield "minimumPeriods", f"{self.least} values are never in a window of {self.window}; {wanted}"

    @property
    def least(self) -> int:
        """The least number of values a window has to have."""
        return self.window if self.minimum_periods is None else self.minimum_periods

    def unit(self, units: Mapping[str, Unit | None]) -> Unit | None:
        return one_unit(units)

    def points(self, parts: Mapping[str, Operand]) -> Points:
        of = only(parts)
        counts = windowed(np.add, of.there.astype(np.float64), self.window, 0)
        enough = counts >= self.least
        causes = np.where(enough, 0, Cause.SHORT_WINDOW).astype(np.uint8)
        points = settled(of.dates, self._told(of, counts), causes)
        # A null is passed over where a window that it lies in has a value: one of the next `window` ones.
        covered = windowed(np.maximum, enough[::-1].astype(np.float64), self.window, 0)[::-1]
        passed_over = int(np.count_nonzero(~of.there & (covered > 0)))
        return Points(points.dates, points.values, points.causes, passed_over)

    def _told(self, of: Points, counts: Numbers) -> Numbers:
        match self.function:
            case RollingFunction.MINIMUM:
                return windowed(np.minimum, np.where(of.there, of.values, np.inf), self.window, np.inf)
            case RollingFunction.MAXIMUM:
                return windowed(np.maximum, np.where(of.there, of.values, -np.inf), self.window, -np.inf)
        sums = windowed(np.add, np.where(of.there, of.values, 0), self.window, 0)
        return sums if self.function is RollingFunction.SUM else sums / counts


def windowed(combine: np.ufunc, values: Numbers, window: int, nothing: float) -> Numbers:
    """The values of each window joined by `combine`; before the first value there is `nothing`.

    The values are cut into blocks as long as a window, so that a window is the end of one block and the
    beginning of the next (van Herk 1992): joined once forwards and once backwards, each takes one step more,
    however long it is, and no value outside a window has touched its sum.
    """
    length = len(values)
    blocks = -(-(length + window - 1) // window)
    table = np.full((blocks, window), nothing, dtype=np.float64)
    table.reshape(-1)[window - 1 : window - 1 + length] = values
    beginnings = combine.accumulate(table, axis=1).reshape(-1)
    ends = combine.accumulate(table[:, ::-1], axis=1)[:, ::-1].reshape(-1)
    joined: Numbers = combine(ends[:length], beginnings[window - 1 : window - 1 + length])
    joined[::window] = ends[:length:window]  # a whole block is both, and counts once
    return joined
