"""Sends events in the background, in batches, and again until there is a receipt."""

from __future__ import annotations

import atexit
import logging
import os
import weakref
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Condition, Thread, current_thread
from types import TracebackType
from typing import Literal, Self

from aforo.client.backoff import Backoff
from aforo.client.clock import Clock, SystemClock
from aforo.client.courier import Courier
from aforo.client.event import written
from aforo.client.kept import KeptConnection
from aforo.client.outbox import Outbox
from aforo.client.receipt import Refused
from aforo.client.spool import Spool
from aforo.client.tally import Statistics, Tally

MOST_BODY_BYTES = 8 * 1024 * 1024 - 1
"""A request's events stay below what a server takes by default, counted before they are compressed."""

log = logging.getLogger("aforo.client")


class QueueFull(Exception):
    """There is no room for an event, in memory or on the disk; it was not taken."""


class Sender:
    """Takes events from any thread at once, and sends them to the server at `url` from a thread of its own.

    An event has an id and a time before it is sent first, so that it counts once however often that must be
    repeated. `tenant` is for events that name none. Events go together once there are `batch_events` of them
    or the oldest has waited for `flush_after_seconds`. What the server does not answer, or answers with 429
    or 5xx, is sent again, after a pause that grows from `retry_first_seconds` to `retry_most_seconds`, and no
    sooner than the server asks for. Meanwhile events are kept in the directory `spool`, at most
    `max_spool_bytes`; without one, in memory only. Where `queue_events` wait in memory and the spool takes no
    more, `when_full` decides: an event is dropped and counted, or `track` raises `QueueFull`. `on_refused`
    hears of each event that the server will never take, in the sender's thread.

    It begins with the first event, with `start` or as a context; `background=False` leaves it to the caller
    to call `run_once`. A forked child begins with nothing waiting.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        tenant: str | None = None,
        batch_events: int = 500,
        batch_bytes: int = MOST_BODY_BYTES,
        flush_after_seconds: float = 1.0,
        queue_events: int = 10_000,
        when_full: Literal["drop", "raise"] = "drop",
        spool: Path | None = None,
        max_spool_bytes: int = 256 * 1024 * 1024,
        timeout_seconds: float = 30.0,
        retry_first_seconds: float = 0.5,
        retry_most_seconds: float = 60.0,
        on_refused: Callable[[Refused], None] | None = None,
        background: bool = True,
        clock: Clock | None = None,
        random: Callable[[], float] | None = None,
    ) -> None:
        if min(batch_events, batch_bytes, queue_events, timeout_seconds) <= 0:
            raise ValueError("batch_events, batch_bytes, queue_events and timeout_seconds are above 0")
        if key is not None and not (key.isascii() and key.isprintable()):
            raise ValueError("a key is of printable ASCII characters: is there a line end in it?")
        self._tenant = tenant
        self._batch_bytes = batch_bytes
        self._when_full = when_full
        self._background = background
        self._clock = SystemClock() if clock is None else clock
        self._connect = partial(KeptConnection, url, key, timeout_seconds=timeout_seconds)
        self._pausing = partial(
            Backoff, retry_first_seconds, retry_most_seconds, _chance if random is None else random
        )
        self._spool = None if spool is None else Spool(spool, max_spool_bytes, self._clock)
        self._waiting = partial(
            Outbox,
            self._spool,
            batch_events=batch_events,
            batch_bytes=batch_bytes,
            flush_after_seconds=flush_after_seconds,
            queue_events=queue_events,
        )
        self._carrying = partial(Courier, batch_events=batch_events, on_refused=on_refused)
        self._closed = False
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=partial(_forked, weakref.ref(self)))

    def _begin(self) -> None:
        """With nothing waiting and nothing under way."""
        self._changed = Condition()
        self._tally = Tally()
        self._thread: Thread | None = None
        self._full = False
        self._outbox = self._waiting()
        self._connection = self._connect()
        self._courier = self._carrying(
            self._outbox,
            self._spool,
            self._connection,
            self._pausing(),
            self._clock,
            self._tally,
            self._changed,
        )

    def track(
        self,
        stream: str,
        fields: Mapping[str, object],
        *,
        id: str | None = None,  # noqa: A002  (the contract's word)
        time: datetime | str | None = None,
        tenant: str | None = None,
    ) -> str:
        """Takes an event and gives its id; waits for no network.

        Raises ValueError for what no JSON can say and for an event larger than a request may be, QueueFull if
        that was asked for, and RuntimeError once the sender was closed.
        """
        whose = self._tenant if tenant is None else tenant
        given, line = written(stream, fields, tenant=whose, id=id, time=time, now=self._clock.now())
        if len(line) >= self._batch_bytes:
            raise ValueError(f"an event of {len(line):,} bytes came, and below {self._batch_bytes:,} may")
        with self._changed:
            if self._closed:
                raise RuntimeError("the sender was closed and takes no more events")
            self._begin_thread()
            if self._outbox.put(line, self._clock.monotonic()):
                self._tally.tracked += 1
                self._full = False
                if self._outbox.waiting == 1 or self._outbox.is_full_batch():
                    self._changed.notify_all()
            else:
                self._turn_away()
        return given

    def start(self) -> None:
        """Begins to send, first what the spool holds. Raises OSError if that is no directory to write in."""
        if self._spool is not None:
            self._spool.open()
        with self._changed:
            self._begin_thread()

    def run_once(self) -> None:
        """Does the one thing that is due, if one is: sends a batch, or keeps one on the disk."""
        self._courier.run_once()

    def due_in_seconds(self) -> float | None:
        """When `run_once` will have something to do; 0 now, None while nothing waits."""
        with self._changed:
            return self._courier.due_in()

    def flush(self, timeout_seconds: float = 10.0) -> bool:
        """Sends without waiting for more; whether all events tracked so far have left within the time."""
        return self._flush(timeout_seconds, enough=lambda: False)

    def keep(self) -> bool:
        """Writes what waits in memory to the spool, so that `kill -9` loses none; whether all is there."""
        with self._changed:
            self._changed.wait_for(lambda: not self._courier.setting_aside)
            return self._outbox.keep()

    def statistics(self) -> Statistics:
        """What became of the events so far."""
        with self._changed:
            kept, lost = (0, 0) if self._spool is None else (self._spool.events, self._spool.lost)
            return self._tally.told(waiting=self._outbox.waiting, spooled=kept, lost=lost)

    def close(self, timeout_seconds: float = 5.0) -> bool:
        """Sends what waits, keeps in the spool what is left after the time, and ends; whether none is lost.

        While the server is away and there is a spool, nothing is waited for.
        """
        with self._changed:
            if self._closed:
                return True
            self._closed = True
        atexit.unregister(self._at_exit)
        self._flush(timeout_seconds, enough=lambda: self._courier.away and self._spool is not None)
        with self._changed:
            self._courier.end()
            lost = self._outbox.leave()
            self._tally.dropped += lost
            self._changed.notify_all()
        if lost:
            log.error("%d events are lost: they were not sent in %.0f s", lost, timeout_seconds)
        if self._thread is not None and self._thread is not current_thread():
            self._connection.close()
            self._thread.join(timeout_seconds)
        self._connection.let_go()
        if self._spool is not None:
            self._spool.close()
        return not lost

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin_thread(self) -> None:
        if self._thread is None and self._background and not self._closed:
            self._thread = Thread(target=self._run, name="aforo-sender", daemon=True)
            self._thread.start()
            atexit.register(self._at_exit)

    def _run(self) -> None:
        courier, changed = self._courier, self._changed
        while True:
            with changed:
                while not courier.ended and (due := courier.due_in()) != 0:
                    changed.wait(due)
                if courier.ended:
                    return
            try:
                courier.run_once()
            except Exception:
                log.exception("events wait: sending them failed in a way that was not foreseen")
                courier.pause()

    def _flush(self, timeout_seconds: float, enough: Callable[[], bool]) -> bool:
        courier = self._courier
        with self._changed:
            target = courier.flush_to = self._outbox.last
            self._changed.notify_all()
            if self._thread is not None and self._thread is not current_thread():
                self._changed.wait_for(lambda: courier.is_through(target) or enough(), timeout_seconds)
                return courier.is_through(target)
        while not self._background and courier.due_in() == 0 and not courier.is_through(target):
            courier.run_once()
        with self._changed:
            return courier.is_through(target)

    def _turn_away(self) -> None:
        if self._when_full == "raise":
            raise QueueFull(f"{self._outbox.waiting:,} events wait, and no more may")
        self._tally.tracked += 1
        self._tally.dropped += 1
        if not self._full:  # said once for each time it fills
            log.error("events are dropped: %d wait, and no more may", self._outbox.waiting)
        self._full = True

    def _at_exit(self) -> None:
        self.close()

    def _in_child(self) -> None:
        atexit.unregister(self._at_exit)
        self._connection.let_go()
        if self._spool is not None:
            self._spool.let_go()
        self._begin()


def _chance() -> float:
    """From 0 up to 1, from the system: a forked child must not wait as long as its parent each time."""
    return int.from_bytes(os.urandom(6), "big") / (1 << 48)


def _forked(sender: weakref.ref[Sender]) -> None:
    alive = sender()
    if alive is not None:
        alive._in_child()
