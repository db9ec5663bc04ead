"""Which names may be in the tables: most events are new, and need no search to be known as that."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.layout import events_table
from aforo.engines.embedded.pending import Named
from aforo.engines.embedded.recognising import Mask
from aforo.windows import DAY

Hashes = npt.NDArray[np.uint64]

NAMES = 1_000_000
"""Names in one filter, of 4 MB."""
FILTERS = 8
PROBES = 4

_BITS = 32 * NAMES
_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)
_STEPS = np.arange(PROBES, dtype=np.uint64)


class Bloom:
    """A set that may say yes to what was never added, once in some 5,000 times when it is full; never no to
    what was (Bloom, CACM 13, 1970; two hashes as Kirsch and Mitzenmacher, ESA 2006).
    """

    def __init__(self) -> None:
        self._words = np.zeros(_BITS // 8, np.uint8)
        self.names = 0

    def add(self, hashes: Hashes) -> None:
        """Adds the names that have these hashes."""
        at = _places(hashes)
        np.bitwise_or.at(self._words, (at >> np.uint64(3)).ravel(), _bit(at).ravel())
        self.names += len(hashes)

    def may_have(self, hashes: Hashes) -> Mask:
        """Which of the names may have been added."""
        at = _places(hashes)
        return np.asarray(((self._words[at >> np.uint64(3)] & _bit(at)) != 0).all(axis=1))


class Recent:
    """Names that this process has kept, up to some millions, and from when on it knows of every one.

    What is as old as anything from before, or from a filter that had to go, may be in the tables.
    """

    def __init__(self, latest: int) -> None:
        self._floor = latest
        self._filters: list[tuple[Bloom, int]] = []  # with the latest time of its names

    def add(self, stream: str, named: Named) -> None:
        """Adds rows that are kept from now on."""
        if not self._filters or self._filters[-1][0].names >= NAMES:
            self._filters.append((Bloom(), 0))
        if len(self._filters) > FILTERS:
            self._floor = max(self._floor, self._filters.pop(0)[1])
        newest, last = self._filters[-1]
        newest.add(_hashes(stream, named))
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
            self.add(stream, Named.of(rows.filter(pa.array(~old))))

    def may_have(self, stream: str, named: Named, arrival: int, reach: int) -> Mask:
        """Which rows must be looked for; `arrival` and `reach` are those of rows without a time."""
        old: Mask = np.where(named.untimed, arrival - reach, named.times) <= self._floor
        if not self._filters:
            return old
        hashes = _hashes(stream, named)
        for names, _ in self._filters:
            old |= names.may_have(hashes)
        return old


def latest(cursor: Cursor) -> int:
    """The latest time of any event in the tables, in microseconds; 0 where there is none."""
    found = 0
    for (stream,) in cursor.execute("SELECT stream FROM streams").fetchall():
        row = first_row(cursor, f"SELECT epoch_us(max(time)) FROM {events_table(stream)}")
        found = max(found, 0 if row is None or row[0] is None else int(row[0]))
    return found


def _hashes(stream: str, named: Named) -> Hashes:
    """Numbers for names in a stream."""
    return named.hashes.view(np.uint64) ^ np.uint64(hash(stream) & 2**64 - 1)


def _places(hashes: Hashes) -> Hashes:
    """The bits of each name, one row a name."""
    first, second = hashes >> _HALF, (hashes & _LOW) | np.uint64(1)
    return (first[:, None] + _STEPS * second[:, None]) % np.uint64(_BITS)


def _bit(at: Hashes) -> npt.NDArray[np.uint8]:
    return np.left_shift(np.uint8(1), (at & np.uint64(7)).astype(np.uint8))
