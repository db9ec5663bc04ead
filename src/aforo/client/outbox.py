"""What waits to be sent: the spool's events first, which are older, then the queue in memory."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice

from aforo.client.spool import Spool, fitting


@dataclass(frozen=True, slots=True)
class Line:
    """A written event, by its number since the sender began and the monotonic time it came at."""

    number: int
    at: float
    body: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that are sent, or kept, together. `first` is the number of the first."""

    lines: tuple[bytes, ...]
    first: int
    spooled: bool


class Outbox:
    """A queue in memory of bounded length, before it a spool if there is one. Its owner holds a lock."""

    def __init__(
        self,
        spool: Spool | None,
        *,
        batch_events: int,
        batch_bytes: int,
        flush_after_seconds: float,
        queue_events: int,
    ) -> None:
        self._spool = spool
        self._batch_events = batch_events
        self._batch_bytes = batch_bytes
        self._flush_after_seconds = flush_after_seconds
        self._queue_events = queue_events
        self._queue: deque[Line] = deque()
        self._bytes = 0
        self._taken = 0  # of the queue's head: on its way to the server or the disk
        self.last = 0

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def first(self) -> int | None:
        """The number of the earliest event that is not done with; None if all are."""
        queued = self._queue[0].number if self._queue else None
        spooled = None if self._spool is None else self._spool.first()
        return min((each for each in (queued, spooled) if each is not None), default=None)

    def put(self, body: bytes, now: float) -> bool:
        """Takes an event; False if there is no room, in memory or on the disk."""
        if len(self._queue) >= self._queue_events:
            self._make_room()
        if len(self._queue) >= self._queue_events:
            return False
        self.last += 1
        self._queue.append(Line(self.last, now, body))
        self._bytes += len(body) + 1
        return True

    def is_full_batch(self) -> bool:
        return len(self._queue) >= self._batch_events or self._bytes >= self._batch_bytes

    def due_in(self, now: float, flush_to: int) -> float | None:
        """Seconds until there is something to send, 0 if there is; None while nothing waits."""
        if self._spool is not None and self._spool.first() is not None:
            return 0.0
        return self.queue_due_in(now, flush_to)

    def queue_due_in(self, now: float, flush_to: int) -> float | None:
        """As `due_in`, of the queue in memory alone."""
        if not self._queue:
            return None
        if self.is_full_batch() or self._queue[0].number <= flush_to:
            return 0.0
        return max(0.0, self._queue[0].at + self._flush_after_seconds - now)

    def take(self, most_events: int) -> Batch | None:
        """The oldest events, until `settle`."""
        spooled = () if self._spool is None else self._spool.peek(most_events, self._batch_bytes)
        return Batch(spooled, 0, spooled=True) if spooled else self.take_queued(most_events)

    def take_queued(self, most_events: int) -> Batch | None:
        """The oldest events in memory, until `settle`."""
        lines = [each.body for each in islice(self._queue, most_events)]
        # One event is never larger than a batch may be: `track` refuses it.
        self._taken = fitting(lines, most_events, self._batch_bytes)
        if not self._taken:
            return None
        return Batch(tuple(lines[: self._taken]), self._queue[0].number, spooled=False)

    def is_under_way(self, batch: Batch) -> bool:
        """Whether a batch was taken and not carried to the disk meanwhile."""
        return batch.spooled or self._taken > 0

    def settle(self, batch: Batch, events: int) -> bool:
        """The first so many events of a batch are done with; the others wait on.

        False if it was carried to the disk meanwhile: then nothing of it is done with.
        """
        if not self.is_under_way(batch):
            return False
        if batch.spooled:
            assert self._spool is not None
            self._spool.advance(events)
            return True
        self._taken = 0
        for _ in range(events):
            self._bytes -= len(self._queue.popleft().body) + 1
        return True

    def keep(self) -> bool:
        """Carries what is in memory to the disk, what is on its way included; whether all is there."""
        self._taken = 0
        self._make_room()
        return not self._queue

    def leave(self) -> int:
        """As `keep`, for good: says how many events are lost."""
        self.keep()
        lost = len(self._queue)
        self._queue.clear()
        self._bytes = 0
        return lost

    def _make_room(self) -> None:
        """Carries the whole queue to the disk at once: one wait for the disk for all of it."""
        if self._spool is None or len(self._queue) <= self._taken:
            return
        lines = list(islice(self._queue, self._taken, None))
        kept = self._spool.keep([each.body for each in lines], lines[0].number)
        self._bytes -= sum(len(each.body) + 1 for each in lines[:kept])
        self._queue = deque((*islice(self._queue, self._taken), *lines[kept:]))
