"""What one event of a stream carries under a name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_MAX_LENGTH = 1024  # characters of a string, where the field does not say
DEFAULT_SCALE = 6  # decimal places kept of a NUMBER when it is summed, where the field does not say


class FieldType(StrEnum):
    """The kinds of value a field can hold."""

    STRING = "string"
    INTEGER = "integer"  # int64
    NUMBER = "number"  # float64, finite
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"  # an instant, microseconds

    @property
    def numeric(self) -> bool:
        """Whether it can be summed, compared by size and put in a histogram."""
        return self in (FieldType.INTEGER, FieldType.NUMBER)

    @property
    def ordered(self) -> bool:
        """Whether one value can be the least or the greatest of many."""
        return self.numeric or self is FieldType.TIMESTAMP


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field: its type, and the bounds outside which an event is refused (both ends are allowed)."""

    name: str
    type: FieldType
    required: bool = False
    unit: str | None = None
    minimum: float | int | None = None
    maximum: float | int | None = None
    max_length: int | None = None  # characters; always an int for strings, None for the rest
    scale: int = DEFAULT_SCALE  # decimal places of a sum; always 0 but for NUMBER
    description: str = ""

    def __post_init__(self) -> None:
        if self.type is FieldType.STRING and self.max_length is None:
            object.__setattr__(self, "max_length", DEFAULT_MAX_LENGTH)
        if self.type is not FieldType.NUMBER:
            object.__setattr__(self, "scale", 0)


TIME = Field(name="time", type=FieldType.TIMESTAMP, required=True, description="When it was")
"""An event's own time, which stands beside its fields and can be measured as one of them."""
