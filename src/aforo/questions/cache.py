"""Answers kept for who asks again: right without invalidation, one reading however many ask at once.

The key of an answer names all that it was read from (see `ground`), so that what changes changes the key.
The generation of each of its tags is in the key as well: what was begun to be read before a tag was cleared
is under a key that nobody asks for any more, however late it is put there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from threading import Lock
from typing import Any

import msgspec

from aforo.clock import MICROSECONDS
from aforo.errors import InvalidRequest
from aforo.questions.kept import S, Unpack, packed
from aforo.questions.shelf import Held, Shelf
from aforo.telemetry import Telemetry
from aforo.windows import Window

DAY_SECONDS = 86_400
MOST_GENERATIONS = 10_000
"""Tags whose generations are remembered; with more, all answers count as cleared."""
TAGS = ("tenant", "stream", "metric")
"""What an answer can be cleared by: `tenant:nyc`."""


class Tier(StrEnum):
    """How long an answer is kept at most, by how likely its window is to change."""

    SHORT = "short"  # the window goes on
    DEFAULT = "default"  # it ended within the last day, and late events still come
    LONG = "long"


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds of each tier."""

    short_seconds: float
    default_seconds: float
    long_seconds: float

    def of(self, tier: Tier) -> float:
        return {
            Tier.SHORT: self.short_seconds,
            Tier.DEFAULT: self.default_seconds,
            Tier.LONG: self.long_seconds,
        }[tier]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An answer that is asked for: all it is read from as a text, its tags, and how long it may be kept."""

    text: str
    tags: tuple[str, ...]
    tier: Tier


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """What lies in the cache now, and what it was asked since the process began."""

    shelf: str
    held: Held
    hits: int
    misses: int
    joined: int  # of the hits, those that waited for a reading under way


class Cache:
    """Gives kept answers out, or has them computed once for all who wait."""

    def __init__(self, shelf: Shelf, lifetimes: Lifetimes, telemetry: Telemetry) -> None:
        self.shelf = shelf
        self._lifetimes = lifetimes
        self._telemetry = telemetry
        self._lock = Lock()  # so that nothing is put on the shelf that was cleared meanwhile
        self._flights: dict[str, Future[Any]] = {}
        self._whole = 0
        self._generations: dict[str, int] = {}
        self._hits = self._misses = self._joined = 0

    def get_or_compute(self, wanted: Wanted, compute: Callable[[], S], unpack: Unpack[S]) -> S:
        """The kept answer, or what `compute` gives; raises what `compute` raises, for all who wait.

        `wanted` names what kind of answer it is, so that none is found by who asks for another.
        """
        key, generations = self._key(wanted)
        if (found := self._found(key, unpack)) is not None:
            return self._hit(found)
        with self._lock:
            flight = self._flights.get(key)
            leads = flight is None
            if flight is None:
                flight = self._flights[key] = Future()
        if not leads:
            landed: S = flight.result()
            return self._hit(landed, joined=True)
        try:
            # Whoever led before may have landed between the look and now.
            found = self._found(key, unpack)
            kept = compute() if found is None else found
            if found is None:
                self._keep(key, wanted, generations, kept)
        except BaseException as error:
            flight.set_exception(error)
            raise
        else:
            flight.set_result(kept)
        finally:
            with self._lock:
                del self._flights[key]
        return self._missed(kept) if found is None else self._hit(kept)

    def clear(self, tag: str | None = None) -> int:
        """Gives out nothing any more that was kept or begun before; how many answers were taken away.

        Raises InvalidRequest for a tag of no kind.
        """
        if tag is not None and tag.partition(":")[0] not in TAGS:
            kinds = ", ".join(f"{kind}:NAME" for kind in TAGS)
            raise InvalidRequest(f"{tag[:100]!r} is no tag of answers", hint=f"tags are {kinds}")
        with self._lock:
            if tag is None or len(self._generations) >= MOST_GENERATIONS:
                self._whole += 1
                self._generations.clear()
            else:
                self._generations[tag] = self._generations.get(tag, 0) + 1
            gone = self.shelf.drop_all() if tag is None else self.shelf.drop(tag)
        self._measure()
        return gone

    def clear_tenant(self, tenant: str) -> int:
        """Clears all answers of a tenant."""
        return self.clear(f"tenant:{tenant}")

    def statistics(self) -> CacheStatistics:
        """What lies here and what was asked."""
        held = self.shelf.held()
        with self._lock:
            return CacheStatistics(self.shelf.kind, held, self._hits, self._misses, self._joined)

    def start(self) -> None:
        """Takes away what earlier runs left outside this process."""
        self.shelf.start()

    def stop(self) -> None:
        """Lets go of the shelf."""
        self.shelf.stop()

    def _key(self, wanted: Wanted) -> tuple[str, tuple[int, ...]]:
        with self._lock:
            generations = self._of(wanted.tags)
        text = f"{generations}\x00{wanted.text}"
        return blake2b(text.encode(), digest_size=20).hexdigest(), generations

    def _of(self, tags: Iterable[str]) -> tuple[int, ...]:
        return (self._whole, *(self._generations.get(tag, 0) for tag in tags))

    def _found(self, key: str, unpack: Unpack[S]) -> S | None:
        value = self.shelf.get(key)
        return None if value is None else unpack(value)

    def _keep(self, key: str, wanted: Wanted, generations: tuple[int, ...], kept: msgspec.Struct) -> None:
        value = packed(kept)
        if value is None:
            return
        with self._lock:
            if self._of(wanted.tags) == generations:
                self.shelf.put(key, value, self._lifetimes.of(wanted.tier), wanted.tags)
        self._measure()

    def _hit(self, kept: S, *, joined: bool = False) -> S:
        with self._lock:
            self._hits += 1
            self._joined += joined
        self._telemetry.count("cache_hits_total")
        return kept

    def _missed(self, kept: S) -> S:
        with self._lock:
            self._misses += 1
        self._telemetry.count("cache_misses_total")
        return kept

    def _measure(self) -> None:
        """What lies in this process; elsewhere it would have to be asked for."""
        if self.shelf.kind == "memory":
            held = self.shelf.held()
            self._telemetry.set("cache_bytes", held.size_bytes or 0)
            self._telemetry.set("cache_entries", held.entries or 0)


def tier_of(window: Window, now: int) -> Tier:
    """How long an answer over a window may be kept."""
    if now < window.end:
        return Tier.SHORT
    return Tier.DEFAULT if now < window.end + DAY_SECONDS * MICROSECONDS else Tier.LONG
