"""Many sets at once are those that pyroaring holds one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyroaring import BitMap

from aforo.states import distinct

ORDINALS = st.one_of(st.integers(0, 40), st.integers(65_530, 65_540), st.integers(0, 2**32 - 1))
GROUPS = 7


@given(st.lists(st.tuples(st.integers(0, 5), ORDINALS)))
@example([(0, 3)])
@example([(5, 2**32 - 1), (5, 2**32 - 1), (0, 0)])
def test_any_pairs_are_grouped_and_counted(pairs: list[tuple[int, int]]) -> None:
    groups = np.array([group for group, _ in pairs], np.int64)
    ordinals = np.array([ordinal for _, ordinal in pairs], np.uint32)
    wanted = [BitMap(ordinal for group, ordinal in pairs if group == row) for row in range(GROUPS)]
    bounds, members = distinct.grouped(groups, ordinals, GROUPS)
    assert members.dtype == np.uint32
    assert (len(bounds), bounds[0], bounds[-1]) == (GROUPS + 1, 0, len(members))
    found = [members[bounds[row] : bounds[row + 1]].tolist() for row in range(GROUPS)]
    assert found == [list(one) for one in wanted]
    assert distinct.sizes(groups, ordinals, GROUPS).tolist() == [len(one) for one in wanted]
    assert [distinct.of_members(ordinals[groups == row]) for row in range(GROUPS)] == wanted
    gaps = distinct.gaps(bounds, members)
    apart = [gaps[bounds[row] : bounds[row + 1]].tolist() for row in range(GROUPS)]
    assert apart == [np.diff([0, *one]).tolist() for one in wanted]
    again = distinct.members(np.diff(bounds), gaps)
    assert (again.dtype, again.tolist()) == (np.uint32, members.tolist())


@pytest.mark.parametrize("highest", [distinct.DENSE_CELLS // 2 - 1, distinct.DENSE_CELLS // 2, 2**32 - 1])
def test_sizes_are_right_on_both_sides_of_what_has_a_place_for_each(highest: int) -> None:
    groups, ordinals = np.array([1, 0, 1, 1]), np.array([highest, 4, 4, highest])
    assert distinct.sizes(groups, ordinals, 2).tolist() == [1, 2]


@pytest.mark.parametrize("new", [0, 1, 10, 400])
def test_a_large_set_gets_new_members_and_known_ones(new: int) -> None:
    """Few or many of those that fall between what ascends."""
    kept, came = np.arange(0, 3_000, 3), np.arange(new)[::-1] * 2
    ordinals = np.concatenate((came, kept))
    bounds, members = distinct.grouped(np.zeros(len(ordinals), np.int64), ordinals, 1)
    assert members.tolist() == sorted({*came.tolist(), *kept.tolist()})
    assert bounds.tolist() == [0, len(members)]


def test_no_groups_and_no_pairs() -> None:
    nothing = np.empty(0, np.int64)
    for groups in (0, 1):
        bounds, members = distinct.grouped(nothing, nothing, groups)
        assert (bounds.tolist(), members.tolist()) == ([0] * (groups + 1), [])
        assert distinct.sizes(nothing, nothing, groups).tolist() == [0] * groups


@pytest.mark.parametrize(
    ("groups", "ordinals", "said"),
    [
        ([2], [1], "group 2"),
        ([-1], [1], "group -1"),
        ([0], [2**32], "ordinal 4294967296"),
        ([0, 1], [1], "2 groups"),
    ],
)
def test_pairs_outside_are_an_error(groups: list[int], ordinals: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        distinct.grouped(np.array(groups), np.array(ordinals), 2)
