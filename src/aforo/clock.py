"""The only place that reads the system's clock."""

from __future__ import annotations

import time
from typing import Protocol

MICROSECONDS = 1_000_000


class Clock(Protocol):
    """What every part that needs the time is given."""

    def now(self) -> int:
        """Microseconds since 1970-01-01 UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring how long something took."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is moved; tests and simulations live in its time."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def set(self, now: int) -> None:
        """Moves the wall clock, forward or back; monotonic time is not touched."""
        self._now = now

    def advance(self, seconds: float) -> None:
        """Moves both clocks forward."""
        self._now += round(seconds * MICROSECONDS)
        self._monotonic += seconds
