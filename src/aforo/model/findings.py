"""What is wrong in a model file, and on which line everything in it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TypeAlias

from aforo.errors import Fault, suggestion


class FaultCode(StrEnum):
    """The kinds of fault a model file can have."""

    FILE = "file"  # cannot be read as text, or is too large
    YAML = "yaml"  # not YAML, or YAML beyond what is taken
    DUPLICATE = "duplicate"
    UNKNOWN_KEY = "unknown_key"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    NOT_BUILT = "not_built"
    BAD_NAME = "bad_name"
    RESERVED_NAME = "reserved_name"
    UNKNOWN_NAME = "unknown_name"
    WRONG_FIELD = "wrong_field"  # a field of a type that cannot serve so
    BAD_VALUE = "bad_value"  # of the right type, but outside what is allowed
    CONTRADICTION = "contradiction"
    BAD_CONDITION = "bad_condition"
    BAD_FORMULA = "bad_formula"


Finding: TypeAlias = tuple[str, FaultCode, str]  # place, kind, message


class Findings:
    """Collects faults by place; a fault has the line of its place, else of the nearest one around it."""

    def __init__(self) -> None:
        self._faults: dict[Fault, None] = {}
        self._lines: dict[str, int] = {}
        self._faulty: set[str] = set()

    def stands(self, path: str, line: int) -> None:
        """Notes the line of a place."""
        self._lines.setdefault(path, line)

    def line_of(self, path: str) -> int | None:
        """The line of a place, else of the nearest place around it that has one."""
        return next((self._lines[place] for place in _outwards(path) if place in self._lines), None)

    def fault(self, path: str, code: FaultCode, message: str, line: int | None = None) -> None:
        """Adds a fault; one that is known already is not told twice."""
        self._faults[Fault(path, code, message, self.line_of(path) if line is None else line)] = None
        self._faulty.update(_outwards(path))

    def sound(self, path: str) -> bool:
        """Whether nothing at or under a place was found wrong, so that more may be concluded from it."""
        return path not in self._faulty

    def faults(self) -> tuple[Fault, ...]:
        """All faults in the order of the file."""
        return tuple(sorted(self._faults, key=lambda fault: fault.line or 0))


def _outwards(path: str) -> Iterator[str]:
    yield path
    while path:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
        yield path


def no_such(kind: str, name: str, known: Iterable[str]) -> str:
    """The message for a name that does not exist, with the nearest that does."""
    return f"there is no {kind} named {name!r}; {suggestion(name, map(str, known))}"
