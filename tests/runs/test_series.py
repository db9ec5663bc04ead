"""A series has rising dates and a value for each, or it is none."""

from __future__ import annotations

import numpy as np
import pytest

from aforo.errors import InvalidSeries
from aforo.runs.series import Series

DAYS = np.array(["2024-01-01", "2024-01-02", "2024-01-05"], dtype="datetime64[D]")
VALUES = np.array([1.0, np.nan, 3.0])


def test_a_series_of_dates_and_values() -> None:
    assert len(Series(DAYS, VALUES, "EUR")) == 3
    assert len(Series(DAYS[:0], VALUES[:0])) == 0


@pytest.mark.parametrize(
    ("dates", "values", "said"),
    [
        (DAYS[[0, 2, 1]], VALUES, "2024-01-02 came after 2024-01-05 in a series"),
        (DAYS[[0, 1, 1]], VALUES, "2024-01-02 came twice in a series"),
        (
            np.array(["NaT", *DAYS[1:]], dtype="datetime64[D]"),
            VALUES,
            r"date 0 \(from 0\) of the series is null",
        ),
        (np.array(["2024-01-01", "10000-01-01"], dtype="datetime64[D]"), VALUES[:2], "years 1 and 9999"),
        (np.array(["-0001-01-01", "2024-01-01"], dtype="datetime64[D]"), VALUES[:2], "date 0 .* years 1 and"),
        (DAYS[:2], VALUES, r"of the shape \(2,\) came with values of the shape \(3,\)"),
        (DAYS.reshape(3, 1), VALUES.reshape(3, 1), r"dates of the shape \(3, 1\)"),
        (DAYS.astype("datetime64[s]"), VALUES, r"dates of the type datetime64\[s\]"),
        (DAYS, VALUES.astype(np.float32), "values of the type float32"),
    ],
)
def test_what_is_no_series(dates: np.ndarray, values: np.ndarray, said: str) -> None:
    with pytest.raises(InvalidSeries, match=said):
        Series(dates, values)
