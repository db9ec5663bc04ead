"""Messages that are being worked on: as long as they are, nobody else is given them."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from aforo.buses.bus import Delivery, Queue


class Held:
    """What a consumer has in hand; extended from one thread while another works."""

    def __init__(self, queue: Queue, visibility_seconds: float) -> None:
        self._queue = queue
        self._visibility_seconds = visibility_seconds
        # Held while the queue is asked, so that what was given back is not extended after it.
        self._lock = Lock()
        self._held: dict[str, Delivery] = {}

    def hold(self, deliveries: Iterable[Delivery]) -> None:
        """They are worked on from now on."""
        with self._lock:
            self._held |= {each.receipt: each for each in deliveries}

    def let_go(self, deliveries: Iterable[Delivery]) -> None:
        """They are worked on no longer; those that are not held stay so."""
        with self._lock:
            for each in deliveries:
                self._held.pop(each.receipt, None)

    def extend(self) -> None:
        """Has all that is held stay in hand as if it were received now. Raises BusUnavailable."""
        with self._lock:
            if self._held:
                self._queue.extend([*self._held.values()], self._visibility_seconds)
