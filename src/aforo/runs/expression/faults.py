"""What is wrong in an expression, and how what came is shown."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from enum import StrEnum

from aforo.errors import Fault, InvalidExpression, suggestion

MOST_FAULTS = 100
MOST_COMPARED = 20_000  # names, to find the nearest ones: half a second
LONGEST_SHOWN = 60  # characters


class FaultCode(StrEnum):
    """The kinds of fault an expression can have."""

    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_MEMBER = "unknown_member"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    BAD_VALUE = "bad_value"  # of the right type, but outside what is allowed
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    UNKNOWN_SERIES = "unknown_series"
    NO_SERIES = "no_series"  # reads none, so there are no dates
    UNITS = "units"  # do not agree, or cannot be read


class Faults:
    """Collects faults in the order in which they are met, and names with the nearest right ones."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._compared = 0

    def add(self, path: str, code: FaultCode, message: str) -> None:
        """Adds a fault; beyond the first hundred they are no longer told."""
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(Fault(path, code, message))

    def unknown(self, path: str, code: FaultCode, message: str, word: str, known: Collection[str]) -> None:
        """Adds a fault about a word that is none of the known, with the nearest if it is soon found."""
        if self._compared + len(known) <= MOST_COMPARED and len(word) <= LONGEST_SHOWN:
            self._compared += len(known)
            message = f"{message}; {suggestion(word, known)}"
        self.add(path, code, message)

    def raise_if_any(self) -> None:
        """Raises InvalidExpression with all faults."""
        if not self._faults:
            return
        count = len(self._faults)
        told = f"{count} faults" if count > 1 else "a fault"
        raise InvalidExpression(
            f"the expression has {told}" + (", or more" if count == MOST_FAULTS else ""),
            hint="each kind of expression with its members is told in docs/reference/expressions.md",
            faults=self._faults,
        )


def shown(value: object) -> str:
    """A value that came, short enough for a message."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() if abs(value) >= 10**LONGEST_SHOWN:
            return f"a number of {value.bit_length()} bits"
        case int():
            return str(value)
        case float():
            return repr(value) if math.isfinite(value) else "a number that is not finite"
        case str():
            return repr(value if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]}…")
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return f"a {type(value).__name__}"
