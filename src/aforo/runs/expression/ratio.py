"""One expression by another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from aforo.runs.expression.members import Member, Number, Part
from aforo.runs.expression.node import Expression, Kind
from aforo.runs.expression.points import Operand, Points, aligned, settled
from aforo.runs.expression.unit import Unit, quotient


@dataclass(frozen=True, slots=True)
class Ratio(Kind):
    """A numerator by a denominator, date by date, times a scale: 100 makes percent of a share."""

    numerator: Expression
    denominator: Expression
    scale: float = 1.0

    MEMBERS: ClassVar[tuple[Member, ...]] = (
        Part("numerator", "What is divided."),
        Part("denominator", "What it is divided by."),
        Number("scale", "What the quotient is multiplied by.", default=1.0, zero=False),
    )

    @property
    def parts(self) -> Mapping[str, Expression]:
        return {"numerator": self.numerator, "denominator": self.denominator}

    def unit(self, units: Mapping[str, Unit | None]) -> Unit | None:
        return quotient(units)

    def points(self, parts: Mapping[str, Operand]) -> Points:
        on = aligned(parts)
        numerator, denominator = on.values["numerator"], on.values["denominator"]
        share = numerator / denominator * self.scale
        return settled(on.dates, share, on.causes, by_zero=denominator == 0)
