"""How much more there is than some observations before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np

from aforo.runs.expression.members import Choice, Member, Part, Periods
from aforo.runs.expression.node import Expression, Kind
from aforo.runs.expression.nulls import Cause, Causes
from aforo.runs.expression.points import Operand, Points, only, settled
from aforo.runs.expression.unit import Unit, one_unit
from aforo.runs.series import Numbers


class GrowthKind(StrEnum):
    """How growth is told: as a share of what was, or in the unit of what grew."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"


@dataclass(frozen=True, slots=True)
class Growth(Kind):
    """Each value against the one `periods` observations before: relative is `(value - before) / before`.

    Observations are counted by position among the dates of `of`, nulls included, whatever lies between the
    dates: 4 looks a year back in quarters, 5 a week back in working days. The first `periods` dates have
    nothing before them, and are null as missing.
    """

    of: Expression
    periods: int
    kind: GrowthKind

    MEMBERS: ClassVar[tuple[Member, ...]] = (
        Part("of", "What grows."),
        Periods("periods", "How many observations back to look."),
        Choice("kind", "Whether growth is told as a share of what was, or as a difference.", GrowthKind),
    )

    @property
    def parts(self) -> Mapping[str, Expression]:
        return {"of": self.of}

    def unit(self, units: Mapping[str, Unit | None]) -> Unit | None:
        return one_unit(units) if self.kind is GrowthKind.ABSOLUTE else Unit()

    def points(self, parts: Mapping[str, Operand]) -> Points:
        of = only(parts)
        before, causes_before = self._before(of)
        causes = np.where(of.there, causes_before, of.causes)
        more = of.values - before
        if self.kind is GrowthKind.ABSOLUTE:
            return settled(of.dates, more, causes)
        return settled(of.dates, more / before, causes, by_zero=before == 0)

    def _before(self, of: Points) -> tuple[Numbers, Causes]:
        back = min(self.periods, len(of.dates))
        kept = len(of.dates) - back
        values = np.concatenate([np.full(back, np.nan), of.values[:kept]])
        missing = np.full(back, Cause.MISSING, dtype=np.uint8)
        return values, np.concatenate([missing, of.causes[:kept]])
