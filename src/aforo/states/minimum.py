"""The least value there was."""

from __future__ import annotations

from collections.abc import Iterable


def empty() -> int | float | None:
    """The minimum of nothing, which is null."""
    return None


def fold(values: Iterable[int | float | None]) -> int | float | None:
    """The least of the values, nulls left out."""
    return min((value for value in values if value is not None), default=None)


def merge(a: int | float | None, b: int | float | None) -> int | float | None:
    """The least of both, where either is there."""
    if a is None:
        return b
    return a if b is None else min(a, b)


def finish(state: int | float | None) -> int | float | None:
    """The minimum itself."""
    return state
