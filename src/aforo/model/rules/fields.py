"""Rules on what a field allows."""

from __future__ import annotations

from collections.abc import Iterator

from aforo.model.condition import INT64_MAXIMUM, INT64_MINIMUM
from aforo.model.field import Field, FieldType
from aforo.model.findings import FaultCode, Finding
from aforo.model.sheet import Sheet

LONGEST_STRING = 65_536  # characters
FINEST_SCALE = 12  # decimal places


def bounds_are_in_order(sheet: Sheet) -> Iterator[Finding]:
    """The minimum is not above the maximum."""
    for path, field in _fields(sheet):
        low, high = field.minimum, field.maximum
        if low is not None and high is not None and low > high:
            yield path, FaultCode.CONTRADICTION, f"the minimum {low} is above the maximum {high}"


def bounds_fit_the_type(sheet: Sheet) -> Iterator[Finding]:
    """The bounds of an integer are integers of 64 bits."""
    for path, field in _fields(sheet):
        for key, bound in (("minimum", field.minimum), ("maximum", field.maximum)):
            if field.type is not FieldType.INTEGER or bound is None or not sheet.sound(f"{path}.{key}"):
                continue
            if not isinstance(bound, int) or not INT64_MINIMUM <= bound <= INT64_MAXIMUM:
                message = f"{bound} came where a whole number of 64 bits was wanted, as {field.name} is one"
                yield f"{path}.{key}", FaultCode.BAD_VALUE, message


def sizes_are_sensible(sheet: Sheet) -> Iterator[Finding]:
    """Lengths and scales are within what the engines keep."""
    for path, field in _fields(sheet):
        length = field.max_length
        if length is not None and not 1 <= length <= LONGEST_STRING:
            message = f"{length} came where 1 to {LONGEST_STRING} characters were wanted"
            yield f"{path}.max_length", FaultCode.BAD_VALUE, message
        if not 0 <= field.scale <= FINEST_SCALE:
            message = f"{field.scale} came where 0 to {FINEST_SCALE} decimal places were wanted"
            yield f"{path}.scale", FaultCode.BAD_VALUE, message


def _fields(sheet: Sheet) -> Iterator[tuple[str, Field]]:
    for stream in sheet.streams.values():
        for field in stream.fields.values():
            path = f"streams.{stream.name}.fields.{field.name}"
            if sheet.sound(f"{path}.type"):
                yield path, field
