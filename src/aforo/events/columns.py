"""Columns of events made typed, and their bad rows found, without an object for each event."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.events.cast import arrow, decoded, text
from aforo.events.cast.typed import ARROW, Faults, Mask, Typed, byte_lengths, mask_of, outside
from aforo.events.refusals import RefusalCode, shown
from aforo.model.field import Field, FieldType

__all__ = [
    "Column",
    "Faults",
    "Mask",
    "Source",
    "Typed",
    "absent",
    "bounds",
    "checked",
    "instants",
    "named",
    "reason",
    "typed",
]

Column: TypeAlias = "Sequence[object] | pa.Array | pa.ChunkedArray"
SUM_LIMIT = 2.0**63


class Source(StrEnum):
    """The form in which columns come."""

    TEXT = "text"  # Arrow strings to be parsed (CSV)
    JSON = "json"  # lists of decoded JSON values
    TYPED = "typed"  # lists of values that have been found to be of their fields' types
    ARROW = "arrow"  # Arrow arrays of their own types (Parquet)


def typed(field: Field, column: Column, source: Source = Source.ARROW) -> Typed:
    """The column in the field's Arrow type; bad rows are null and named by code, and no row fails another.

    A list is decoded JSON, of whatever types unless the source tells. Text is parsed by the field's type. An
    Arrow array is cast where nothing is lost; its floats become integers row by row where they are whole,
    since tables that had nulls are written so.
    """
    return _typed(field.type, column, source)


def absent(field: Field, rows: int) -> Typed:
    """The column of a field that nobody sent: all null."""
    return Typed(pa.nulls(rows, ARROW[field.type]), {})


def bounds(field: Field, array: pa.Array, *, summed: bool = False) -> Faults:
    """The rows of a typed column outside what the field allows, by code; no row has two.

    With `summed`, a NUMBER that would leave 64 bits at the field's scale is out of range as well.
    """
    column = Typed(array, {})
    if field.required and array.null_count:
        column = column.also(RefusalCode.MISSING_FIELD, mask_of(array.is_null()))
    if field.type.numeric and not (field.minimum is None and field.maximum is None):
        column = column.also(RefusalCode.OUT_OF_RANGE, _beyond(field, array))
    if summed and field.type is FieldType.NUMBER:
        column = column.also(RefusalCode.OUT_OF_RANGE, _unsummable(field, array))
    if field.max_length is not None and field.type is FieldType.STRING:
        column = column.also(RefusalCode.TOO_LONG, _longer(array, field.max_length))
    return column.faults


def checked(field: Field, column: Column, source: Source = Source.ARROW, *, summed: bool = False) -> Typed:
    """The column typed and held to the field's bounds; a row of the wrong type is not also missing."""
    out = typed(field, column, source)
    for code, mask in bounds(field, out.array, summed=summed).items():
        out = out.also(code, mask)
    return out


def instants(column: Column, source: Source = Source.ARROW) -> tuple[pa.Array, Mask]:
    """Event times as int64 microseconds, null where none came or it is bad, and the mask of the bad rows.

    Integers are no times: nobody can tell seconds from milliseconds.
    """
    out = _typed(FieldType.TIMESTAMP, column, source)
    return out.array.view(pa.int64()), out.bad


def named(texts: pa.Array) -> pa.Array:
    """The texts, null where one is empty: nothing goes by that name."""
    if byte_lengths(texts).all():
        return texts
    return pc.if_else(pc.equal(texts, ""), None, texts)


def reason(field: Field, code: RefusalCode, value: object) -> str:
    """What came and what was wanted, for people."""
    match code:
        case RefusalCode.MISSING_FIELD:
            return f"field {field.name}: missing, wanted {field.type}"
        case RefusalCode.TOO_LONG:
            wanted = f"at most {field.max_length} characters"
        case RefusalCode.OUT_OF_RANGE:
            wanted = _range(field)
        case _:
            wanted = _kind(field.type)
    return f"field {field.name}: came {shown(value)}, wanted {wanted}"


def _typed(kind: FieldType, column: Column, source: Source) -> Typed:
    if not isinstance(column, pa.Array | pa.ChunkedArray):
        return decoded.known(kind, column) if source is Source.TYPED else decoded.decoded(kind, column)
    if source is Source.TEXT:
        return text.parsed(kind, arrow.plain(column))
    return arrow.cast(kind, column)


def _beyond(field: Field, array: pa.Array) -> Mask:
    least = -math.inf if field.minimum is None else field.minimum
    most = math.inf if field.maximum is None else field.maximum
    if field.type is FieldType.NUMBER:
        return outside(array, float(least), float(most))
    # Whole bounds in 64 bits, compared as integers: as doubles the last digits of large ones would not count.
    lowest = math.ceil(min(max(least, -(2**63)), 2**63 - 1))
    highest = math.floor(max(min(most, 2**63 - 1), -(2**63)))
    return outside(array, pa.scalar(lowest, pa.int64()), pa.scalar(highest, pa.int64()))


def _longer(texts: pa.Array, most: int) -> Mask:
    # Bytes are told at once, and are never fewer than characters.
    if byte_lengths(texts).max(initial=0) <= most:
        return np.zeros(len(texts), np.bool_)
    return mask_of(pc.greater(pc.utf8_length(texts), most))


def _unsummable(field: Field, array: pa.Array) -> Mask:
    values = (array.fill_null(0.0) if array.null_count else array).to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore"):
        scaled = np.rint(values * 10.0**field.scale)
    mask: Mask = np.abs(scaled) >= SUM_LIMIT
    return mask


def _range(field: Field) -> str:
    if field.minimum is not None and field.maximum is not None:
        return f"{field.type} from {field.minimum} to {field.maximum}"
    if field.minimum is not None:
        return f"{field.type} of at least {field.minimum}"
    if field.maximum is not None:
        return f"{field.type} of at most {field.maximum}"
    match field.type:
        case FieldType.INTEGER:
            return "integer of 64 bits"
        case FieldType.NUMBER:
            return f"finite number whose sums fit 64 bits at {field.scale} decimal places"
        case _:
            return f"{field.type} in the years 1 to 9999"


def _kind(kind: FieldType) -> str:
    match kind:
        case FieldType.BOOLEAN:
            return "true or false"
        case FieldType.TIMESTAMP:
            return "an RFC 3339 time with its zone, as 2013-01-31T17:05:00Z"
        case _:
            return str(kind)
