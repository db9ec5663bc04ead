"""The sender's time: beside `aforo.clock` the only reader of the system's, since the client stands alone."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What a sender takes its time from."""

    def now(self) -> int:
        """Microseconds since 1970-01-01 UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        return time.monotonic()
