"""Who sends too much is told so: the answer is not overtaken by the end of the connection."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from aforo.http.lingering import Lingering

ANSWER = PlainTextResponse("too much", 413)
PART = b"x" * 100


async def answers_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    await ANSWER(scope, receive, send)


async def reads_first(scope: Scope, receive: Receive, send: Send) -> None:
    await Request(scope, receive).body()
    await ANSWER(scope, receive, send)


class Sender:
    """A client that sends `parts`, then stops without an end if `endless`; keeps what happened, in order."""

    def __init__(self, parts: int, *, endless: bool = False) -> None:
        self.parts = deque([PART] * parts)
        self.endless = endless
        self.seen: list[Message] = []
        self.read = 0

    async def receive(self) -> Message:
        if not self.parts:
            if self.endless:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}
        self.read += 1
        part = self.parts.popleft()
        return {"type": "http.request", "body": part, "more_body": bool(self.parts) or self.endless}

    async def send(self, message: Message) -> None:
        self.seen.append({**message, "read": self.read})


def run(app: Any, sender: Sender, **limits: Any) -> list[Message]:
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-length", b"1")]}
    asyncio.run(Lingering(app, **limits)(scope, sender.receive, sender.send))
    return sender.seen


def closes(message: Message) -> bool:
    return (b"connection", b"close") in message["headers"]


def test_the_answer_goes_out_before_the_rest_is_read_and_the_end_after() -> None:
    start, answer, end = run(answers_at_once, Sender(3))
    assert closes(start)
    assert (start["status"], start["read"]) == (413, 0)
    assert (answer["body"], answer["more_body"], answer["read"]) == (b"too much", True, 0)
    assert (end["body"], end["read"]) == (b"", 3)


def test_a_body_that_was_read_leaves_the_connection_open() -> None:
    start, answer = run(reads_first, Sender(3))
    assert not closes(start)
    assert (answer["body"], answer["read"]) == (b"too much", 3)


@pytest.mark.parametrize(("most_bytes", "read"), [(150, 2), (10_000, 5)])
def test_no_more_is_read_than_may_be(most_bytes: int, read: int) -> None:
    assert run(answers_at_once, Sender(5), most_bytes=most_bytes)[-1]["read"] == read


def test_who_stops_sending_is_not_waited_for() -> None:
    assert run(answers_at_once, Sender(2, endless=True), most_seconds=0.01)[-1]["read"] == 2


def test_what_has_no_body_passes_through() -> None:
    sender = Sender(0)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(Lingering(answers_at_once)(scope, sender.receive, sender.send))
    assert [message["type"] for message in sender.seen] == ["http.response.start", "http.response.body"]
    assert not closes(sender.seen[0])
