"""Sets written by numpy are Roaring bitmaps to pyroaring, and the other way round."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyroaring import BitMap

from aforo.states import distinct

ORDINALS = st.one_of(st.integers(0, 40), st.integers(65_530, 65_540), st.integers(0, 2**32 - 1))


@given(st.lists(st.tuples(st.integers(0, 5), ORDINALS)))
def test_any_pairs_come_back(pairs: list[tuple[int, int]]) -> None:
    groups = np.array([group for group, _ in pairs], np.int64)
    ordinals = np.array([ordinal for _, ordinal in pairs], np.uint32)
    sets = distinct.encode(groups, ordinals, 7)
    sets.validate(full=True)
    wanted = [BitMap(ordinal for group, ordinal in pairs if group == row) for row in range(7)]
    assert [BitMap.deserialize(blob) for blob in sets.to_pylist()] == wanted
    assert [bytes(blob) for blob in sets.to_pylist()] == [one.serialize() for one in wanted]
    rows, found = distinct.decode(sets)
    assert list(zip(rows.tolist(), found.tolist(), strict=True)) == sorted(set(pairs))


@st.composite
def bitmaps(draw: st.DrawFn) -> BitMap:
    bitmap = BitMap(draw(st.lists(ORDINALS, max_size=8)))
    if draw(st.booleans()):
        start = draw(ORDINALS)
        bitmap.add_range(start, min(2**32, start + draw(st.integers(1, 12_000))))
    if draw(st.booleans()):
        bitmap.run_optimize()
    return bitmap


@given(st.lists(st.one_of(st.none(), bitmaps()), max_size=6), st.integers(0, 3))
@example([BitMap(range(4096)), BitMap(range(4097)), BitMap(range(0, 10_000, 2))], 0)
def test_whatever_pyroaring_writes_is_read(sets: list[BitMap | None], skipped: int) -> None:
    blobs = [None if one is None else one.serialize() for one in sets]
    for array in (
        pa.array(blobs, pa.binary()).slice(skipped),
        pa.array(blobs, pa.large_binary()).slice(skipped),
        pa.chunked_array([pa.array(blobs, pa.binary())], pa.binary()).slice(skipped),
    ):
        rows, ordinals = distinct.decode(array)
        wanted = [(row, ordinal) for row, one in enumerate(sets[skipped:]) if one for ordinal in one]
        assert list(zip(rows.tolist(), ordinals.tolist(), strict=True)) == wanted
    assert distinct.union(blobs) == BitMap.union(BitMap(), *(one for one in sets if one is not None))
    assert distinct.size(blobs) == len(distinct.union(blobs))


@pytest.mark.parametrize("size", [4095, 4096, 4097, 70_000, 140_000])
def test_large_sets_beside_small_ones(size: int) -> None:
    groups = np.concatenate(([0, 0], np.full(size, 1), [2])).astype(np.int64)
    ordinals = np.concatenate(([9, 3], np.arange(size) * 3, [2**32 - 1])).astype(np.uint32)
    sets = distinct.encode(groups[::-1], ordinals[::-1], 3)
    assert [BitMap.deserialize(blob) for blob in sets.to_pylist()] == [
        BitMap([3, 9]),
        BitMap(np.arange(size, dtype=np.uint32) * 3),
        BitMap([2**32 - 1]),
    ]
    rows, found = distinct.decode(sets)
    assert np.array_equal(np.bincount(rows), [2, size, 1])
    assert (found[0], found[-1]) == (3, 2**32 - 1)


@pytest.mark.parametrize("size", [4096, 4097, 65_536, 70_000])
def test_large_sets_of_neighbours(size: int) -> None:
    """As a dictionary gives them out: optimized they would be runs, of an odd number of bytes."""
    groups = np.repeat(np.arange(2), size)
    ordinals = np.tile(np.arange(size, dtype=np.uint32), 2)
    sets = distinct.encode(groups, ordinals, 2)
    assert [BitMap.deserialize(blob) for blob in sets.to_pylist()] == [BitMap(range(size))] * 2
    rows, found = distinct.decode(sets)
    assert np.array_equal(rows, groups)
    assert np.array_equal(found, ordinals)


def test_no_groups_and_no_pairs() -> None:
    nothing = np.empty(0, np.int64)
    assert distinct.encode(nothing, nothing, 0).to_pylist() == []
    assert distinct.encode(nothing, nothing, 1).to_pylist() == [BitMap().serialize()]
    assert [part.tolist() for part in distinct.decode(pa.array([], pa.binary()))] == [[], []]
    assert [part.tolist() for part in distinct.decode(pa.chunked_array([], pa.binary()))] == [[], []]


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
        distinct.encode(np.array(groups), np.array(ordinals), 2)


@pytest.mark.parametrize("blob", [b"x", b"no set at all", BitMap([1, 2, 3]).serialize()[:-1]])
def test_bytes_that_are_no_set_are_an_error(blob: bytes) -> None:
    with pytest.raises(ValueError, match="set"):
        distinct.decode(pa.array([blob], pa.binary()))
