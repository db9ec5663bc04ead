"""Many small sets at once in the portable Roaring format, written and read with numpy.

The format (https://github.com/RoaringBitmap/RoaringFormatSpec) without run containers is, in 16-bit
little-endian words: cookie 12346 and zero; the number of containers (2 words); for each container its key
(the ordinals' upper half) and its size less one; for each container its byte offset (2 words); then the
containers. One of up to 4,096 values is the ascending lower halves. Sets with larger ones are written by
pyroaring, without runs; sets with runs are only read.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

COOKIE = 12346
ARRAY_LIMIT = 4096
HEADER_WORDS = 4
CONTAINER_WORDS = 4

Numbers: TypeAlias = npt.NDArray[np.int64]


def write(pairs: npt.NDArray[np.uint64], n_groups: int) -> pa.LargeBinaryArray:
    """Sets from ascending, different pairs `group << 32 | ordinal`."""
    containers = _Containers(pairs, n_groups)
    words = HEADER_WORDS + CONTAINER_WORDS * containers.per_group + containers.values_per_group
    large = _large_sets(pairs, containers)
    for group, blob in large.items():
        words[group] = len(blob) // 2
    bounds = _running(words)
    out = np.zeros(int(bounds[-1]), "<u2")
    _write_heads(out, bounds[:-1], containers)
    _write_small(out, bounds[:-1], pairs, containers)
    for group, blob in large.items():
        out[bounds[group] : bounds[group + 1]] = np.frombuffer(blob, "<u2")
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), n_groups, [None, pa.py_buffer(bounds * 2), pa.py_buffer(out)]
    )


def read(sets: pa.Array | pa.ChunkedArray) -> tuple[Numbers, npt.NDArray[np.uint32]]:
    """The pairs (row, ordinal) of serialised sets, ascending; ValueError for bytes that are none."""
    bytes_, starts, lengths = _bytes_of(sets)
    small, counts = _small_sets(bytes_, starts, lengths)
    rows, ordinals = _read_small(bytes_, starts, np.flatnonzero(small), counts)
    others = np.flatnonzero(~small & (lengths > 0))
    if not len(others):
        return rows, ordinals
    parts = [_deserialized(bytes_[starts[row] : starts[row] + lengths[row]]) for row in others.tolist()]
    rows = np.concatenate((rows, np.repeat(others, [len(part) for part in parts])))
    order = np.argsort(rows, kind="stable")
    return rows[order], np.concatenate((ordinals, *parts))[order]


class _Containers:
    """Where each container of ascending pairs begins, and which group it is of."""

    __slots__ = (
        "first",
        "group",
        "index",
        "key",
        "per_group",
        "sizes",
        "small",
        "values_before",
        "values_per_group",
    )

    def __init__(self, pairs: npt.NDArray[np.uint64], n_groups: int) -> None:
        upper = pairs >> np.uint64(16)
        changes = np.concatenate((np.ones(min(1, len(pairs)), bool), upper[1:] != upper[:-1]))
        self.first: Numbers = np.flatnonzero(changes)
        self.sizes: Numbers = np.diff(self.first, append=len(pairs))
        at_first = upper[self.first]
        self.key = (at_first & np.uint64(0xFFFF)).astype(np.uint16)
        self.group: Numbers = (at_first >> np.uint64(16)).astype(np.int64)
        self.per_group: Numbers = np.bincount(self.group, minlength=n_groups).astype(np.int64)
        before = _running(self.per_group)
        self.index: Numbers = np.arange(len(self.group)) - before[self.group]
        bounds = np.append(self.first, len(pairs))[before]
        self.values_per_group: Numbers = np.diff(bounds)
        self.values_before: Numbers = self.first - bounds[self.group]
        self.small = np.ones(n_groups, bool)
        self.small[self.group[self.sizes > ARRAY_LIMIT]] = False


def _large_sets(pairs: npt.NDArray[np.uint64], containers: _Containers) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for group in np.flatnonzero(~containers.small).tolist():
        lower, upper = np.searchsorted(pairs, np.array([group << 32, (group + 1) << 32], np.uint64))
        # Not optimized: a set with runs may take an odd number of bytes, and here everything is words.
        found[group] = BitMap(pairs[lower:upper].astype(np.uint32), optimize=False).serialize()
    return found


def _write_heads(out: npt.NDArray[np.uint16], starts: Numbers, containers: _Containers) -> None:
    out[starts] = COOKIE
    out[starts + 2] = containers.per_group & 0xFFFF
    out[starts + 3] = containers.per_group >> 16


def _write_small(
    out: npt.NDArray[np.uint16], starts: Numbers, pairs: npt.NDArray[np.uint64], containers: _Containers
) -> None:
    """Writes the groups whose containers are all arrays; the others' room is left for `_large_sets`."""
    whole = bool(containers.small.all())
    chosen = containers.small[containers.group]
    group, sizes = containers.group[chosen], containers.sizes[chosen]
    per_group, before = containers.per_group[group], containers.values_before[chosen]
    heads = starts[group] + HEADER_WORDS + 2 * containers.index[chosen]
    out[heads] = containers.key[chosen]
    out[heads + 1] = sizes - 1
    places = heads + 2 * per_group
    offsets = HEADER_WORDS + CONTAINER_WORDS * per_group + before
    out[places] = (2 * offsets) & 0xFFFF
    out[places + 1] = (2 * offsets) >> 16
    values = pairs if whole else pairs[np.repeat(chosen, containers.sizes)]
    out[_ranges(starts[group] + offsets, sizes)] = values.astype(np.uint16)


