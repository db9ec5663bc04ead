"""Evaluates an expression over series, date by date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aforo.runs.expression.node import Constant, Expression, Kind, SeriesRead
from aforo.runs.expression.nulls import NullCounts
from aforo.runs.expression.points import Operand, Points, of_series
from aforo.runs.expression.rules import unit_of
from aforo.runs.series import Series


@dataclass(frozen=True, slots=True)
class Result:
    """What came out; `nulls` tells why how many of its values are null.

    `passed_over` is how many nulls rolling windows and resampled buckets left out of values they have.
    """

    series: Series
    nulls: NullCounts
    passed_over: int


def evaluate(expression: Expression, series: Mapping[str, Series]) -> Result:
    """The values of an expression over these series, in its unit.

    InvalidExpression where a series it reads is not among them, or where their units do not go together.
    """
    unit = unit_of(expression, {code: each.unit for code, each in series.items()})
    with np.errstate(all="ignore"):  # what is not finite is made null, and counted
        points, passed_over = _evaluated(expression, series)
    assert isinstance(points, Points), "an expression without a series is refused when it is read"
    result = Series(points.dates, points.values, unit)
    return Result(result, NullCounts.of(points.causes), passed_over)


def _evaluated(node: Expression, series: Mapping[str, Series]) -> tuple[Operand, int]:
    """The points of a node, and how many nulls were passed over in it and below it."""
    match node:
        case SeriesRead(code):
            return of_series(series[code]), 0
        case Constant(value):
            return value, 0
        case Kind():
            below = {place: _evaluated(part, series) for place, part in node.parts.items()}
            points = node.points({place: operand for place, (operand, _) in below.items()})
            return points, points.passed_over + sum(passed_over for _, passed_over in below.values())
