"""A bell: rung by who sends, so that who waits in the same process need not look again and again."""

from __future__ import annotations

from threading import Condition


class Bell:
    """Counts how often it was rung; one that was rung since somebody looked is not waited for."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._rung = 0

    @property
    def rung(self) -> int:
        return self._rung

    def ring(self) -> None:
        """Wakes all who wait."""
        with self._changed:
            self._rung += 1
            self._changed.notify_all()

    def wait(self, since: int, seconds: float) -> None:
        """Until it is rung once more than `since`, but no longer than so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._rung != since, seconds)
