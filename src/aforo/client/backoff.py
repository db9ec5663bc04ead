"""How long to leave a server alone that does not take events."""

from __future__ import annotations

from collections.abc import Callable

LONGEST_ASKED_SECONDS = 600.0
_DOUBLINGS = 30  # more would only overflow


class Backoff:
    """Exponential with full jitter: a random part of a time that doubles with each failure in a row.

    `random` gives numbers from 0 up to 1.
    """

    def __init__(self, first_seconds: float, most_seconds: float, random: Callable[[], float]) -> None:
        self._first_seconds = first_seconds
        self._most_seconds = most_seconds
        self._random = random
        self.failures = 0

    def failed(self, asked_seconds: float | None = None) -> float:
        """Counts a failure and gives the seconds to wait: at least those that the server asked for.

        The jitter comes on top of them, or all senders would come back at once.
        """
        window = min(self._most_seconds, self._first_seconds * 2.0 ** min(self.failures, _DOUBLINGS))
        self.failures += 1
        return min(asked_seconds or 0.0, LONGEST_ASKED_SECONDS) + window * self._random()

    def succeeded(self) -> bool:
        """Begins anew; says whether there had been failures."""
        had, self.failures = self.failures > 0, 0
        return had
