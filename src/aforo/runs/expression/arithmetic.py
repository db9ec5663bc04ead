"""Operands added, subtracted, multiplied or divided date by date, from left to right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from aforo.runs.expression.members import Choice, Listed, Member, Part
from aforo.runs.expression.node import Expression, Kind
from aforo.runs.expression.points import Operand, Points, aligned, settled
from aforo.runs.expression.unit import Unit, one_unit, product, quotient
from aforo.runs.series import Numbers


class Operator(StrEnum):
    """What joins the operands."""

    ADD = "add"
    SUBTRACT = "subtract"
    MULTIPLY = "multiply"
    DIVIDE = "divide"


_JOINED: Mapping[Operator, Callable[[Numbers, Numbers], Numbers]] = MappingProxyType(
    {
        Operator.ADD: np.add,
        Operator.SUBTRACT: np.subtract,
        Operator.MULTIPLY: np.multiply,
        Operator.DIVIDE: np.divide,
    }
)
_UNIT: Mapping[Operator, Callable[[Mapping[str, Unit | None]], Unit | None]] = MappingProxyType(
    {
        Operator.ADD: one_unit,
        Operator.SUBTRACT: one_unit,
        Operator.MULTIPLY: product,
        Operator.DIVIDE: quotient,
    }
)


@dataclass(frozen=True, slots=True)
class Arithmetic(Kind):
    """Operands joined by an operator, date by date and from left to right.

    `subtract` and `divide` take the second and all later operands from the first.
    """

    operator: Operator
    operands: tuple[Expression, ...]

    MEMBERS: ClassVar[tuple[Member, ...]] = (
        Choice("operator", "What joins the operands.", Operator),
        Listed("operands", "What is joined.", Part("operand", "One operand."), least=2),
    )

    @property
    def parts(self) -> Mapping[str, Expression]:
        return {f"operands[{at}]": operand for at, operand in enumerate(self.operands)}

    def unit(self, units: Mapping[str, Unit | None]) -> Unit | None:
        return _UNIT[self.operator](units)

    def points(self, parts: Mapping[str, Operand]) -> Points:
        on = aligned(parts)
        first, *others = on.values.values()
        by_zero = np.zeros(len(on.dates), dtype=np.bool_)
        if self.operator is Operator.DIVIDE:
            by_zero = np.any([other == 0 for other in others], axis=0)
        joined = reduce(_JOINED[self.operator], others, first)
        return settled(on.dates, joined, on.causes, by_zero=by_zero)
