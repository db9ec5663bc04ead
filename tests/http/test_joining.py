"""What is written to a socket in one turn of the event loop goes out as one, in order, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import pytest

from aforo.http.joining import Joined

HEAD, BODY = b"HTTP/1.1 200 OK\r\n\r\n", b"{}"


class Socket(asyncio.Transport):
    """A transport that keeps each write, and that it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.sent.append(b"".join(list_of_data))

    def close(self) -> None:
        self.sent.append(b"closed")

    def abort(self) -> None:
        self.sent.append(b"aborted")


def _all(transport: Joined, *parts: bytes) -> None:
    for part in parts:
        transport.write(part)


@pytest.mark.parametrize(
    ("what", "sent", "next_turn"),
    [
        (lambda it: _all(it, HEAD, BODY), [HEAD + BODY], []),
        (lambda it: _all(it, HEAD), [], [HEAD]),
        (lambda it: _all(it, HEAD, b""), [HEAD], []),
        (lambda it: _all(it, HEAD, BODY, BODY), [HEAD + BODY], [BODY]),
        (lambda it: _all(it, b""), [], []),
        (lambda it: (_all(it, HEAD), it.close()), [HEAD, b"closed"], []),
        (lambda it: (_all(it, HEAD), it.abort()), [b"aborted"], []),
    ],
    ids=["both", "head", "no body", "three", "nothing", "closed", "aborted"],
)
def test_writes_of_one_turn(
    what: Callable[[Joined], object], sent: list[bytes], next_turn: list[bytes]
) -> None:
    async def written() -> tuple[list[bytes], list[bytes]]:
        socket = Socket()
        what(Joined(socket))
        at_once = list(socket.sent)
        await asyncio.sleep(0)
        return at_once, socket.sent[len(at_once) :]

    assert asyncio.run(written()) == (sent, next_turn)
