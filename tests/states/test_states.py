"""Law 4: the merge of the states of parts is the state of the whole, for every kind."""

from __future__ import annotations

import math
from fractions import Fraction
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.states import KINDS, count, distinct, maximum, minimum
from aforo.states import sum as sum_

INTEGERS = st.one_of(st.none(), st.integers(-(2**62), 2**62))
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
VALUES = {
    "count": INTEGERS,
    "sum": INTEGERS,
    "minimum": st.one_of(INTEGERS, NUMBERS),
    "maximum": st.one_of(INTEGERS, NUMBERS),
    "distinct": st.one_of(st.none(), st.integers(0, 2**32 - 1)),
    "histogram": NUMBERS,
}


@st.composite
def parts(draw: st.DrawFn) -> tuple[ModuleType, list[list[object]]]:
    name = draw(st.sampled_from(sorted(KINDS)))
    return KINDS[name], [draw(st.lists(VALUES[name], max_size=20)) for _ in range(3)]


@given(parts())
def test_law_4_merge_is_associative_commutative_and_whole(
    case: tuple[ModuleType, list[list[object]]],
) -> None:
    kind, (first, second, third) = case
    a, b, c = kind.fold(first), kind.fold(second), kind.fold(third)
    whole = kind.fold([*first, *second, *third])
    assert kind.merge(kind.merge(a, b), c) == whole
    assert kind.merge(a, kind.merge(b, c)) == whole
    assert kind.merge(kind.merge(c, a), b) == whole


@given(parts())
def test_law_4_the_empty_state_is_the_identity(case: tuple[ModuleType, list[list[object]]]) -> None:
    kind, (values, *_) = case
    state = kind.fold(values)
    assert kind.merge(state, kind.empty()) == state == kind.merge(kind.empty(), state)
    assert kind.fold([]) == kind.empty()


def test_each_kind_finishes_to_its_answer() -> None:
    assert count.finish(count.fold([1, None, 1])) == 3
    assert sum_.finish(sum_.fold([2, None, 3])) == 5
    assert sum_.finish(sum_.fold([2_500_000]), scale=6) == Fraction(5, 2)
    assert sum_.finish(sum_.fold([None]), scale=6) is None
    assert minimum.finish(minimum.fold([3, -1.5, None])) == -1.5
    assert maximum.finish(maximum.fold([3, -1.5, None])) == 3
    assert distinct.finish(distinct.fold([4, 4, None, 2**32 - 1])) == 2


def test_scaling_rounds_half_to_even() -> None:
    assert [sum_.scaled(value, 0) for value in (0.5, 1.5, 2.5, -0.5, -1.5)] == [0, 2, 2, 0, -2]
    assert sum_.scaled(1.25, 1) == 12
    assert sum_.scaled(7, 3) == 7000
    assert sum_.scaled(2**63 - 1, 0) == 2**63 - 1


@pytest.mark.parametrize("value", [2**63, -(2**63), 1e19, -1e19, math.inf, math.nan, 1e308])
def test_what_overflows_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        sum_.scaled(value, 6)
