"""A body that does not come is waited for no longer than it may be; a reply may take as long as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from aforo.errors import BodyTooSlow
from aforo.http.patience import Patience

SCOPE = {"type": "http", "method": "POST", "path": "/", "headers": []}
PART: Message = {"type": "http.request", "body": b"x", "more_body": True}
END: Message = {"type": "http.request", "body": b"x", "more_body": False}


async def nothing(_message: Message) -> None:
    """Nobody listens to what is sent."""


def read(*messages: Message, most_seconds: float = 0.02) -> list[bytes]:
    """The parts that an app reads of a sender that says no more after its messages."""
    parts: list[bytes] = []

    async def sender() -> AsyncIterator[Message]:
        for message in messages:
            yield message
        await asyncio.Event().wait()

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        parts.extend([part async for part in Request(scope, receive).stream()])

    saying = sender()
    asyncio.run(Patience(app, most_seconds=most_seconds)(SCOPE, saying.__anext__, nothing))
    return parts


def test_a_body_that_is_whole_in_time() -> None:
    assert read(PART, END, most_seconds=30)[:2] == [b"x", b"x"]


@pytest.mark.parametrize("parts", [0, 1, 5])
def test_a_body_that_stops_coming(parts: int) -> None:
    with pytest.raises(BodyTooSlow, match=r"after 0\.02 s the body was not whole"):
        read(*[PART] * parts)


def test_parts_do_not_make_the_time_longer() -> None:
    """A byte now and then is how a sender holds a connection for ever."""

    async def drips() -> Message:
        await asyncio.sleep(0)
        return PART

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        await Request(scope, receive).body()

    with pytest.raises(BodyTooSlow):
        asyncio.run(Patience(app, most_seconds=0.03)(SCOPE, drips, nothing))


def test_who_stays_until_the_answer_is_not_slow() -> None:
    """Once the body is there, what is received next is the end of the connection."""
    heard: list[str] = []

    async def sender() -> AsyncIterator[Message]:
        yield END
        for _ in range(100):  # turns of the loop, in each of which a time that is over would be noticed
            await asyncio.sleep(0)
        yield {"type": "http.disconnect"}

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        heard.extend([(await receive())["type"], (await receive())["type"]])

    asyncio.run(Patience(app, most_seconds=0.0)(SCOPE, sender().__anext__, nothing))
    assert heard == ["http.request", "http.disconnect"]
