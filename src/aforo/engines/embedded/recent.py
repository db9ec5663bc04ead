"""Which names may be in the tables: most events are new, and need no search to be known as that."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.layout import events_table
from aforo.engines.embedded.named import Hashes, Mask, Named
from aforo.windows import DAY

NAMES = 1_000_000
"""Names in one filter, of 4 MB."""
FILTERS = 8

_WORDS = np.uint64(NAMES // 2)
_BITS_OF_A_WORD = np.arange(4, dtype=np.uint64)[:, None, None] * np.uint64(6)
_HIGH, _LOW = np.uint64(40), np.uint64(63)
_OTHER = np.uint64(0xD6E8FEB86659FD93)


class Bloom:
    """A set that may say yes to what was never added, once in some 30,000 times when it is full; never no to
    what was (Bloom, CACM 13, 1970; four bits in each of two words, as Putze, Sanders and Singler, WEA 2007).
    """

    def __init__(self) -> None:
        self._words = np.zeros(int(_WORDS), np.uint64)
        self.names = 0

    def add(self, hashes: Hashes) -> None:
        """Adds the names that have these hashes."""
        at, bits = _places(hashes)
        self._words[at] |= bits
        lost = self._words[at] & bits != bits  # of several that have one word only the last was written
        np.bitwise_or.at(self._words, at[lost], bits[lost])
        self.names += len(hashes)

    def may_have(self, hashes: Hashes) -> Mask:
        """Which of the names may have been added."""
        at, bits = _places(hashes)
        found: Mask = (self._words[at] & bits == bits).all(axis=0)
        return found


class Recent:
    """Names that this process has kept, up to some millions, and from when on it knows of every one.

    What is as old as anything from before, or from a filter that had to go, may be in the tables.
    """

    def __init__(self, latest: int) -> None:
        self._floor = latest
        self._filters: list[tuple[Bloom, int]] = []  # with the latest time of its names

    def add(self, named: Named) -> None:
        """Adds rows that are kept from now on."""
        if not self._filters or self._filters[-1][0].names >= NAMES:
            self._filters.append((Bloom(), 0))
        if len(self._filters) > FILTERS:
            self._floor = max(self._floor, self._filters.pop(0)[1])
        newest, last = self._filters[-1]
        newest.add(named.hashes)
        self._filters[-1] = (newest, max(last, int(named.times.max())))

    def add_many(self, stream: str, rows: pa.Table, arrival: int) -> None:
        """Adds rows of a large commit: those of the last day by name, as others of it are still to come.

        What is older is not worth its names; all as old as it is searched for from now on.
        """
        times = pc.cast(rows["time"], pa.int64()).to_numpy()
        old = times < arrival - DAY
        if old.any():
            self._floor = max(self._floor, int(times[old].max()))
        if not old.all():
            self.add(Named.of(stream, rows.filter(pa.array(~old))))

    def may_have(self, named: Named, arrival: int, reach: int) -> Mask:
        """Which rows must be looked for; `arrival` and `reach` are those of rows without a time."""
        old: Mask = np.where(named.untimed, arrival - reach, named.times) <= self._floor
        for names, _ in self._filters:
            old |= names.may_have(named.hashes)
        return old


def latest(cursor: Cursor) -> int:
    """The latest time of any event in the tables, in microseconds; 0 where there is none."""
    found = 0
    for (stream,) in cursor.execute("SELECT stream FROM streams").fetchall():
        row = first_row(cursor, f"SELECT epoch_us(max(time)) FROM {events_table(stream)}")
        found = max(found, 0 if row is None or row[0] is None else int(row[0]))
    return found


def _places(hashes: Hashes) -> tuple[Hashes, Hashes]:
    """The two words of each name, one line each, and the bits that it has there."""
    both = np.stack((hashes, (hashes ^ (hashes >> np.uint64(32))) * _OTHER))
    bits = np.uint64(1) << ((both >> _BITS_OF_A_WORD) & _LOW)
    return (both >> _HIGH) % _WORDS, np.bitwise_or.reduce(bits, axis=0)
