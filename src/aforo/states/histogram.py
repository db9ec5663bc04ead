"""Counts in signed logarithmic buckets, from which percentiles are right within 1 %.

A bucket's bounds grow by 1.02 and its answer lies in the middle (relative to both bounds), after Masson, Rim
and Lee, "DDSketch", VLDB 2019. Keys order as the values do: negative values have negative keys, what is
nearer to zero than 1e-9 has key 0.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

GROWTH = 1.02
ZERO_BELOW = 1e-9
OFFSET = 2000  # above -ceil(ln(ZERO_BELOW) / ln(GROWTH)), so that positive values have positive keys
DENSE_CELLS = 1_000_000
RELATIVE_ERROR = (GROWTH - 1) / (GROWTH + 1)

Keys: TypeAlias = npt.NDArray[np.int32]
Counts: TypeAlias = npt.NDArray[np.int64]

_LOG_GROWTH = math.log(GROWTH)
_LOG_MIDDLE = math.log(2 / (1 + GROWTH))


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Ascending bucket keys with how many values each holds, and the exact least and greatest value."""

    keys: Keys
    counts: Counts
    minimum: float | None
    maximum: float | None

    @property
    def total(self) -> int:
        """How many values were folded."""
        return int(self.counts.sum())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return (
            self.minimum == other.minimum
            and self.maximum == other.maximum
            and np.array_equal(self.keys, other.keys)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]


def empty() -> Histogram:
    """The histogram of nothing."""
    return Histogram(np.empty(0, np.int32), np.empty(0, np.int64), None, None)


def fold(values: Iterable[int | float | None]) -> Histogram:
    """The histogram of the values, nulls left out; ValueError for NaN and infinities."""
    numbers = np.array([value for value in values if value is not None], np.float64)
    if not len(numbers):
        return empty()
    keys, counts = np.unique(buckets_of(numbers), return_counts=True)
    return Histogram(keys, counts.astype(np.int64), float(numbers.min()), float(numbers.max()))


def merge(a: Histogram, b: Histogram) -> Histogram:
    """The histogram of both: counts are added per bucket."""
    return merged((a, b))


def merged(parts: Iterable[Histogram]) -> Histogram:
    """The histogram of all parts at once."""
    filled = [part for part in parts if len(part.keys)]
    if not filled:
        return empty()
    keys, inverse = np.unique(np.concatenate([part.keys for part in filled]), return_inverse=True)
    counts = np.zeros(len(keys), np.int64)
    np.add.at(counts, inverse, np.concatenate([part.counts for part in filled]))
    return Histogram(
        keys,
        counts,
        min((part.minimum for part in filled if part.minimum is not None), default=None),
        max((part.maximum for part in filled if part.maximum is not None), default=None),
    )


def added(
    group_of: npt.NDArray[np.int64], keys: Keys, counts: Counts, groups: int, dense_cells: int = DENSE_CELLS
) -> tuple[npt.NDArray[np.int64], Keys, Counts]:
    """The buckets of many histograms at once: each one's ascending keys with the sum of their counts.

    They stand one after another; the first array tells where each begins, and the last ends. Every pair of
    key and count that is given is of the group beside it. Up to `dense_cells` they are added in an array that
    has all groups' buckets.
    """
    if not len(keys):
        return np.zeros(groups + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.int64)
    lowest = int(keys.min())
    seen = np.zeros(int(keys.max()) - lowest + 1, np.bool_)
    seen[keys - lowest] = True
    # Only keys that occur take room: between the negative and the positive ones lies a wide gap.
    ranks, occurring = np.cumsum(seen) - 1, (np.flatnonzero(seen) + lowest).astype(np.int32)
    width = len(occurring)
    places = group_of * width + ranks[keys - lowest]
    if groups * width <= dense_cells:
        # Sums of doubles are exact below 2**53, which no count of events reaches.
        cells = np.bincount(places, weights=counts, minlength=groups * width).astype(np.int64)
        there = np.flatnonzero(cells)
        sums = cells[there]
    else:
        there, sums = _summed(places, counts)
    bounds = np.searchsorted(there, np.arange(groups + 1) * width)
    return bounds, occurring[there % width], sums


def _summed(places: npt.NDArray[np.int64], counts: Counts) -> tuple[npt.NDArray[np.int64], Counts]:
    """The different places, ascending, and what is counted there."""
    if int(counts.max()) == 1:
        # Values that each count once need no sums: only their places are sorted, which is far quicker.
        ordered = np.sort(places)
        first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        return ordered[first], np.diff(first, append=len(ordered))
    order = np.argsort(places)
    ordered = places[order]
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return ordered[first], np.add.reduceat(counts[order], first)


