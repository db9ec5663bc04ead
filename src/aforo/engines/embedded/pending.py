"""Commits that are durable in the journal and not yet in the tables, with what must be known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.embedded.record import Mark, Record
from aforo.windows import Window

Key = tuple[str, str]
Name = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Named:
    """Rows of a stream by their names: tenant, id and time in microseconds.

    The `hashes` are of the names; a row without a time is named by its tenant and id.
    """

    names: list[Name]
    times: npt.NDArray[np.int64]
    untimed: npt.NDArray[np.bool_]
    hashes: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: pa.Table) -> Named:
        times = pc.cast(rows["time"], pa.int64())
        names = list(zip(rows["tenant"].to_pylist(), rows["id"].to_pylist(), times.to_pylist(), strict=True))
        untimed = rows["untimed"].to_numpy()
        hashes = np.fromiter(map(hash, names), np.int64, len(names))
        for at in np.flatnonzero(untimed).tolist():
            hashes[at] = hash(names[at][:2])
        return cls(names, times.to_numpy(), untimed, hashes)

    def only(self, chosen: npt.NDArray[np.bool_]) -> Named:
        """Those of the rows that are chosen."""
        if chosen.all():
            return self
        names = [self.names[at] for at in np.flatnonzero(chosen).tolist()]
        return Named(names, self.times[chosen], self.untimed[chosen], self.hashes[chosen])


@dataclass(frozen=True, slots=True)
class Waiting:
    """The first slot that pending commits touch in a window, and when the oldest of them was made."""

    dirty_from: int
    since: int


class Pending:
    """Kept in the order of their numbers; may be used from any thread.

    Whoever needs both this and the tables looks here first: a commit leaves only once the tables have it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: list[tuple[Record, Mapping[str, Named]]] = []
        self._forget()

    def add(self, record: Record, named: Mapping[str, Named]) -> None:
        """Adds a commit with the names of its rows by stream."""
        with self._lock:
            self._entries.append((record, named))
            self._learn(record, named)

    def leave(self, upto: int) -> None:
        """Forgets the commits up to a number."""
        with self._lock:
            self._entries = [entry for entry in self._entries if entry[0].number > upto]
            self._forget()
            for record, named in self._entries:
                self._learn(record, named)

    @property
    def records(self) -> tuple[Record, ...]:
        """Every commit that waits."""
        with self._lock:
            return tuple(record for record, _ in self._entries)

    @property
    def rows(self) -> int:
        """How many rows wait."""
        return self._rows

    def has(self, stream: str, named: Named, arrival: int, reach: int) -> npt.NDArray[np.bool_]:
        """Which of the rows wait already; those without a time if they came within `reach` of `arrival`."""
        with self._lock:
            timed, untimed = self._timed.get(stream, set()), self._untimed.get(stream, {})
            if not timed and not untimed:
                return np.zeros(len(named.names), np.bool_)
            there = np.zeros(len(named.names), np.bool_)
            if not timed.isdisjoint(named.names):
                there[:] = [name in timed for name in named.names]
            for at in np.flatnonzero(named.untimed).tolist():
                tenant, id_, _ = named.names[at]
                came = untimed.get((tenant, id_))
                there[at] = came is not None and abs(came - arrival) <= reach
            return there

    def earliest(self, keys: Iterable[Key]) -> dict[Key, int]:
        """The first slot that pending commits touch, for those streams and tenants that they do."""
        with self._lock:
            return {key: self._earliest[key] for key in keys if key in self._earliest}

    def waiting(self, stream: str, tenant: str, window: Window) -> Waiting | None:
        """What waits of a window."""
        touched = [
            (mark.slot, record.arrival)
            for record in self.records
            for mark in record.marks
            if (mark.stream, mark.tenant) == (stream, tenant) and window.start <= mark.slot < window.end
        ]
        if not touched:
            return None
        return Waiting(min(slot for slot, _ in touched), min(arrival for _, arrival in touched))

    def _forget(self) -> None:
        self._rows = 0
        self._timed: dict[str, set[Name]] = {}
        self._untimed: dict[str, dict[Key, int]] = {}
        self._earliest: dict[Key, int] = {}

    def _learn(self, record: Record, named: Mapping[str, Named]) -> None:
        self._rows += record.size
        for stream, rows in named.items():
            if not rows.untimed.any():
                self._timed.setdefault(stream, set()).update(rows.names)
                continue
            for name, untimed in zip(rows.names, rows.untimed.tolist(), strict=True):
                if untimed:
                    self._untimed.setdefault(stream, {})[name[:2]] = name[2]
                else:
                    self._timed.setdefault(stream, set()).add(name)
        for mark in record.marks:
            self._dirty(mark)

    def _dirty(self, mark: Mark) -> None:
        key = (mark.stream, mark.tenant)
        self._earliest[key] = min(mark.slot, self._earliest.get(key, mark.slot))
