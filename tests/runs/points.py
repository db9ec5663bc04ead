"""Series as plain Python has them: a date, and a number or None, at a time."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from hypothesis import strategies as st

from aforo.runs.expression import Result, evaluate, read
from aforo.runs.series import Series

Plain: TypeAlias = dict[dt.date, float | None]


def series(plain: Mapping[dt.date, float | None], unit: str | None = None) -> Series:
    dates = np.array([*plain], dtype="datetime64[D]")
    values = np.array([math.nan if value is None else value for value in plain.values()], dtype=np.float64)
    return Series(dates, values, unit)


def plain(of: Series) -> Plain:
    numbers = [None if math.isnan(value) else value for value in of.values.tolist()]
    return dict(zip(of.dates.tolist(), numbers, strict=True))


def run(kind: str, members: object, **given: Series) -> Result:
    """What an expression over the given series comes to, checked against their units."""
    units = {code: each.unit for code, each in given.items()}
    return evaluate(read(kind, members, units=units), given)


# A thousandth is neither so small that its reciprocal overflows nor exact in binary.
NUMBERS = st.one_of(st.just(0.0), st.integers(-(10**9), 10**9).map(lambda number: number / 1_000))


@st.composite
def plains(draw: st.DrawFn, start: dt.date | None = None, most: int = 40) -> Plain:
    """Dates that rise by a day mostly, with gaps of up to three weeks; values, zeros and nulls."""
    date = start or draw(st.dates(dt.date(1, 1, 1), dt.date(9990, 1, 1)))
    drawn: Plain = {}
    for gap in draw(st.lists(st.one_of(st.just(1), st.integers(1, 21)), max_size=most)):
        drawn[date] = draw(st.one_of(NUMBERS, NUMBERS, st.none()))
        date += dt.timedelta(days=gap)
    return drawn


NEAR = plains(dt.date(2024, 2, 20))
"""Series that begin on the same day, so that they have many dates in common, and some not."""
