"""What consumes a queue: receives, has each message handled, deletes, gives back or buries it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial

import structlog

from aforo.buses.bus import Delivery, Queue
from aforo.buses.held import Held
from aforo.clock import MICROSECONDS, Clock
from aforo.errors import (
    AforoError,
    BusUnavailable,
    MessageRejected,
    ObjectsUnavailable,
    Stopping,
    StorageError,
)
from aforo.rounds import Rounds
from aforo.telemetry import Telemetry

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 10
AGAIN_SECONDS = 5.0
FIRST_BACK_OFF_SECONDS, MOST_BACK_OFF_SECONDS = 1.0, 300.0
EXTENSIONS = 3
"""How often a message's time is extended within that time: one that fails is made up for by the next."""
VAIN_RECEIVES = 100
"""A message given out more often is buried unopened: whoever opens it is killed. By the longest back-off,
a store that is down for hours gives out none so often."""

NOTHING_OF_THE_MESSAGE = (StorageError, ObjectsUnavailable, BusUnavailable, Stopping)
"""Errors that any message would have met: it is not buried for them."""

Handle = Callable[[bytes], None]
"""Deals with one body, which may come more than once. Raises MessageRejected where it never can."""


def back_off_seconds(receives: int) -> float:
    """How long a message waits after it failed for the `receives`th time."""
    return min(FIRST_BACK_OFF_SECONDS * 2.0 ** min(receives - 1, 30), MOST_BACK_OFF_SECONDS)


class Verdict(StrEnum):
    """What becomes of a message that was received."""

    HANDLED = "handled"  # and deleted, with those handled beside it
    WAITS = "waits"  # it failed, or was not tried, and is given out again
    BURIED = "buried"


class Consumer:
    """Has every message of a queue handled, one after another; several consumers may share a queue.

    A message that `handle` rejects is buried. One that fails otherwise is given back for as long as
    `back_off` tells of its receives, and is buried with the reason once these are `most_receives`. Those
    behind it in its group wait for it. While the handler works, another thread extends the time of what is
    in hand: at most `most_at_once`, 1 where each takes long and others should have the rest.
    """

    def __init__(
        self,
        queue: Queue,
        handle: Handle,
        clock: Clock,
        telemetry: Telemetry,
        *,
        wait_seconds: float,
        visibility_seconds: float,
        most_receives: int,
        most_at_once: int = MOST_AT_ONCE,
        vain_receives: int = VAIN_RECEIVES,
        back_off: Callable[[int], float] = back_off_seconds,
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        self._queue = queue
        self._handle = handle
        self._clock = clock
        self._count = partial(telemetry.count, queue=queue.name)
        self._observe = partial(telemetry.observe, queue=queue.name)
        self._wait_seconds = wait_seconds
        self._most_receives = most_receives
        self._most_at_once = most_at_once
        self._vain_receives = vain_receives
        self._back_off = back_off
        self._in_trouble = False
        self._held = Held(queue, visibility_seconds)
        self._every_seconds = visibility_seconds / EXTENSIONS
        self._rounds = Rounds(f"consume {queue.name}", self._round, again_seconds=again_seconds)
        self._extending = Rounds(
            f"extend {queue.name}",
            self._extend,
            again_seconds=self._every_seconds,
            first_after_seconds=self._every_seconds,
        )

    def start(self) -> None:
        """Begins to consume in the background."""
        self._extending.start()
        self._rounds.start()

    def close(self) -> None:
        """Takes up no other message; where several consumers are stopped, their last waits are one then."""
        self._rounds.close()

    def stop(self) -> None:
        """Ends after the message under way, or after a wait for one; the rest in hand is given back."""
        self._rounds.stop()
        self._extending.stop()

    def extend(self) -> None:
        """Extends the time of what is in hand. Raises BusUnavailable."""
        self._held.extend()

    def run_once(self, wait_seconds: float = 0.0) -> int:
        """Receives once and deals with what comes; how many messages that settled for good.

        Raises BusUnavailable, and what the handler raised where that says nothing of the message.
        """
        # While a store is down, one message is enough to see whether it still is.
        most = 1 if self._in_trouble else self._most_at_once
        deliveries = self._queue.receive(most, wait_seconds)
        self._count("bus_received_total", len(deliveries))
        self._held.hold(deliveries)
        found: dict[Verdict, list[Delivery]] = {verdict: [] for verdict in Verdict}
        try:
            for delivery in deliveries:
                found[self._judged(delivery, found[Verdict.WAITS])].append(delivery)
        finally:
            left = deliveries[sum(map(len, found.values())) :]
            self._held.let_go(deliveries)
            self._queue.delete(found[Verdict.HANDLED])
            for delivery in left:
                self._queue.release(delivery, self._back_off(delivery.receives))
        return len(found[Verdict.HANDLED]) + len(found[Verdict.BURIED])

    def _judged(self, delivery: Delivery, waiting: list[Delivery]) -> Verdict:
        """What has become of one message; those that wait keep back what is behind them in their group."""
        behind = delivery.group and any(each.group == delivery.group for each in waiting)
        if behind or self._rounds.stopping:
            return self._give_back(delivery, 0.0)
        if delivery.receives > self._vain_receives:
            return self._bury(delivery, f"given out {delivery.receives - 1} times, and dealt with by nobody")
        began = self._clock.monotonic()
        try:
            self._handle(delivery.body)
        except MessageRejected as error:
            self._count("bus_rejected_total")
            return self._bury(delivery, error.detail)
        except NOTHING_OF_THE_MESSAGE:
            self._in_trouble = True
            raise
        except Exception as error:
            return self._failed(delivery, error)
        self._in_trouble = False
        self._count("bus_handled_total")
        self._observe("bus_handle_seconds", self._clock.monotonic() - began)
        since_sent = max(0, self._clock.now() - delivery.sent_at)  # another machine's clock may be ahead
        self._observe("bus_sent_to_handled_seconds", since_sent / MICROSECONDS)
        return Verdict.HANDLED

    def _failed(self, delivery: Delivery, error: Exception) -> Verdict:
        told = error.detail if isinstance(error, AforoError) else f"{type(error).__name__}: {error}"
        if delivery.receives >= self._most_receives:
            return self._bury(delivery, f"failed {delivery.receives} times, at last by {told}")
        log.warning(
            "a message failed and is tried again",
            queue=self._queue.name,
            message=delivery.id,
            receives=delivery.receives,
            exc_info=error,
        )
        self._count("bus_failed_total")
        return self._give_back(delivery, self._back_off(delivery.receives))

    def _give_back(self, delivery: Delivery, after_seconds: float) -> Verdict:
        self._held.let_go([delivery])
        self._queue.release(delivery, after_seconds)
        return Verdict.WAITS

    def _bury(self, delivery: Delivery, reason: str) -> Verdict:
        self._held.let_go([delivery])
        self._queue.bury(delivery, reason)
        self._count("bus_buried_total")
        log.error("a message is buried", queue=self._queue.name, message=delivery.id, reason=reason)
        return Verdict.BURIED

    def _round(self) -> float:
        self.run_once(self._wait_seconds)
        return 0.0

    def _extend(self) -> float:
        self.extend()
        return self._every_seconds
