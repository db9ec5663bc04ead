"""Columns of Arrow as dates and numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.errors import InvalidSeries
from aforo.runs.series import Dates, Numbers

DATE_OR_TIME = (
    r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?$"  # ISO 8601
)


def dates_of(column: pa.ChunkedArray, file: str, name: str) -> Dates:
    """The dates of a column of dates, timestamps or text; of a timestamp the date that it shows.

    A timestamp with a zone shows the date in that zone.
    """
    if column.null_count:
        row = int(pc.index(pc.is_null(column), True).as_py())
        raise InvalidSeries(f"{file}: {name!r} is null in row {row}", hint="each row needs a date")
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = _from_text(column, file, name)
    elif not (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
        raise InvalidSeries(
            f"{file}: {name!r} is of the type {kind}, and no date",
            hint="a date, a timestamp, or text as 2026-05-31",
        )
    dates: Dates = pc.cast(column, pa.date32(), safe=False).to_numpy()
    return dates


def _from_text(column: pa.ChunkedArray, file: str, name: str) -> pa.ChunkedArray:
    sound = pc.match_substring_regex(column, DATE_OR_TIME)
    row = int(pc.index(sound, False).as_py())
    if row < 0:
        try:
            return pc.cast(pc.utf8_slice_codeunits(column, 0, 10), pa.date32())
        except pa.ArrowInvalid as error:
            raise InvalidSeries(f"{file}: {name!r} has a date that no calendar has: {error}") from error
    came = column[row].as_py()[:40]
    raise InvalidSeries(
        f"{file}: {name!r} has {came!r} in row {row}, and no date", hint="write it as 2026-05-31"
    )


def numbers_of(column: pa.ChunkedArray, file: str, name: str) -> Numbers:
    """The numbers of a column, NaN for null; whole numbers of more than 53 bits become the nearest."""
    kind = column.type
    if not (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    ):
        raise InvalidSeries(f"{file}: {name!r} is of the type {kind}, and no number", hint="numbers or null")
    numbers: Numbers = pc.cast(column, pa.float64(), safe=False).to_numpy()
    endless = np.isinf(numbers)
    if endless.any():
        row = int(endless.argmax())
        raise InvalidSeries(
            f"{file}: {name!r} is infinite in row {row}", hint="write null where there is no number"
        )
    return numbers
