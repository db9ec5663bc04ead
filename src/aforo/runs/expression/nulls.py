"""Why values are null, and how many for which cause."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Causes: TypeAlias = npt.NDArray[np.uint8]


class Cause(IntEnum):
    """What first made a value null; it stays the cause of whatever is null because of it.

    A value that is there has 0 in the place of a cause.
    """

    NULL_INPUT = 1  # a series that is read has null there
    MISSING = 2  # an operand has no such date
    DIVISION_BY_ZERO = 3
    OVERFLOW = 4  # the number is too large, or no number
    SHORT_WINDOW = 5  # fewer values than the least number of them


@dataclass(frozen=True, slots=True)
class NullCounts:
    """How many values of a result are null, by what first made them so."""

    null_input: int = 0
    missing: int = 0
    division_by_zero: int = 0
    overflow: int = 0
    short_window: int = 0

    @classmethod
    def of(cls, causes: Causes) -> NullCounts:
        """The counts of causes that stand beside values."""
        counts = np.bincount(causes, minlength=len(Cause) + 1)
        return cls(**{cause.name.lower(): int(counts[cause]) for cause in Cause})

    @property
    def total(self) -> int:
        """How many values are null at all."""
        return sum(getattr(self, cause.name.lower()) for cause in Cause)
