"""Which entities there were: a Roaring bitmap of their ordinals, so that unions are exact over any window."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from aforo.states import roaring

Words: TypeAlias = npt.NDArray[np.uint32]


def empty() -> BitMap:
    """The set of nobody."""
    return BitMap()


def fold(ordinals: Iterable[int | None]) -> BitMap:
    """The set of the ordinals, nulls left out."""
    return BitMap([ordinal for ordinal in ordinals if ordinal is not None])


def merge(a: BitMap, b: BitMap) -> BitMap:
    """The union; neither operand is changed."""
    return a | b


def finish(state: BitMap) -> int:
    """How many different entities there were, exactly."""
    return len(state)


def shared(a: BitMap, b: BitMap) -> int:
    """How many entities are in both."""
    return int(a.intersection_cardinality(b))


def common(a: BitMap, b: BitMap) -> BitMap:
    """Those that are in both."""
    return a & b


def without(a: BitMap, b: BitMap) -> BitMap:
    """Those of `a` that are not in `b`."""
    return a - b


def encode(
    groups: npt.NDArray[np.integer], ordinals: npt.NDArray[np.integer], n_groups: int
) -> pa.LargeBinaryArray:
    """One serialised set a group from pairs in any order, repeated or not; a group without pairs is empty.

    `groups` are in [0, n_groups), `ordinals` in [0, 2**32); ValueError otherwise.
    """
    if len(groups) != len(ordinals):
        raise ValueError(f"{len(groups)} groups for {len(ordinals)} ordinals")
    if not len(groups):
        return roaring.write(np.empty(0, np.uint64), n_groups)
    _within(groups, n_groups, "group")
    _within(ordinals, 2**32, "ordinal")
    pairs = (groups.astype(np.uint64) << np.uint64(32)) | ordinals.astype(np.uint64)
    return roaring.write(_sorted_unique(pairs), n_groups)


def decode(sets: pa.Array | pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], Words]:
    """The pairs (row, ordinal) of an array of serialised sets, ascending; null rows have none.

    ValueError for bytes that are no serialised set.
    """
    return roaring.read(sets)


def union(blobs: Iterable[bytes | memoryview | None]) -> BitMap:
    """The union of serialised sets, nulls left out."""
    sets = [BitMap.deserialize(bytes(blob)) for blob in blobs if blob is not None]
    return BitMap.union(*sets) if sets else BitMap()


def size(blobs: Iterable[bytes | memoryview | None]) -> int:
    """How many different entities are in any of the serialised sets."""
    return len(union(blobs))


def _within(numbers: npt.NDArray[np.integer], limit: int, what: str) -> None:
    least, most = int(numbers.min()), int(numbers.max())
    if least < 0 or most >= limit:
        raise ValueError(f"{what} {least if least < 0 else most} is outside 0 to {limit - 1}")


def _sorted_unique(pairs: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    if not (pairs[1:] > pairs[:-1]).all():
        pairs = np.sort(pairs)
        pairs = pairs[np.concatenate(([True], pairs[1:] != pairs[:-1]))]
    return pairs
