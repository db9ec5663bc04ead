"""Events kept on the disk while the server is away, oldest first, and gone once it has them."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import RLock
from uuid import uuid4

from aforo.client.clock import Clock
from aforo.client.den import Den, abandoned
from aforo.client.segment import SUFFIX, Segment

log = logging.getLogger("aforo.client")


class Spool:
    """A directory that several processes may share: each writes into one of its own below it.

    What ended processes left there is taken over by whoever sees it first. At most `max_bytes` are kept.
    """

    def __init__(self, parent: Path, max_bytes: int, clock: Clock) -> None:
        self._parent = parent
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = RLock()
        self._begin()

    def _begin(self) -> None:
        self._den: Den | None = None
        self._segments: list[Segment] = []
        self._numbers = count()
        self._read: list[bytes] = []  # of the oldest segment, what has no receipt yet
        self._reading: Segment | None = None
        self._complained = False
        self.lost = 0  # events that were kept and could not be read again

    @property
    def events(self) -> int:
        """How many are kept and have no receipt."""
        with self._lock:
            waiting = sum(each.events for each in self._segments if each is not self._reading)
            return waiting + len(self._read)

    @property
    def size_bytes(self) -> int:
        with self._lock:
            return sum(each.size_bytes for each in self._segments)

    def first(self) -> int | None:
        """The number of the earliest event kept; 0 for another process's."""
        with self._lock:
            return min((each.first for each in self._segments), default=None)

    def open(self) -> None:
        """Takes a directory of its own, if it has none yet. Raises OSError."""
        with self._lock:
            if self._den is None:
                self._den = Den.made(self._parent, self._name)

    def keep(self, lines: Sequence[bytes], first: int) -> int:
        """Writes what fits, the earliest with the number `first`, and says how many are now on the disk."""
        with self._lock:
            fitting = lines[: self._fitting(lines)]
            if not fitting:
                return 0
            try:
                self._taking(first).append(fitting, first)
            except OSError as error:
                self._failed(error)
                return 0
            self._complained = False
            return len(fitting)

    def peek(self, most_events: int, most_bytes: int) -> tuple[bytes, ...]:
        """The oldest events, of one segment, as many as a request may hold, and at least one.

        One that an earlier process took while more was allowed is the server's to refuse.
        """
        with self._lock:
            while not self._read and self._segments:
                self._next()
            return tuple(self._read[: max(1, fitting(self._read, most_events, most_bytes))])

    def advance(self, events: int) -> None:
        """The first so many events of `peek` are done with; a segment goes when all of it is."""
        with self._lock:
            del self._read[:events]
            if not self._read and self._reading is not None:
                self._drop(self._reading)

    def adopt(self) -> int:
        """Takes over what processes that have ended left below the same directory; how many events."""
        with self._lock:
            self.open()
            assert self._den is not None
            events = 0
            for path in sorted(self._parent.iterdir()):
                if path != self._den.path and path.is_dir():
                    with suppress(OSError), abandoned(path) as left:
                        events += 0 if left is None else self._moved_in(left.segments())
            self._segments.sort(key=lambda each: each.path.name)
            return events

    def close(self) -> None:
        """Leaves what is kept to the next process."""
        with self._lock:
            for segment in self._segments:
                segment.seal()
            if self._den is not None:
                self._den.leave()
            self._begin()

    def let_go(self) -> None:
        """In a forked child: the files stay the parent's, and this process begins with none."""
        self._lock = RLock()  # a thread that is not here may hold the old one
        for segment in self._segments:
            segment.seal()
        if self._den is not None:
            self._den.let_go()
        self._begin()

    def _fitting(self, lines: Sequence[bytes]) -> int:
        return fitting(lines, len(lines), self._max_bytes - self.size_bytes)

    def _taking(self, first: int) -> Segment:
        """The newest segment if it takes more and is not being sent, else a new one."""
        newest = self._segments[-1] if self._segments else None
        if newest is not None and newest.taking and newest is not self._reading:
            return newest
        if newest is not None:
            newest.seal()
        self.open()
        assert self._den is not None
        created = Segment.created(self._den.path / f"{self._name()}{SUFFIX}", first)
        self._segments.append(created)
        return created

    def _next(self) -> None:
        """Opens the oldest segment for sending; what cannot be read stays for the next process."""
        oldest = self._segments[0]
        oldest.seal()
        try:
            self._read = oldest.lines()
        except OSError as error:
            log.error(
                "%s cannot be read, %d events in it are not sent: %s", oldest.path, oldest.events, error
            )
            self._segments.remove(oldest)
            self.lost += oldest.events
            return
        self.lost += oldest.events - len(self._read)
        self._reading = oldest
        if not self._read:
            self._drop(oldest)

    def _drop(self, segment: Segment) -> None:
        with suppress(OSError):  # sent again by the next process, and known there
            segment.remove()
        self._segments.remove(segment)
        if segment is self._reading:
            self._reading = None

    def _moved_in(self, paths: Sequence[Path]) -> int:
        assert self._den is not None
        events = 0
        for path in paths:
            segment = Segment.found(path.rename(self._den.path / path.name))
            self._segments.append(segment)
            events += segment.events
        return events

    def _failed(self, error: OSError) -> None:
        for empty in [each for each in self._segments if not each.events]:
            self._drop(empty)
        if not self._complained:
            log.error("events cannot be kept in %s: %s", self._parent, error)
        self._complained = True

    def _name(self) -> str:
        """A name that sorts by time, and that no other process gives."""
        return f"{self._clock.now():020d}-{next(self._numbers):06d}-{os.getpid()}-{uuid4().hex[:8]}"


def fitting(lines: Sequence[bytes], most: int, most_bytes: int) -> int:
    """How many of the first `most` lines, with their ends, are no more than so many bytes."""
    size = 0
    for number, line in enumerate(lines[:most]):
        size += len(line) + 1
        if size > most_bytes:
            return number
    return min(len(lines), most)
