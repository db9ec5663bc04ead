"""Columns that already have an Arrow type, as Parquet files have them: only casts that lose nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from aforo.events.cast import rfc3339
from aforo.events.cast.typed import (
    ARROW,
    FIRST_INSTANT,
    LAST_INSTANT,
    Typed,
    mask_of,
    not_finite,
    outside,
    valid,
    without,
)
from aforo.events.refusals import RefusalCode
from aforo.model.field import FieldType

UNITS_A_SECOND: Mapping[str, int] = MappingProxyType(
    {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
)
MICROSECONDS = 1_000_000


def cast(kind: FieldType, array: pa.Array) -> Typed:
    """An Arrow array typed by the field's kind; a column of another kind is bad wherever it is not null."""
    array = plain(array)
    match kind:
        case FieldType.STRING if _is_text(array.type):
            return strings(array)
        case FieldType.INTEGER if pt.is_integer(array.type):
            return _integers(array)
        case FieldType.INTEGER if pt.is_floating(array.type) or pt.is_decimal(array.type):
            return _whole(array)
        case FieldType.NUMBER if _is_numeric(array.type):
            doubles = pc.cast(array, pa.float64(), safe=False)
            return Typed(doubles, {}).also(RefusalCode.OUT_OF_RANGE, not_finite(doubles))
        case FieldType.BOOLEAN if pt.is_boolean(array.type):
            return Typed(array, {})
        case FieldType.TIMESTAMP if pt.is_timestamp(array.type) and array.type.tz is not None:
            return _timestamps(array)
        case FieldType.TIMESTAMP if _is_text(array.type):
            written = strings(array)
            return rfc3339.timestamps(written.array).also(RefusalCode.WRONG_TYPE, written.bad)
        case _:
            return Typed(pa.nulls(len(array), ARROW[kind]), {}).also(RefusalCode.WRONG_TYPE, valid(array))


def plain(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """One array in one piece, its dictionary written out."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pt.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array


def strings(array: pa.Array) -> Typed:
    """Text; what is not UTF-8 is bad."""
    column = pc.cast(array, pa.string(), safe=False)
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        wrong = np.array([_is_no_text(value) for value in column.cast(pa.binary()).to_pylist()], np.bool_)
        return Typed(without(column, wrong), {RefusalCode.WRONG_TYPE: wrong})
    return Typed(column, {})


def _integers(array: pa.Array) -> Typed:
    over = np.zeros(len(array), np.bool_)
    if array.type == pa.uint64():
        over = mask_of(pc.greater(array, pa.scalar(2**63 - 1, pa.uint64())))
    return Typed(pc.cast(without(array, over), pa.int64()), {}).also(RefusalCode.OUT_OF_RANGE, over)


def _whole(array: pa.Array) -> Typed:
    """Integers from whole floats or decimals: tables turn a column of integers with nulls into floats.

    Each row is judged alone, so that a verdict does not depend on which rows came with it.
    """
    if pt.is_decimal(array.type):
        least, most = pa.scalar(Decimal(-(2**63))), pa.scalar(Decimal(2**63 - 1))
        endless = np.zeros(len(array), np.bool_)
    else:
        array = pc.cast(array, pa.float64())
        least, most = pa.scalar(-(2.0**63)), pa.scalar(math.nextafter(2.0**63, 0))
        endless = not_finite(array)
    over = endless | outside(array, least, most)
    whole = pc.equal(array, pc.trunc(array))
    wrong = valid(array) & ~mask_of(whole) & ~over
    array = without(array, wrong | over)
    column = Typed(pc.cast(array, pa.int64()), {})
    return column.also(RefusalCode.WRONG_TYPE, wrong).also(RefusalCode.OUT_OF_RANGE, over)


def _timestamps(array: pa.Array) -> Typed:
    """Instants of any unit, cut to microseconds."""
    per_second = UNITS_A_SECOND[array.type.unit]
    ticks = pc.cast(array, pa.int64())
    # Bounds first: multiplying a far year to microseconds would leave 64 bits.
    least = pa.scalar(max(FIRST_INSTANT * per_second // MICROSECONDS, -(2**63)))
    most = pa.scalar(min(LAST_INSTANT * per_second // MICROSECONDS, 2**63 - 1))
    over = outside(ticks, least, most)
    counts = without(ticks, over).fill_null(0).to_numpy(zero_copy_only=False)
    if per_second > MICROSECONDS:
        micros = counts // (per_second // MICROSECONDS)
    else:
        micros = counts * (MICROSECONDS // per_second)
    column = Typed(pa.array(micros, mask=~valid(array) | over).cast(pa.timestamp("us")), {})
    return column.also(RefusalCode.OUT_OF_RANGE, over)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind))


def _is_no_text(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return True
    return False
