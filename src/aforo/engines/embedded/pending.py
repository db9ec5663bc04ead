"""Commits that are durable in the journal and not yet in the tables, with what must be known of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

import pyarrow as pa

from aforo.engines.embedded.record import Mark, Record
from aforo.windows import Window

Key = tuple[str, str]


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
        self._records: list[Record] = []
        self._forget()

    def add(self, record: Record) -> None:
        """Adds a commit."""
        with self._lock:
            self._records.append(record)
            self._learn(record)

    def leave(self, upto: int) -> None:
        """Forgets the commits up to a number."""
        with self._lock:
            self._records = [record for record in self._records if record.number > upto]
            self._forget()
            for record in self._records:
                self._learn(record)

    @property
    def records(self) -> tuple[Record, ...]:
        """Every commit that waits."""
        with self._lock:
            return tuple(self._records)

    @property
    def rows(self) -> int:
        """How many rows wait."""
        return self._rows

    def rows_of(self, stream: str) -> list[tuple[int, pa.Table]]:
        """The rows of a stream that wait, with the times at which their commits were made."""
        return [
            (record.arrival, each.rows)
            for record in self.records
            for each in record.rows
            if each.stream == stream
        ]

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
        self._earliest: dict[Key, int] = {}

    def _learn(self, record: Record) -> None:
        self._rows += record.size
        for mark in record.marks:
            self._dirty(mark)

    def _dirty(self, mark: Mark) -> None:
        key = (mark.stream, mark.tenant)
        self._earliest[key] = min(mark.slot, self._earliest.get(key, mark.slot))
