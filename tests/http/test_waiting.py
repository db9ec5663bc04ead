"""Futures of other threads, awaited on the loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from threading import Thread

import pytest

from aforo.errors import StorageFull
from aforo.http.waiting import Waiting

THREADS, EACH = 4, 500


def test_every_one_that_threads_settle_at_once_is_heard_of() -> None:
    async def all_of_them() -> list[int]:
        waiting = Waiting()
        kept: list[Future[int]] = [Future() for _ in range(THREADS * EACH)]
        ours = [waiting.of(each) for each in kept]

        def settle(part: int) -> None:
            for number in range(part, len(kept), THREADS):
                kept[number].set_result(number)

        threads = [Thread(target=settle, args=(part,)) for part in range(THREADS)]
        for thread in threads:
            thread.start()
        found = await asyncio.wait_for(asyncio.gather(*ours), timeout=60)
        for thread in threads:
            thread.join()
        return found

    assert asyncio.run(all_of_them()) == list(range(THREADS * EACH))


def test_errors_come_through_and_leaving_changes_nothing() -> None:
    async def three() -> None:
        waiting = Waiting()
        failed: Future[int] = Future()
        left: Future[int] = Future()
        done: Future[int] = Future()
        done.set_result(1)
        failed_here, left_here = waiting.of(failed), waiting.of(left)
        failed.set_exception(StorageFull("full", hint="free some"))
        with pytest.raises(StorageFull):
            await failed_here
        left_here.cancel()
        left.set_result(2)
        assert await waiting.of(done) == 1
        assert not left.cancelled()

    asyncio.run(three())
