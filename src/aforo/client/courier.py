"""Carries what waits to the server, and to the disk while the server is away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Condition

from aforo.client.backoff import Backoff
from aforo.client.clock import Clock
from aforo.client.connection import Connection
from aforo.client.delivery import Later, TooLarge, Turned, deliver
from aforo.client.outbox import Batch, Outbox
from aforo.client.receipt import Receipt, Refused
from aforo.client.spool import Spool
from aforo.client.tally import Tally

KEEP_AGAIN_AFTER_SECONDS = 1.0
"""A spool that is full or broken is not tried again sooner."""

log = logging.getLogger("aforo.client")


class Courier:
    """Does one thing at a time, when `run_once` is called, by one thread.

    `changed` is the lock over outbox and tally; it is not held while the network or the disk is waited for.
    """

    def __init__(
        self,
        outbox: Outbox,
        spool: Spool | None,
        connection: Connection,
        backoff: Backoff,
        clock: Clock,
        tally: Tally,
        changed: Condition,
        *,
        batch_events: int,
        on_refused: Callable[[Refused], None] | None,
    ) -> None:
        self._outbox = outbox
        self._spool = spool
        self._connection = connection
        self._backoff = backoff
        self._clock = clock
        self._tally = tally
        self._changed = changed
        self._batch_events = batch_events
        self._on_refused = on_refused
        self._most_events = batch_events  # fewer, once the server found that too many
        self._looking = spool is not None  # for what ended processes left
        self._send_from = self._keep_from = float("-inf")
        self.ended = False
        self.setting_aside = False
        self.flush_to = 0  # the number up to which nothing waits for more to come

    @property
    def away(self) -> bool:
        """Whether the server took nothing when it was last tried."""
        return self._backoff.failures > 0

    def is_through(self, number: int) -> bool:
        """Whether nothing up to this number, or of earlier processes, waits any more."""
        first = self._outbox.first()
        return (self.ended or not self._looking) and (first is None or first > number)

    def due_in(self) -> float | None:
        """Seconds until `run_once` has something to do; None while nothing waits, and once it ended."""
        now = self._clock.monotonic()
        if self.ended:
            return None
        if self._looking:
            return 0.0
        resting = self._send_from - now
        if resting <= 0:
            return self._outbox.due_in(now, self.flush_to)
        queued = self._outbox.queue_due_in(now, self.flush_to)
        if self._spool is None or queued is None:
            return resting
        return min(resting, max(queued, self._keep_from - now))

    def run_once(self) -> None:
        """Does what is due: looks for what others left, sends a batch, or keeps one while it may not send."""
        self._look_around()
        with self._changed:
            due = self.due_in()
            if due is None or due > 0:
                return
            resting = self._clock.monotonic() < self._send_from
            take = self._outbox.take_queued if resting else self._outbox.take
            batch = take(self._batch_events if resting else self._most_events)
        if batch is None:
            return
        if resting:
            self._set_aside(batch)
        else:
            self._send(batch)

    def end(self) -> None:
        """What is still under way changes nothing any more. The lock is held."""
        self.ended = True

    def pause(self) -> None:
        """Leaves the server alone for a while, after something that should not happen."""
        self._send_from = self._keep_from = self._clock.monotonic() + max(1.0, self._backoff.failed())

    def _look_around(self) -> None:
        if self.ended or not self._looking or self._spool is None:
            return
        try:
            found = self._spool.adopt()
        except OSError as error:
            log.error("the spool cannot be used: %s", error)
            found = 0
        with self._changed:
            self._looking = False
            self._tally.found += found
            self._changed.notify_all()
        if found:
            log.info("%d events that an ended process kept will be sent", found)

    def _send(self, batch: Batch) -> None:
        match deliver(self._connection, batch.lines):
            case Receipt() as receipt:
                self._received(batch, receipt)
            case Turned(refused):
                self._recovered()
                log.error("a request of %d events was refused: %s", len(refused), refused[0].detail)
                self._report(refused)
                self._settle(batch, refused=len(refused))
            case TooLarge():
                self._most_events = max(1, len(batch.lines) // 2)
                self._settle(batch, 0)
            case Later(why, asked_seconds):
                self._failed(batch, why, asked_seconds)

    def _received(self, batch: Batch, receipt: Receipt) -> None:
        self._recovered()
        self._most_events = min(self._batch_events, self._most_events + max(1, self._most_events // 8))
        self._report(receipt.refused)
        self._settle(
            batch,
            sent=len(batch.lines),
            accepted=receipt.accepted,
            duplicates=receipt.duplicates,
            refused=len(receipt.refused),
        )

    def _failed(self, batch: Batch, why: str, asked_seconds: float | None) -> None:
        first = not self.away
        pause = self._backoff.failed(asked_seconds)
        self._send_from = self._clock.monotonic() + pause
        if self.ended:
            return
        level = logging.WARNING if first else logging.DEBUG  # once for each time it goes away
        log.log(level, "events wait for the server, next try in %.1f s: %s", pause, why)
        if batch.spooled or self._spool is None:
            self._settle(batch, 0)
        else:
            self._set_aside(batch)

    def _recovered(self) -> None:
        if self._backoff.succeeded():
            log.info("the server takes events again")
            self._looking = self._spool is not None

    def _set_aside(self, batch: Batch) -> None:
        """From memory to the disk, where `kill -9` does not reach it."""
        assert self._spool is not None
        with self._changed:
            if not self._outbox.is_under_way(batch):
                return
            self.setting_aside = True
        kept = self._spool.keep(batch.lines, batch.first)
        if kept < len(batch.lines):
            self._keep_from = self._clock.monotonic() + KEEP_AGAIN_AFTER_SECONDS
        self.setting_aside = False
        self._settle(batch, kept)

    def _settle(
        self,
        batch: Batch,
        events: int | None = None,
        *,
        sent: int = 0,
        accepted: int = 0,
        duplicates: int = 0,
        refused: int = 0,
    ) -> None:
        """All of a batch, or its first `events`, are done with here."""
        with self._changed:
            # What was kept meanwhile is sent again from there, and only then counted.
            if self.ended or not self._outbox.settle(batch, len(batch.lines) if events is None else events):
                return
            self._tally.sent += sent
            self._tally.accepted += accepted
            self._tally.duplicates += duplicates
            self._tally.refused += refused
            self._changed.notify_all()

    def _report(self, refused: tuple[Refused, ...]) -> None:
        if self._on_refused is None:
            return
        for each in refused:
            try:
                self._on_refused(each)
            except Exception:
                log.exception("on_refused failed for an event refused as %s", each.code)
