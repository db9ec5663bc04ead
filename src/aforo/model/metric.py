"""A named formula over measures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aforo.model.formula import Formula


class Format(StrEnum):
    """How a metric's value is shown to a person; it never changes the value."""

    INTEGER = "integer"
    NUMBER = "number"
    PERCENT = "percent"  # a share of 1, shown times 100: 0.0245 is 2.45 %
    DURATION = "duration"  # in the metric's unit: seconds, minutes, hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A formula with its unit, format and owner; all its measures belong to one stream."""

    name: str
    stream: str
    formula: Formula
    text: str  # the formula as it was written
    unit: str = ""
    format: Format = Format.NUMBER
    owner: str = ""
    description: str = ""
    measures: tuple[str, ...]  # used by the formula, in order of appearance
