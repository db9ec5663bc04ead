"""Columns of text, as CSV has them: each value is parsed by its field's type.

A grammar decides which rows are well formed, so that the cast that follows never fails.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.events.cast import rfc3339
from aforo.events.cast.typed import (
    Mask,
    Typed,
    mask_of,
    not_finite,
    valid,
    without,
)
from aforo.events.refusals import RefusalCode
from aforo.model.field import FieldType

PLAIN_INTEGER = r"^-?[0-9]{1,18}$"  # what always fits 64 bits, as almost every file has it
INTEGER = r"^[+-]?[0-9]+(?:\.0*)?$"
NUMBER = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
NOT_FINITE = r"^(?i:[+-]?(?:nan|inf|infinity))$"
TRUE = ("true", "1", "t", "yes")
FALSE = ("false", "0", "f", "no")
MOST_DIGITS = len(str(2**63))


def parsed(kind: FieldType, texts: pa.Array) -> Typed:
    """Text typed by the field's kind; spaces around all but strings do not matter, nulls stay null."""
    if kind is FieldType.STRING:
        return Typed(texts, {})
    if kind is FieldType.INTEGER and pc.all(pc.match_substring_regex(texts, PLAIN_INTEGER)).as_py():
        return Typed(pc.cast(texts, pa.int64()), {})
    trimmed = pc.utf8_trim_whitespace(texts)
    match kind:
        case FieldType.INTEGER:
            return integers(trimmed)
        case FieldType.NUMBER:
            return numbers(trimmed)
        case FieldType.BOOLEAN:
            return booleans(trimmed)
        case FieldType.TIMESTAMP:
            return rfc3339.timestamps(trimmed)


def integers(texts: pa.Array) -> Typed:
    """Whole numbers in decimal digits; `517.0` is one, as tables that had nulls are written."""
    wrong = _unlike(texts, INTEGER)
    plain = pc.replace_substring_regex(without(texts, wrong), r"\.0*$", "")
    negative = mask_of(pc.starts_with(plain, "-"))
    digits = pc.replace_substring_regex(plain, "^[+-]?0*", "")
    length = pc.utf8_length(digits)
    limit = pa.array(np.where(negative, str(2**63), str(2**63 - 1)))
    over = mask_of(
        pc.or_(
            pc.greater(length, MOST_DIGITS),
            pc.and_(pc.equal(length, MOST_DIGITS), pc.greater(digits, limit)),
        )
    )
    fitting = pc.replace_substring_regex(without(plain, over), r"^\+", "")
    column = Typed(pc.cast(fitting, pa.int64()), {})
    return column.also(RefusalCode.WRONG_TYPE, wrong).also(RefusalCode.OUT_OF_RANGE, over)


def numbers(texts: pa.Array) -> Typed:
    """Decimal numbers, with an exponent or not; NaN and what exceeds a double are out of range."""
    endless = mask_of(pc.match_substring_regex(texts, NOT_FINITE))
    wrong = _unlike(texts, NUMBER) & ~endless
    array = pc.cast(without(texts, wrong | endless), pa.float64())
    column = Typed(array, {}).also(RefusalCode.WRONG_TYPE, wrong)
    return column.also(RefusalCode.OUT_OF_RANGE, endless | not_finite(array))


def booleans(texts: pa.Array) -> Typed:
    """true, false, 1, 0, t, f, yes, no, in any case."""
    lowered = pc.utf8_lower(texts)
    true = mask_of(pc.is_in(lowered, value_set=pa.array(TRUE)))
    false = mask_of(pc.is_in(lowered, value_set=pa.array(FALSE)))
    there = valid(texts)
    array = pa.array(true, mask=~(true | false))
    return Typed(array, {}).also(RefusalCode.WRONG_TYPE, there & ~(true | false))


def _unlike(texts: pa.Array, pattern: str) -> Mask:
    return mask_of(pc.invert(pc.match_substring_regex(texts, pattern)))
