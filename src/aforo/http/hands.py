"""Blocking work done beside the event loop, by a bounded number of threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from aforo.http.waiting import Waiting

T = TypeVar("T")


class Hands:
    """A pool of threads: `do` waits for a free one; work that has begun is always finished."""

    def __init__(self, name: str, count: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix=f"aforo-{name}")
        self._waiting = Waiting()
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether work that takes long had better end now."""
        return self._stopping

    async def do(self, work: Callable[[], T]) -> T:
        """What the work gives, or raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def begin(self, work: Callable[[], T]) -> Future[T]:
        """Work that goes on whoever waits for it; it begins once a thread is free."""
        return self._pool.submit(work)

    def until(self, kept: Future[T]) -> asyncio.Future[T]:
        """What another thread's future gives, or raises; whoever stops waiting takes nothing back."""
        return self._waiting.of(kept)

    def stop(self) -> None:
        """Lets what was begun end, and begins nothing more."""
        self._stopping = True
        self._pool.shutdown(wait=True, cancel_futures=True)
