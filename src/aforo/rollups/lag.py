"""How long events wait between their acknowledgement and their fold: measured, and held against a target."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from aforo.clock import Clock
from aforo.engines.appends import Commit
from aforo.telemetry import Telemetry

TARGET_SECONDS = 300.0
"""What is folded later than this is late."""
LOOK_EVERY_SECONDS = 0.25
MOST_WAITING = 50_000
"""Commits of a stream that are timed at once; those that come between are as late as their neighbours."""


class Waits(Protocol):
    """The one verb of an engine that this needs."""

    def waiting_commits(self) -> tuple[int, Mapping[str, int]]: ...


@dataclass(frozen=True, slots=True)
class Lag:
    """What was measured of a stream since this process began.

    Of how many commits; the longest wait in seconds, and how many were late; for how long the oldest that is
    not folded has waited until now.
    """

    stream: str
    commits: int
    longest_seconds: float | None
    late: int
    waiting_seconds: float


@dataclass(slots=True)
class _Seen:
    waiting: deque[tuple[int, float]] = field(default_factory=deque)  # number, when it was acknowledged
    commits: int = 0
    longest: float | None = None
    late: int = 0


class FoldLag:
    """Times commits from their acknowledgement until no mark of theirs waits; from any thread.

    Every commit is timed by the clock of this process: what an earlier one has taken is not measured.
    """

    def __init__(self, engine: Waits, clock: Clock, telemetry: Telemetry) -> None:
        self._engine = engine
        self._clock = clock
        self._telemetry = telemetry
        self._streams: dict[str, _Seen] = {}
        self._looked = float("-inf")
        self._lock = Lock()

    def came(self, commit: Commit) -> None:
        """A commit was made, and what it dirtied waits."""
        now = self._clock.monotonic()
        with self._lock:
            for stream in {stream for stream, _ in commit.dirty_from}:
                seen = self._streams.setdefault(stream, _Seen())
                if len(seen.waiting) < MOST_WAITING:
                    seen.waiting.append((commit.number, now))

    def look(self, *, clean: bool) -> None:
        """Sees what has been folded; now and then, or at once where everything is `clean`."""
        now = self._clock.monotonic()
        with self._lock:
            if not any(seen.waiting for seen in self._streams.values()):
                return
            if not clean and now - self._looked < LOOK_EVERY_SECONDS:
                return
            self._looked = now
        landed, waiting = self._engine.waiting_commits()
        with self._lock:
            for stream, seen in self._streams.items():
                self._observe(stream, seen, min(landed + 1, waiting.get(stream, landed + 1)))

    def lags(self) -> tuple[Lag, ...]:
        """What was measured, by stream."""
        with self._lock:
            return tuple(self._lag(stream) for stream in sorted(self._streams))

    def of(self, stream: str) -> Lag:
        """What was measured of a stream."""
        with self._lock:
            return self._lag(stream)

    def _lag(self, stream: str) -> Lag:
        seen = self._streams.get(stream, _Seen())
        since = seen.waiting[0][1] if seen.waiting else None
        waits = 0.0 if since is None else self._clock.monotonic() - since
        return Lag(stream, seen.commits, seen.longest, seen.late, waits)

    def _observe(self, stream: str, seen: _Seen, first_waiting: int) -> None:
        """Everything before a commit's number is folded."""
        now = self._clock.monotonic()
        while seen.waiting and seen.waiting[0][0] < first_waiting:
            took = now - seen.waiting.popleft()[1]
            seen.commits += 1
            seen.longest = took if seen.longest is None else max(seen.longest, took)
            seen.late += took > TARGET_SECONDS
            self._telemetry.observe("event_to_fold_seconds", took, stream=stream)
