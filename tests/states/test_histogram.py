"""Percentiles are within the stated error of the exact nearest rank."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aforo.states import histogram

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-200, 2000).map(float),
    st.floats(-1e-8, 1e-8),
    st.just(0.0),
)


def exact(values: list[float], p: float) -> float:
    return sorted(values)[max(1, math.ceil(Fraction(str(p)) * len(values) / 100)) - 1]


@given(st.lists(NUMBERS, min_size=1), st.floats(0, 100))
@example([sys.float_info.max, 1.0], 100)
@example([-sys.float_info.max, 1.0, 2.0], 0)
@example([5e-324, -5e-324, 0.0], 50)
@example([1.0, 1.02, 1.02**2, 1.02**-5, 1e-9, -1e-9], 66.7)
def test_a_percentile_is_within_one_percent_of_the_exact_one(values: list[float], p: float) -> None:
    found = histogram.percentile(histogram.fold(values), p)
    wanted = exact(values, p)
    assert found is not None
    allowed = histogram.RELATIVE_ERROR * abs(wanted) * (1 + 1e-9)
    assert abs(found - wanted) <= max(allowed, histogram.ZERO_BELOW)


@given(NUMBERS, NUMBERS)
def test_keys_order_as_values_do(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert histogram.bucket_of(low) <= histogram.bucket_of(high)
    assert histogram.bucket_of(-a) == -histogram.bucket_of(a)


@given(NUMBERS)
def test_a_bucket_stands_for_its_values(value: float) -> None:
    key = histogram.bucket_of(value)
    if abs(value) > histogram.ZERO_BELOW * histogram.GROWTH:
        assert (key > 0) == (value > 0)
        assert histogram.bucket_of(histogram.value_of(key)) == key
    if abs(value) < histogram.ZERO_BELOW:
        assert key == 0


def test_a_percentile_is_taken_as_written() -> None:
    thousand = histogram.fold(range(1, 1001))
    assert histogram.percentile(thousand, 99.9) == pytest.approx(999, rel=histogram.RELATIVE_ERROR)
    assert histogram.percentile(thousand, 0) == 1
    assert histogram.percentile(thousand, 100) == pytest.approx(1000, rel=histogram.RELATIVE_ERROR)
    few = histogram.fold([-10.0, 0.0, 10.0])
    assert [histogram.percentile(few, p) for p in (0, 50, 100)] == [-10, 0, 10]
    assert histogram.percentile(histogram.empty(), 50) is None
    assert histogram.finish(few) == 0


def test_what_cannot_be_answered_is_an_error() -> None:
    for value in (math.nan, math.inf, -math.inf):
        with pytest.raises(ValueError, match="no bucket"):
            histogram.bucket_of(value)
    with pytest.raises(ValueError, match="percentile"):
        histogram.percentile(histogram.empty(), 101)
    assert histogram.empty() != "a histogram"


def test_merging_many_is_as_merging_two_by_two() -> None:
    parts = [histogram.fold(np.arange(start, start + 50).tolist()) for start in (-100, 0, 20)]
    assert histogram.merged(parts) == histogram.merge(histogram.merge(parts[0], parts[1]), parts[2])
    assert histogram.merged([]) == histogram.empty()
    assert histogram.merged(parts).total == 150


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(-4000, 4000), st.sampled_from([1, 1, 2, 2**40])), max_size=60
    ),
    st.booleans(),
)
def test_histograms_added_at_once_are_those_merged_one_by_one(
    rows: list[tuple[int, int, int]], dense: bool
) -> None:
    groups = 6
    group_of, keys, counts = (np.array([row[at] for row in rows], np.int64) for at in range(3))
    bounds, all_keys, all_counts = histogram.added(
        group_of, keys.astype(np.int32), counts, groups, 10**6 if dense else 0
    )
    assert len(bounds) == groups + 1
    for group in range(6):
        wanted = histogram.merged(
            histogram.Histogram(np.array([key], np.int32), np.array([count]), 0.0, 0.0)
            for of, key, count in rows
            if of == group
        )
        own, many = (each[bounds[group] : bounds[group + 1]] for each in (all_keys, all_counts))
        assert (own.tolist(), many.tolist()) == (wanted.keys.tolist(), wanted.counts.tolist())


@given(st.lists(NUMBERS), st.none() | st.integers(10, 100))
@example([1.0, 1.02, 1.02**2, 1.02**-5, 1e-9, -1e-9, 0.0], None)
@example([sys.float_info.max, -sys.float_info.max, 5e-324], 10)
def test_bins_hold_every_value_between_their_bounds(values: list[float], most: int | None) -> None:
    bins = histogram.bins(histogram.fold(values), most)
    assert most is None or len(bins) <= most
    assert sum(each.count for each in bins) == len(values)
    assert all(one.high <= other.low for one, other in pairwise(bins))
    assert all(each.count > 0 for each in bins)
    left = sorted(values)
    for each in bins:
        here, left = left[: each.count], left[each.count :]
        slack = 1e-9 * max(abs(each.low), abs(each.high))
        assert each.low - slack <= here[0]
        assert here[-1] <= each.high + slack


@given(st.lists(NUMBERS, min_size=1), st.lists(NUMBERS, min_size=1))
def test_bins_of_parts_add_up_to_those_of_the_whole(one: list[float], other: list[float]) -> None:
    """Law 4 as it is seen: the same bounds in every histogram, and the counts are sums."""
    together = histogram.bins(histogram.merge(histogram.fold(one), histogram.fold(other)))
    added: dict[tuple[float, float], int] = {}
    for each in (*histogram.bins(histogram.fold(one)), *histogram.bins(histogram.fold(other))):
        added[each.low, each.high] = added.get((each.low, each.high), 0) + each.count
    assert {(each.low, each.high): each.count for each in together} == added
