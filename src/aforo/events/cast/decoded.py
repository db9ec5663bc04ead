"""Columns of Python values, as decoded JSON has them: a wrongly typed value is bad and never coerced."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, NoneType

import numpy as np
import pyarrow as pa

from aforo.events.cast import rfc3339
from aforo.events.cast.typed import Mask, Typed, not_finite
from aforo.events.refusals import RefusalCode
from aforo.model.field import FieldType

# Exact types: bool is an int to Python, and not to us.
ALLOWED: Mapping[FieldType, frozenset[type]] = MappingProxyType(
    {
        FieldType.STRING: frozenset({str}),
        FieldType.INTEGER: frozenset({int}),
        FieldType.NUMBER: frozenset({int, float}),
        FieldType.BOOLEAN: frozenset({bool}),
        FieldType.TIMESTAMP: frozenset({str}),
    }
)


def decoded(kind: FieldType, values: Sequence[object]) -> Typed:
    """Values typed by the field's kind; None is null, 1.0 and true and "1" are no integers, 1 is a number."""
    allowed = ALLOWED[kind]
    if set(map(type, values)) <= allowed | {NoneType}:
        return known(kind, values)
    wrong = _rows(values, lambda value: value is not None and type(value) not in allowed)
    return known(kind, _dropped(values, wrong)).also(RefusalCode.WRONG_TYPE, wrong)


def known(kind: FieldType, values: Sequence[object]) -> Typed:
    """As `decoded`, of values that are all None or of a type that is allowed."""
    match kind:
        case FieldType.STRING:
            return strings(values)
        case FieldType.INTEGER:
            return integers(values)
        case FieldType.NUMBER:
            return numbers(values)
        case FieldType.BOOLEAN:
            return Typed(pa.array(values, pa.bool_()), {})
        case FieldType.TIMESTAMP:
            written = strings(values)
            column = rfc3339.timestamps(written.array)
            return column.also(RefusalCode.WRONG_TYPE, written.bad)


def strings(values: Sequence[object]) -> Typed:
    """Strings; one with a lone surrogate is no text."""
    try:
        return Typed(pa.array(values, pa.string()), {})
    except UnicodeEncodeError:
        wrong = _rows(values, _is_no_text)
        return Typed(pa.array(_dropped(values, wrong), pa.string()), {RefusalCode.WRONG_TYPE: wrong})


def integers(values: Sequence[object]) -> Typed:
    """Integers of 64 bits."""
    try:
        return Typed(pa.array(values, pa.int64()), {})
    except OverflowError:
        over = _rows(values, lambda value: isinstance(value, int) and not -(2**63) <= value < 2**63)
        return Typed(pa.array(_dropped(values, over), pa.int64()), {RefusalCode.OUT_OF_RANGE: over})


def numbers(values: Sequence[object]) -> Typed:
    """Finite doubles; an integer becomes the nearest."""
    try:
        array = pa.array(values, pa.float64())
    except (pa.ArrowInvalid, OverflowError):  # an integer that is no double
        array = pa.array([_double(value) for value in values], pa.float64())
    return Typed(array, {}).also(RefusalCode.OUT_OF_RANGE, not_finite(array))


def _double(value: object) -> float | None:
    if isinstance(value, float) or value is None:
        return value
    try:
        return float(value) if isinstance(value, int) else None
    except OverflowError:
        return math.inf


def _is_no_text(value: object) -> bool:
    return isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value)


def _rows(values: Sequence[object], holds: Callable[[object], bool]) -> Mask:
    return np.fromiter((holds(value) for value in values), np.bool_, len(values))


def _dropped(values: Sequence[object], mask: Mask) -> list[object]:
    return [None if bad else value for value, bad in zip(values, mask.tolist(), strict=True)]
