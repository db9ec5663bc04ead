"""Where kept answers lie: bytes by key, for so long, until their tag or everything is dropped."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from aforo.clock import Clock

ENTRY_BYTES = 400
"""What an entry takes beside its value: its key, its tags and the places where they stand."""


@dataclass(frozen=True, slots=True)
class Held:
    """How much lies on a shelf; None where nobody can say now."""

    entries: int | None
    size_bytes: int | None


class Shelf(Protocol):
    """The verbs; every one may be called from any thread, and none ever raises."""

    @property
    def kind(self) -> str:
        """`memory` or `redis`."""
        ...

    def get(self, key: str) -> bytes | None:
        """What was put under the key; None where it is not there any more."""
        ...

    def put(self, key: str, value: bytes, seconds: float, tags: tuple[str, ...]) -> None:
        """Keeps a value for so long, or shorter where room is needed."""
        ...

    def drop(self, tag: str) -> int:
        """Takes away what has the tag; how many entries that were."""
        ...

    def drop_all(self) -> int:
        """Takes everything away; how many entries that were."""
        ...

    def held(self) -> Held:
        """How much lies here."""
        ...

    def start(self) -> None:
        """Takes away what earlier runs left."""
        ...

    def stop(self) -> None:
        """Lets go of what it holds."""
        ...


@dataclass(frozen=True, slots=True)
class _Entry:
    value: bytes
    until: float  # of the monotonic clock
    tags: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        return len(self.value) + ENTRY_BYTES


class MemoryShelf:
    """A shelf in this process of at most `most_bytes`: what was not asked for the longest goes first.

    `evicted` is told how many went for room.
    """

    kind = "memory"

    def __init__(self, clock: Clock, most_bytes: int, evicted: Callable[[int], None]) -> None:
        self._clock = clock
        self._most_bytes = most_bytes
        self._evicted = evicted
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._tagged: dict[str, set[str]] = {}
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if entry.until <= self._clock.monotonic():
                self._remove(key)
                return None
            self._entries.move_to_end(key)
            return entry.value

    def put(self, key: str, value: bytes, seconds: float, tags: tuple[str, ...]) -> None:
        entry, gone = _Entry(value, self._clock.monotonic() + seconds, tags), 0
        with self._lock:
            self._remove(key)
            if entry.size_bytes > self._most_bytes:
                return
            self._entries[key] = entry
            self._bytes += entry.size_bytes
            for tag in tags:
                self._tagged.setdefault(tag, set()).add(key)
            while self._bytes > self._most_bytes:
                self._remove(next(iter(self._entries)))
                gone += 1
        if gone:
            self._evicted(gone)

    def drop(self, tag: str) -> int:
        with self._lock:
            keys = tuple(self._tagged.get(tag, ()))
            for key in keys:
                self._remove(key)
            return len(keys)

    def drop_all(self) -> int:
        with self._lock:
            count = len(self._entries)
            self._entries.clear()
            self._tagged.clear()
            self._bytes = 0
            return count

    def held(self) -> Held:
        with self._lock:
            return Held(len(self._entries), self._bytes)

    def start(self) -> None:
        """Memory holds nothing of earlier runs."""

    def stop(self) -> None:
        self.drop_all()

    def _remove(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self._bytes -= entry.size_bytes
        for tag in entry.tags:
            keys = self._tagged[tag]
            keys.discard(key)
            if not keys:
                del self._tagged[tag]
