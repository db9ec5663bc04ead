"""Questions that are the same and wait at once: who shares an answer, and what is in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from threading import Event

import pytest

from aforo.errors import TimeLimit
from aforo.http.hands import Hands
from aforo.http.readings import Readings
from aforo.telemetry import Telemetry

SECONDS = 30  # none of them is waited for unless something is wrong


class Board:
    """Something that is written and read: each reading looks once, then waits until it may go on."""

    def __init__(self) -> None:
        self.written = 0
        self.read_for: list[int] = []
        self.looked = Event()
        self.go_on = Event()

    def read(self, askers: int) -> int:
        found = self.written
        self.read_for.append(askers)
        self.looked.set()
        assert self.go_on.wait(SECONDS)
        return found


@asynccontextmanager
async def readings(threads: int = 1) -> AsyncIterator[tuple[Readings, Hands]]:
    hands = Hands("ask", threads)
    try:
        yield Readings(hands, Telemetry()), hands
    finally:
        hands.stop()


async def heard() -> None:
    """Lets the loop do all that it can without a thread."""
    for _ in range(10):
        await asyncio.sleep(0)


async def seen(event: Event) -> None:
    assert await asyncio.to_thread(event.wait, SECONDS)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(SECONDS):
            await test()

    asyncio.run(bounded())


def test_an_answer_holds_all_that_was_written_before_it_was_asked() -> None:
    """Whoever asks once a reading has looked is told by the next one, however many threads are free."""

    async def test() -> None:
        board = Board()
        async with readings(threads=4) as (desk, _):
            first = [asyncio.create_task(desk.told("same", board.read)) for _ in range(3)]
            await seen(board.looked)
            board.written = 1
            later = [asyncio.create_task(desk.told("same", board.read)) for _ in range(2)]
            await heard()
            board.written = 2
            latest = asyncio.create_task(desk.told("same", board.read))
            await heard()
            board.go_on.set()
            assert await asyncio.gather(*first) == [0, 0, 0]
            assert await asyncio.gather(*later, latest) == [2, 2, 2]
        assert board.read_for == [3, 3]

    run(test)


def test_who_asks_something_else_shares_nothing_and_waits_for_nobody() -> None:
    async def test() -> None:
        board = Board()
        async with readings(threads=2) as (desk, _):
            held = asyncio.create_task(desk.told(("nyc", "question"), board.read))
            await seen(board.looked)
            assert await desk.told(("boston", "question"), lambda askers: ("other", askers)) == ("other", 1)
            board.go_on.set()
            assert await held == 0

    run(test)


def test_an_error_is_told_to_all_who_waited_and_to_nobody_after() -> None:
    async def test() -> None:
        def fail(_askers: int) -> int:
            raise TimeLimit("too long")

        async with readings() as (desk, _):
            all_of_them = [desk.told("same", fail) for _ in range(3)]
            found = await asyncio.gather(*all_of_them, return_exceptions=True)
            assert [type(each) for each in found] == [TimeLimit] * 3
            assert await desk.told("same", lambda askers: askers) == 1

    run(test)


@pytest.mark.parametrize("begun", [False, True])
def test_one_who_leaves_takes_the_answer_from_nobody(begun: bool) -> None:
    async def test() -> None:
        board, other = Board(), Board()
        async with readings() as (desk, _):
            held = asyncio.create_task(desk.told("other", other.read))
            await seen(other.looked)
            first, second = (asyncio.create_task(desk.told("same", board.read)) for _ in range(2))
            await heard()
            if begun:
                other.go_on.set()
                await seen(board.looked)
            first.cancel()
            await heard()
            other.go_on.set()
            board.go_on.set()
            assert await second == 0
            assert first.cancelled()
            assert await held == 0
        assert board.read_for == [2 if begun else 1]

    run(test)


def test_nothing_is_read_for_those_who_all_left() -> None:
    async def test() -> None:
        board, other = Board(), Board()
        async with readings() as (desk, _):
            held = asyncio.create_task(desk.told("other", other.read))
            await seen(other.looked)
            gone = [asyncio.create_task(desk.told("same", board.read)) for _ in range(2)]
            await heard()
            for each in gone:
                each.cancel()
            other.go_on.set()
            assert await held == 0
            assert await desk.told("same", lambda askers: askers) == 1
        assert board.read_for == []

    run(test)


def test_nobody_waits_for_a_reading_that_never_begins() -> None:
    """The server ends: what waits for a thread is not begun any more, and what comes then not either."""

    async def test() -> None:
        board = Board()
        async with readings() as (desk, hands):
            held = asyncio.create_task(desk.told("held", board.read))
            await seen(board.looked)
            waits = asyncio.create_task(desk.told("same", board.read))
            behind = asyncio.create_task(desk.told("held", board.read))
            await heard()
            stopping = asyncio.create_task(asyncio.to_thread(hands.stop))
            with pytest.raises(asyncio.CancelledError):
                await waits
            board.go_on.set()
            await stopping
            assert await held == 0
            with pytest.raises(RuntimeError):
                await behind
            with pytest.raises(RuntimeError):
                await desk.told("new", board.read)
        assert board.read_for == [1]

    run(test)