def finish(state: Histogram, p: float = 50) -> float | None:
    """The percentile, by default the median."""
    return percentile(state, p)


def percentile(histogram: Histogram, p: float) -> float | None:
    """The lowest value with at least p % of all at or below it, within RELATIVE_ERROR; null when empty.

    `p` is from 0 to 100 and is taken as it is written: 99.9 of 1,000 values is the 999th.
    """
    if not 0 <= p <= 100:
        raise ValueError(f"{p} is no percentile from 0 to 100")
    if histogram.minimum is None or histogram.maximum is None or not len(histogram.keys):
        return None
    running = np.cumsum(histogram.counts)
    share, of = Decimal(str(p)).as_integer_ratio()
    rank = max(1, -(-share * int(running[-1]) // (of * 100)))
    middle = value_of(int(histogram.keys[np.searchsorted(running, rank)]))
    return min(max(middle, histogram.minimum), histogram.maximum)


@dataclass(frozen=True, slots=True)
class Bin:
    """How many values lie between two bounds: above `low`, up to `high`; below zero the other way round."""

    low: float
    high: float
    count: int


def bins(histogram: Histogram, most: int | None = None) -> tuple[Bin, ...]:
    """The buckets that hold values, ascending; where they are more than `most`, neighbours are put together.

    As many are, a power of two, in all of the histogram, so that its bounds are those of any other with it.
    """
    width = 1
    groups, counts = _grouped(histogram, width)
    while most is not None and len(groups) > most:
        width *= 2
        groups, counts = _grouped(histogram, width)
    return tuple(
        Bin(*_bounds(sign, group, width), count) for (sign, group), count in zip(groups, counts, strict=True)
    )


def _grouped(histogram: Histogram, width: int) -> tuple[list[tuple[int, int]], list[int]]:
    """The buckets by sign and by how many times `width` their exponent is, ascending as values do."""
    keys = histogram.keys.astype(np.int64)
    signs = np.sign(keys)
    # Bucket `k` ends at GROWTH**k, so that those from j * width + 1 to (j + 1) * width go together.
    exponents = np.where(keys == 0, 1, (np.abs(keys) - OFFSET - 1) // width)
    changes = np.flatnonzero((np.diff(signs) != 0) | (np.diff(exponents) != 0)) + 1
    firsts = np.concatenate(([0], changes)) if len(keys) else np.empty(0, np.int64)
    counts = np.add.reduceat(histogram.counts, firsts) if len(keys) else np.empty(0, np.int64)
    return list(zip(signs[firsts].tolist(), exponents[firsts].tolist(), strict=True)), counts.tolist()


def _bounds(sign: int, group: int, width: int) -> tuple[float, float]:
    if sign == 0:
        return -ZERO_BELOW, ZERO_BELOW
    near, far = max(ZERO_BELOW, _power(group * width)), _power((group + 1) * width)
    return (near, far) if sign > 0 else (-far, -near)


def _power(exponent: int) -> float:
    logarithm = exponent * _LOG_GROWTH
    return math.exp(logarithm) if logarithm < math.log(sys.float_info.max) else sys.float_info.max


def bucket_of(value: float) -> int:
    """The key of the bucket that holds the value; ValueError for NaN and infinities."""
    return int(buckets_of(np.array([value], np.float64))[0])


def buckets_of(values: npt.NDArray[np.float64]) -> Keys:
    """The key of each value's bucket; ValueError if any is NaN or infinite."""
    if not np.isfinite(values).all():
        raise ValueError("NaN and infinities have no bucket")
    sizes = np.abs(values)
    logs = np.log(np.maximum(sizes, ZERO_BELOW)) / _LOG_GROWTH
    keys = np.ceil(logs).astype(np.int32) + np.int32(OFFSET)
    signs = np.where(sizes < ZERO_BELOW, 0, np.sign(values)).astype(np.int32)
    return keys * signs


def value_of(key: int) -> float:
    """The value that stands for all of a bucket, as near to its lower as to its upper bound."""
    if key == 0:
        return 0.0
    logarithm = (abs(key) - OFFSET) * _LOG_GROWTH + _LOG_MIDDLE
    size = math.exp(logarithm) if logarithm < math.log(sys.float_info.max) else sys.float_info.max
    return math.copysign(size, key)
