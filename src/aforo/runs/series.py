"""A series: one value, or null, for each of its dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aforo.errors import InvalidSeries

Dates: TypeAlias = npt.NDArray[np.datetime64]
Numbers: TypeAlias = npt.NDArray[np.float64]

FIRST_DATE, LAST_DATE = np.datetime64("0001-01-01"), np.datetime64("9999-12-31")


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Dates (`datetime64[D]`), strictly rising, and a value for each (`float64`), of which NaN is null.

    `unit` is None for a plain number; see `aforo.runs.expression.unit` for how units are written. Raises
    InvalidSeries for dates that do not rise, that no calendar has, or that are not as many as the values.
    """

    dates: Dates
    values: Numbers
    unit: str | None = None

    def __post_init__(self) -> None:
        _check_kinds(self.dates, self.values)
        _check_dates(self.dates)

    def __len__(self) -> int:
        return len(self.dates)


def _check_kinds(dates: Dates, values: Numbers) -> None:
    if dates.ndim != 1 or dates.shape != values.shape:
        raise InvalidSeries(
            f"dates of the shape {dates.shape} came with values of the shape {values.shape}",
            hint="a series has one value, or null, for each date",
        )
    if dates.dtype != np.dtype("datetime64[D]") or values.dtype != np.float64:
        raise InvalidSeries(
            f"dates of the type {dates.dtype} came with values of the type {values.dtype}",
            hint="dates are datetime64[D], values are float64 with NaN for null",
        )


def _check_dates(dates: Dates) -> None:
    if np.isnat(dates).any():
        raise InvalidSeries(f"date {int(np.isnat(dates).argmax())} (from 0) of the series is null")
    outside = (dates < FIRST_DATE) | (dates > LAST_DATE)
    if outside.any():
        raise InvalidSeries(
            f"date {int(outside.argmax())} (from 0) of the series is not between the years 1 and 9999"
        )
    falling = np.flatnonzero(dates[1:] <= dates[:-1])
    if len(falling):
        before, after = dates[falling[0]], dates[falling[0] + 1]
        happened = f"{after} came twice" if before == after else f"{after} came after {before}"
        raise InvalidSeries(f"{happened} in a series", hint="its dates rise, and each is there once")
