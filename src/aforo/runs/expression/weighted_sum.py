"""A sum of terms, each with a weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from aforo.runs.expression.members import Listed, Member, Number, Part, Record
from aforo.runs.expression.node import Expression, Kind
from aforo.runs.expression.points import Operand, Points, aligned, settled
from aforo.runs.expression.unit import Unit, one_unit


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the sum."""

    of: Expression
    weight: float


_TERM = Record(
    "term",
    "One term.",
    (Part("of", "What is weighted."), Number("weight", "What it is multiplied by.")),
    Term,
)


@dataclass(frozen=True, slots=True)
class WeightedSum(Kind):
    """The sum of all terms, each times its weight, date by date; a null stays null under a weight of 0."""

    terms: tuple[Term, ...]

    MEMBERS: ClassVar[tuple[Member, ...]] = (Listed("terms", "What is summed.", _TERM),)

    @property
    def parts(self) -> Mapping[str, Expression]:
        return {f"terms[{at}].of": term.of for at, term in enumerate(self.terms)}

    def unit(self, units: Mapping[str, Unit | None]) -> Unit | None:
        return one_unit(units)

    def points(self, parts: Mapping[str, Operand]) -> Points:
        on = aligned(parts)
        weighted = [term.weight * on.values[f"terms[{at}].of"] for at, term in enumerate(self.terms)]
        return settled(on.dates, np.sum(weighted, axis=0), on.causes)
