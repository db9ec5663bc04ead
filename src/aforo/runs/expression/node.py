"""What an expression is made of: series, constants, and the kinds of computation over them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from aforo.runs.expression.points import Operand, Points
from aforo.runs.expression.unit import Unit

if TYPE_CHECKING:
    from aforo.runs.expression.members import Member


@dataclass(frozen=True, slots=True)
class SeriesRead:
    """The values of a series, or of the result of a metric, by its code."""

    code: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A number on every date."""

    value: float


class Kind(ABC):
    """One kind of computation: what it is written with, what it computes from, and how.

    `MEMBERS` are those of its JSON object; each is the field of the same name.
    """

    __slots__ = ()
    MEMBERS: ClassVar[tuple[Member, ...]]

    @property
    @abstractmethod
    def parts(self) -> Mapping[str, Expression]:
        """What it is computed from, each by its place: `operands[0]`."""

    @abstractmethod
    def unit(self, units: Mapping[str, Unit | None]) -> Unit | None:
        """Its unit, from those of its parts; UnitsDisagree where they do not go together.

        None is the unit of a part with a fault of its own, and of whatever depends on it.
        """

    @abstractmethod
    def points(self, parts: Mapping[str, Operand]) -> Points:
        """Its values, from those of its parts."""

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Members that do not go together: the name of one, and what is wrong."""
        yield from ()


@dataclass(frozen=True, slots=True)
class Unread(Kind):
    """Stands where a fault was told, with what could be read below it, so that more are found there."""

    read: Mapping[str, Expression]

    MEMBERS: ClassVar[tuple[Member, ...]] = ()

    @property
    def parts(self) -> Mapping[str, Expression]:
        return self.read

    def unit(self, units: Mapping[str, Unit | None]) -> Unit | None:  # noqa: ARG002
        return None

    def points(self, parts: Mapping[str, Operand]) -> Points:  # noqa: ARG002
        raise AssertionError("an expression with faults is never evaluated")


Expression: TypeAlias = SeriesRead | Constant | Kind


def walk(expression: Expression, path: str = "") -> Iterator[tuple[str, Expression]]:
    """An expression and all within it, each with its path, parts before what is made from them."""
    if isinstance(expression, Kind):
        for place, part in expression.parts.items():
            yield from walk(part, f"{path}.{place}")
    yield path, expression


def references(expression: Expression) -> frozenset[str]:
    """The codes of the series and metrics that an expression reads."""
    return frozenset(node.code for _, node in walk(expression) if isinstance(node, SeriesRead))
