"""An answer given before the whole body came: read on for a while, so that the sender gets to see it."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aforo.http import head

LINGER_BYTES = 64 * 2**20
LINGER_SECONDS = 5.0


class Lingering:
    """Middleware: throws away what a sender still sends once it was answered, then closes the connection.

    A server that closes while bytes come in resets the connection, and the reset may overtake the answer: who
    sent too much would see a broken pipe and never be told why. Bounded, since nobody else bounds it.
    """

    def __init__(
        self, app: ASGIApp, *, most_bytes: int = LINGER_BYTES, most_seconds: float = LINGER_SECONDS
    ) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._most_seconds = most_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _brings_a_body(scope):
            await self._app(scope, receive, send)
            return
        ended = False

        async def receiving() -> Message:
            nonlocal ended
            message = await receive()
            ended = ended or not message.get("more_body", False)
            return message

        async def sending(message: Message) -> None:
            if ended:
                await send(message)
            elif message["type"] == "http.response.start":
                await send({**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]})
            elif message.get("more_body", False):
                await send(message)
            else:
                # The answer goes out at once; only its end waits, and with it the closing.
                await send({**message, "more_body": True})
                await self._drain(receiving)
                await send({"type": "http.response.body", "body": b""})

        await self._app(scope, receiving, sending)

    async def _drain(self, receive: Receive) -> None:
        left = self._most_bytes
        try:
            async with asyncio.timeout(self._most_seconds):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return


def _brings_a_body(scope: Scope) -> bool:
    return bool(head.every(scope, b"transfer-encoding")) or head.first(scope, b"content-length", "0") != "0"
