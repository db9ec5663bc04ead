"""Stops reads that take longer than they may: one thread looks after all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Protocol

import duckdb

from aforo.clock import Clock
from aforo.errors import TimeLimit

INTERRUPT_AGAIN_SECONDS = 0.05


class Interruptible(Protocol):
    """A cursor, as far as it is stopped."""

    def interrupt(self) -> None:
        """Ends the statement that runs on it now, if one does."""
        ...


@dataclass(slots=True, eq=False)
class _Read:
    """A read that goes on, and when it is interrupted, in the clock's monotonic seconds."""

    cursor: Interruptible
    due: float
    over: bool = False


class Watch:
    """Interrupts each read once its time has passed, on a thread that begins with the first of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = Condition()
        self._reads: set[_Read] = set()
        self._looks_at = math.inf
        self._thread: Thread | None = None
        self._closed = False

    @contextmanager
    def limited(self, cursor: Interruptible, seconds: float | None) -> Iterator[None]:
        """A block that may take so long, or as long as it likes. Raises `TimeLimit` where it took longer."""
        if seconds is None:
            yield
            return
        read = self._begun(cursor, seconds)
        try:
            yield
        except duckdb.InterruptException as error:
            if not read.over:
                raise
            raise _stopped(seconds) from error
        finally:
            # Under the lock that interrupts are given under: none reaches what the cursor reads next.
            with self._changed:
                self._reads.discard(read)
        if read.over:
            raise _stopped(seconds)

    def close(self) -> None:
        """Ends the thread, once no read goes on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _begun(self, cursor: Interruptible, seconds: float) -> _Read:
        with self._changed:
            read = _Read(cursor, self._clock.monotonic() + seconds)
            self._reads.add(read)
            if self._thread is None:
                self._thread = Thread(target=self._look, name="aforo-watch", daemon=True)
                self._thread.start()
            elif read.due < self._looks_at:
                # Seldom so: it looks again when the time of a read is over that may have ended long ago.
                self._changed.notify_all()
            return read

    def _look(self) -> None:
        with self._changed:
            while not self._closed:
                now = self._clock.monotonic()
                for read in self._reads:
                    if read.due <= now:
                        read.over = True
                        read.cursor.interrupt()
                        # Between two statements nobody hears an interrupt, so it is said again.
                        read.due = now + INTERRUPT_AGAIN_SECONDS
                self._looks_at = min((read.due for read in self._reads), default=math.inf)
                self._changed.wait(None if self._looks_at == math.inf else self._looks_at - now)


def _stopped(seconds: float) -> TimeLimit:
    return TimeLimit(
        f"the question was stopped after {seconds:g} s",
        hint="ask a shorter window, or raise questions.time_limit_seconds",
    )