def _bytes_of(sets: pa.Array | pa.ChunkedArray) -> tuple[npt.NDArray[np.uint8], Numbers, Numbers]:
    """All bytes, and where each row begins and how long it is (0 for a null)."""
    if isinstance(sets, pa.ChunkedArray):
        sets = sets.combine_chunks()
    sets = sets.cast(pa.large_binary())
    if not len(sets):
        return np.empty(0, np.uint8), np.empty(0, np.int64), np.empty(0, np.int64)
    _, offsets_buffer, data = sets.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64)[sets.offset : sets.offset + len(sets) + 1]
    lengths = np.diff(offsets)
    if sets.null_count:
        lengths = np.where(sets.is_valid().to_numpy(zero_copy_only=False), lengths, 0)
    return np.frombuffer(data or b"", np.uint8), offsets[:-1], lengths


def _small_sets(
    bytes_: npt.NDArray[np.uint8], starts: Numbers, lengths: Numbers
) -> tuple[npt.NDArray[np.bool_], Numbers]:
    """Which rows are sets of array containers only, and how many containers those have."""
    small = lengths >= 2 * HEADER_WORDS
    counts = np.zeros(len(starts), np.int64)
    if not small.any():
        return small, counts
    words = _unaligned(bytes_)
    rows = np.flatnonzero(small)
    at = starts[rows]
    number = words[at + 4].astype(np.int64) | (words[at + 6].astype(np.int64) << 16)
    fits = 2 * (HEADER_WORDS + CONTAINER_WORDS * number) <= lengths[rows]
    plain = (words[at] == COOKIE) & (words[at + 2] == 0) & fits
    rows, number = rows[plain], number[plain]
    sizes = words[_ranges(starts[rows] + 2 * HEADER_WORDS + 2, number, step=4)].astype(np.int64) + 1
    # Only arrays take two bytes a value: a container of bits always makes the row shorter than this.
    values = np.diff(np.append(0, np.cumsum(sizes))[_running(number)])
    exact = 2 * (HEADER_WORDS + CONTAINER_WORDS * number + values) == lengths[rows]
    small = np.zeros(len(starts), bool)
    small[rows[exact]] = True
    counts[rows[exact]] = number[exact]
    return small, counts


def _read_small(
    bytes_: npt.NDArray[np.uint8], starts: Numbers, rows: Numbers, counts: Numbers
) -> tuple[Numbers, npt.NDArray[np.uint32]]:
    per_row = counts[rows]
    if not per_row.any():
        return np.empty(0, np.int64), np.empty(0, np.uint32)
    words = _unaligned(bytes_)
    heads = _ranges(starts[rows] + 2 * HEADER_WORDS, per_row, step=4)
    sizes = words[heads + 2].astype(np.int64) + 1
    running = _running(sizes)
    bounds = running[_running(per_row)]
    before = running[:-1] - np.repeat(bounds[:-1], per_row)
    first = np.repeat(starts[rows] + 2 * (HEADER_WORDS + CONTAINER_WORDS * per_row), per_row) + 2 * before
    lower = words[_ranges(first, sizes, step=2)].astype(np.uint32)
    upper = np.repeat(words[heads].astype(np.uint32) << np.uint32(16), sizes)
    return np.repeat(rows, np.diff(bounds)), upper | lower


def _deserialized(blob: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    try:
        return np.array(BitMap.deserialize(blob.tobytes()).to_array(), np.uint32)
    except ValueError as error:
        raise ValueError(f"{len(blob)} bytes are no serialised set") from error


def _unaligned(bytes_: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    """The 16-bit word that begins at each byte: sets with runs leave the ones after them at odd places."""
    return np.ndarray((max(0, len(bytes_) - 1),), "<u2", bytes_, strides=(1,))


def _running(sizes: Numbers) -> Numbers:
    """The sums of all before each, and of all."""
    out = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=out[1:])
    return out


def _ranges(starts: Numbers, sizes: Numbers, step: int = 1) -> Numbers:
    """start, start + step, ... of each size, one after another."""
    bounds = _running(sizes)
    return np.arange(bounds[-1]) * step + np.repeat(starts - bounds[:-1] * step, sizes)
