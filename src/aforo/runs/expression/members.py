"""The members of a kind's JSON object: each says what it wants, and reads it or tells what is wrong."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Any

from aforo.runs.expression.faults import FaultCode, shown
from aforo.runs.expression.place import Place

MOST_PERIODS = 10_000
MOST_PARTS = 256
LONGEST_CODE = 200


class Unusable:
    """Stands for what could not be read; what is wrong with it has been told."""


UNUSABLE = Unusable()
REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Member(ABC):
    """One member: the field it fills, and what it says."""

    name: str
    sentence: str
    _: KW_ONLY
    default: Any = REQUIRED

    @property
    def key(self) -> str:
        """What it is called in JSON: `minimumPeriods` for `minimum_periods`."""
        return re.sub(r"_(.)", lambda found: found[1].upper(), self.name)

    @property
    @abstractmethod
    def wanted(self) -> str:
        """What may stand there."""

    @abstractmethod
    def read(self, value: object, place: Place) -> Any:
        """What was written, or UNUSABLE after a fault was told."""

    def refused(self, value: object, place: Place, code: FaultCode = FaultCode.WRONG_TYPE) -> Unusable:
        """Tells that something else was wanted."""
        place.fault(code, f"{shown(value)} came where {self.wanted} was wanted")
        return UNUSABLE


@dataclass(frozen=True, slots=True)
class Code(Member):
    """The code of a series or metric."""

    @property
    def wanted(self) -> str:
        return f"a code of 1 to {LONGEST_CODE} characters"

    def read(self, value: object, place: Place) -> Any:
        if not isinstance(value, str):
            return self.refused(value, place)
        if not 1 <= len(value) <= LONGEST_CODE:
            return self.refused(value, place, FaultCode.BAD_VALUE)
        return value


@dataclass(frozen=True, slots=True)
class Part(Member):
    """A series, a constant or another expression."""

    @property
    def wanted(self) -> str:
        return "an expression"

    def read(self, value: object, place: Place) -> Any:
        return place.part(value)


@dataclass(frozen=True, slots=True)
class Listed(Member):
    """A list of parts, or of objects with parts in them."""

    element: Member
    least: int = 1

    @property
    def wanted(self) -> str:
        return f"a list of {self.least} to {MOST_PARTS} ({self.element.wanted} each)"

    def read(self, value: object, place: Place) -> Any:
        if not isinstance(value, list | tuple):
            return self.refused(value, place)
        if len(value) > MOST_PARTS:
            return self._of_other_length(value, place)
        read = [self.element.read(each, place.item(at)) for at, each in enumerate(value)]
        if len(value) < self.least:
            return self._of_other_length(value, place)
        return UNUSABLE if UNUSABLE in read else tuple(read)

    def _of_other_length(self, value: list[Any] | tuple[Any, ...], place: Place) -> Unusable:
        place.fault(FaultCode.BAD_VALUE, f"a list of {len(value)} came where {self.wanted} was wanted")
        return UNUSABLE


@dataclass(frozen=True, slots=True)
class Record(Member):
    """An object with members of its own."""

    members: tuple[Member, ...]
    made: Callable[..., object]

    @property
    def wanted(self) -> str:
        return "an object with " + " and ".join(repr(member.key) for member in self.members)

    def read(self, value: object, place: Place) -> Any:
        fields = read_members(value, place, self.members)
        return UNUSABLE if fields is None else self.made(**fields)


@dataclass(frozen=True, slots=True)
class Choice(Member):
    """One word of a closed set."""

    of: type[StrEnum]

    @property
    def wanted(self) -> str:
        return f"one of {', '.join(self.of)}"

    def read(self, value: object, place: Place) -> Any:
        if not isinstance(value, str):
            return self.refused(value, place)
        if value in set(self.of):
            return self.of(value)
        message = f"{shown(value)} came where {self.wanted} was wanted"
        place.unknown(FaultCode.BAD_VALUE, message, value, [*self.of])
        return UNUSABLE


@dataclass(frozen=True, slots=True)
class Periods(Member):
    """A number of observations."""

    @property
    def wanted(self) -> str:
        return f"a whole number from 1 to {MOST_PERIODS}"

    def read(self, value: object, place: Place) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            return self.refused(value, place)
        if not 1 <= value <= MOST_PERIODS:
            return self.refused(value, place, FaultCode.BAD_VALUE)
        return value


@dataclass(frozen=True, slots=True)
class Number(Member):
    """A finite number."""

    zero: bool = True

    @property
    def wanted(self) -> str:
        return "a finite number" if self.zero else "a finite number that is not 0"

    def read(self, value: object, place: Place) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return self.refused(value, place)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number) or (not self.zero and number == 0):
            return self.refused(value, place, FaultCode.BAD_VALUE)
        return number


def read_members(value: object, place: Place, members: tuple[Member, ...]) -> dict[str, Any] | None:
    """What an object says for each member, by field; None where a fault was told about one."""
    if not isinstance(value, Mapping):
        place.fault(FaultCode.WRONG_TYPE, f"{shown(value)} came where an object was wanted")
        return None
    keys = [member.key for member in members]
    for key in value:
        if key not in keys:
            message = f"{shown(key)} means nothing here"
            place.at(key).unknown(FaultCode.UNKNOWN_MEMBER, message, str(key), keys)
    fields: dict[str, Any] = {}
    for member in members:
        if member.key in value:
            fields[member.name] = member.read(value[member.key], place.at(member.key))
        elif member.default is REQUIRED:
            place.fault(FaultCode.MISSING, f"{member.key!r} is missing: {member.wanted}")
            fields[member.name] = UNUSABLE
        else:
            fields[member.name] = member.default
    return None if UNUSABLE in fields.values() else fields
