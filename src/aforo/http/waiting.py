"""Futures of other threads, awaited on the event loop: those that are done together wake it once."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class Waiting:
    """Gives each future of another thread one of the loop's own; whoever stops waiting changes nothing."""

    def __init__(self) -> None:
        self._done: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._one_at_a_time = Lock()

    def of(self, kept: Future[T]) -> asyncio.Future[T]:
        """Done with what `kept` gives or raises. Called on the loop."""
        loop = asyncio.get_running_loop()
        ours: asyncio.Future[T] = loop.create_future()

        def came(theirs: Future[T]) -> None:
            with self._one_at_a_time:
                self._done.append((ours, theirs))
                first = len(self._done) == 1
            if first:
                loop.call_soon_threadsafe(self._settle)

        kept.add_done_callback(came)
        return ours

    def _settle(self) -> None:
        # One that is added meanwhile is seen here, or finds nothing before it and wakes the loop again.
        while self._done:
            ours, theirs = self._done.popleft()
            if ours.done():
                continue
            error = theirs.exception()
            if error is None:
                ours.set_result(theirs.result())
            else:
                ours.set_exception(error)
