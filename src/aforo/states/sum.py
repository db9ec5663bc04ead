"""A sum that no order changes: of integers, or of numbers made integers by a declared decimal scale."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

LIMIT = 2**63


def empty() -> int | None:
    """The sum of nothing, which is null and not zero, as in SQL."""
    return None


def fold(values: Iterable[int | None]) -> int | None:
    """The sum of the scaled values, nulls left out; null where no value was left."""
    total: int | None = None
    for value in values:
        total = merge(total, value)
    return total


def merge(a: int | None, b: int | None) -> int | None:
    """The sum of both, where either is there."""
    if a is None:
        return b
    return a if b is None else a + b


def finish(state: int | None, scale: int = 0) -> int | Fraction | None:
    """The sum in the field's own unit, exact: an integer at scale 0, else a fraction."""
    if state is None or scale == 0:
        return state
    return Fraction(state, 10**scale)


def scaled(value: int | float, scale: int) -> int:
    """`value` times 10**scale as an integer, rounded half to even; ValueError outside 64 bits.

    A float is multiplied as a float, as the engines do, so that every engine gives the same integer.
    """
    product: int
    if isinstance(value, int):
        product = value * int(10**scale)
    else:
        moved = value * 10.0**scale
        if not math.isfinite(moved):
            raise ValueError(f"{value!r} cannot be summed with a scale of {scale}")
        product = round(moved)
    if not -LIMIT < product < LIMIT:
        raise ValueError(f"{value!r} is outside 64 bits with a scale of {scale}")
    return product
