"""Rows by numbers that stand for their names: what has another number has another name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Hashes: TypeAlias = npt.NDArray[np.uint64]
Numbers: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_WORD = 8  # letters that are taken at once
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


@dataclass(frozen=True, slots=True)
class Named:
    """Rows of a stream by hashes of their names: tenant, id and time in microseconds.

    A row without a time is named by its tenant and id. The hashes are of this process only.
    """

    times: Numbers
    untimed: Mask
    hashes: Hashes

    @classmethod
    def of(cls, stream: str, rows: pa.Table) -> Named:
        times = pc.cast(rows["time"], pa.int64()).to_numpy()
        untimed = rows["untimed"].to_numpy()
        # Begun with Python's hash, which nobody outside can foresee.
        hashes = np.full(rows.num_rows, hash(stream) & (2**64 - 1), np.uint64)
        for column in ("tenant", "id"):
            hashes = _with_texts(hashes, rows[column].combine_chunks())
        return cls(times, untimed, _mixed(hashes, np.where(untimed, 0, times).astype(np.uint64)))

    def only(self, chosen: Mask) -> Named:
        """Those of the rows that are chosen."""
        if chosen.all():
            return self
        return Named(self.times[chosen], self.untimed[chosen], self.hashes[chosen])


def _with_texts(hashes: Hashes, texts: pa.Array) -> Hashes:
    """The hashes with a text for each added, word by word, of all rows at once."""
    _, offsets, letters = texts.buffers()
    bounds = np.frombuffer(offsets, np.int32, len(texts) + 1, 4 * texts.offset).astype(np.int64)
    words, starts = _words(letters, int(bounds[0]), int(bounds[-1])), bounds[:-1] - bounds[0]
    lengths = np.diff(bounds)
    hashes = _mixed(hashes, lengths.astype(np.uint64))
    whole = int(lengths.min()) // _WORD * _WORD if len(lengths) else 0
    for at in range(0, whole, _WORD):  # which every text has
        hashes = _mixed(hashes, words[starts + at])
    for at in range(whole, int(lengths.max(initial=0)), _WORD):
        rows = np.flatnonzero(lengths > at)
        beyond = np.maximum(0, at + _WORD - lengths[rows]).astype(np.uint64) * np.uint64(8)
        hashes[rows] = _mixed(hashes[rows], words[starts[rows] + at] << beyond)
    return hashes


def _words(letters: pa.Buffer | None, first: int, end: int) -> Hashes:
    """The word that begins at each letter; a shift leaves out what is beyond the end of a text."""
    whole = np.zeros(end - first + _WORD, np.uint8)
    if letters is not None:
        whole[: end - first] = np.frombuffer(letters, np.uint8, end - first, first)
    return np.ndarray(end - first + 1, "<u8", whole, strides=(1,))


def _mixed(hashes: Hashes, words: Hashes) -> Hashes:
    hashes = (hashes ^ words) * _FACTOR
    return hashes ^ (hashes >> _HALF)
