"""The ids of events that bring none: made of their id fields, or of their whole content and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

ID_BYTES = 16
HEX = 2 * ID_BYTES

Numbers: TypeAlias = npt.NDArray[np.int64]
Keys: TypeAlias = npt.NDArray[np.uint64]

# Large ones, because the values of a whole batch may be longer together than 32 bits can count.
_COLON = pa.scalar(b":", pa.large_binary())
_NOTHING = pa.scalar(b"", pa.large_binary())


def content_ids(columns: Mapping[str, pa.Array], time: pa.Array | Numbers) -> pa.Array:
    """A 128-bit hash of each row's typed fields and its time in microseconds, as 32 hex digits.

    Neither the order of the columns nor the batch matters: a null adds nothing, so that a field which nobody
    in the batch sent is as one that this row left out. An empty string is something else than a null.
    """
    named = [*sorted(columns.items()), ("time", time if isinstance(time, pa.Array) else pa.array(time))]
    parts = [_labelled(name, column) for name, column in named]
    rows = pc.binary_join_element_wise(*parts, _NOTHING).to_pylist()
    return pa.array([blake2b(row, digest_size=ID_BYTES).hexdigest() for row in rows], pa.string())


def composed_ids(arrays: Sequence[pa.Array]) -> pa.Array:
    """The values of the id fields in their declared order, joined by `|`.

    A `|` or backslash in a value has a backslash before it and a null is `\\0`, so that different values
    never give the same id; instants are RFC 3339 in UTC.
    """
    parts = [pc.cast(_escaped(_written(array)), pa.large_string()) for array in arrays]
    return pc.cast(pc.binary_join_element_wise(*parts, pa.scalar("|", pa.large_string())), pa.string())


class Occurrences:
    """Tells equal rows of one file apart by how many of their like came before, in this batch or an earlier.

    It remembers 64 bits of each hash and a count in sorted runs that are merged as they grow, 16 bytes a row:
    should two different rows share those, the later is told apart needlessly, and still counts.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[Keys, Numbers]] = []

    def number(self, hashes: pa.Array) -> pa.Array:
        """The ids of the rows: the hash itself for the first of its like, then with `#1`, `#2` and so on."""
        counts = self.count(hashes)
        if not counts.any():
            return hashes
        numbered = pc.binary_join_element_wise(hashes, pa.array(counts).cast(pa.string()), "#")
        return pc.if_else(pa.array(counts > 0), numbered, hashes)

    def count(self, hashes: pa.Array) -> Numbers:
        """How many equal rows came before each; `hashes` are those of `content_ids`."""
        keys = _keys(hashes)
        different, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
        before = np.zeros(len(different), np.int64)
        for known, times in self._runs:
            at = np.minimum(np.searchsorted(known, different), len(known) - 1)
            before += np.where(known[at] == different, times[at], 0)
        self._remember(different, counts.astype(np.int64))
        order = np.argsort(inverse, kind="stable")
        within = np.empty(len(keys), np.int64)
        within[order] = np.arange(len(keys)) - np.repeat(np.cumsum(counts) - counts, counts)
        return before[inverse] + within

    def _remember(self, keys: Keys, counts: Numbers) -> None:
        if not len(keys):
            return
        self._runs.append((keys, counts))
        while len(self._runs) > 1 and len(self._runs[-2][0]) <= 2 * len(self._runs[-1][0]):
            (later, more), (earlier, some) = self._runs.pop(), self._runs.pop()
            merged, inverse = np.unique(np.concatenate((earlier, later)), return_inverse=True)
            total = np.zeros(len(merged), np.int64)
            np.add.at(total, inverse, np.concatenate((some, more)))
            self._runs.append((merged, total))


def _labelled(name: str, column: pa.Array) -> pa.Array:
    """Each value as `<length>:<name><kind><length>:<value>`, so that no two rows run together alike."""
    kind, values = _canonical(column)
    label = name.encode()
    lengths = pc.cast(pc.cast(pc.binary_length(values), pa.string()), pa.large_binary())
    start = pa.scalar(b"%d:%s%s" % (len(label), label, kind), pa.large_binary())
    return pc.binary_join_element_wise(start, lengths, _COLON, values, _NOTHING).fill_null(b"")


def _canonical(column: pa.Array) -> tuple[bytes, pa.Array]:
    """A letter for the type, and the values as bytes that equal values share."""
    kind = column.type
    if pt.is_string(kind):
        return b"s", pc.cast(column, pa.large_binary())
    if pt.is_floating(kind):
        # By their bits, so that no way of writing numbers matters; adding zero makes 0.0 of -0.0, its equal.
        return b"n", _digits(pc.add(column, 0.0).view(pa.int64()))
    if pt.is_boolean(kind):
        return b"b", _digits(pc.cast(column, pa.int64()))
    if pt.is_timestamp(kind):
        return b"t", _digits(pc.cast(column, pa.int64()))
    return b"i", _digits(column)


def _digits(column: pa.Array) -> pa.Array:
    return pc.cast(pc.cast(column, pa.string()), pa.large_binary())


def _written(array: pa.Array) -> pa.Array:
    """Values as a person would write them; doubles by their shortest form, as JSON has them."""
    if pt.is_timestamp(array.type):
        text = pc.replace_substring(pc.cast(array, pa.string()), " ", "T")
        return pc.binary_join_element_wise(pc.replace_substring_regex(text, r"\.0+$", ""), "Z", "")
    if pt.is_floating(array.type):
        return pa.array(
            [None if value is None else repr(value + 0.0) for value in array.to_pylist()], pa.string()
        )
    return pc.cast(array, pa.string())


def _escaped(texts: pa.Array) -> pa.Array:
    escaped = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), "|", "\\|")
    return escaped.fill_null("\\0")


def _keys(hashes: pa.Array) -> Keys:
    """The first 64 bits of each hash."""
    letters = np.array(hashes.to_pylist(), f"S{HEX}").view(np.uint8).reshape(-1, HEX)[:, :16]
    nibbles = ((letters & 15) + 9 * (letters >> 6)).astype(np.uint64)
    shifts = np.arange(60, -1, -4, dtype=np.uint64)
    keys: Keys = np.bitwise_or.reduce(nibbles << shifts, axis=1)
    return keys
