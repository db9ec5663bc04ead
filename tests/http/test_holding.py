"""Bodies that come at the same time share what memory there is for them."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from aforo.errors import IntakeFull
from aforo.http.holding import Holding

SCOPE = {"type": "http", "method": "POST", "path": "/", "headers": []}


async def nothing(_message: Message) -> None:
    """Nobody listens to what is sent."""


def sender(size: int) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * size, "more_body": False}

    return receive


class Kitchen:
    """An app that reads a body and answers once it is told to."""

    def __init__(self) -> None:
        self.answer = asyncio.Event()
        self.app = Holding(self._app, most_bytes=100)

    async def _app(self, scope: Scope, receive: Receive, _send: Send) -> None:
        await Request(scope, receive).body()
        await self.answer.wait()

    def bring(self, size: int) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(self.app(SCOPE, sender(size), nothing))


def test_who_brings_too_much_comes_back_and_then_there_is_room() -> None:
    async def run() -> None:
        kitchen = Kitchen()
        first, second = kitchen.bring(60), kitchen.bring(40)
        with pytest.raises(IntakeFull, match="bodies of 101 bytes came at once, and 100 may"):
            await kitchen.bring(1)
        await asyncio.wait_for(kitchen_after(kitchen, first, second), 30)

    async def kitchen_after(kitchen: Kitchen, *waiting: asyncio.Task[None]) -> None:
        kitchen.answer.set()
        await asyncio.gather(*waiting)
        await kitchen.bring(100)

    asyncio.run(run())


def test_a_body_that_is_alone_may_be_of_any_size() -> None:
    async def run() -> None:
        kitchen = Kitchen()
        kitchen.answer.set()
        await kitchen.bring(1_000)

    asyncio.run(run())
