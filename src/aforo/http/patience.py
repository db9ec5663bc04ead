"""A body that is sent slowly, or never to its end: nobody waits for it for ever."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aforo.errors import BodyTooSlow


class Patience:
    """Middleware: whoever reads a body gets `BodyTooSlow` when it is not whole within its time.

    The time begins with the first read, so that waiting for a free thread is not the sender's fault.
    """

    def __init__(self, app: ASGIApp, *, most_seconds: float) -> None:
        self._app = app
        self._most_seconds = most_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        until: float | None = None
        whole = False

        async def receiving() -> Message:
            nonlocal until, whole
            if whole:
                return await receive()  # what is waited for now is the sender's leaving
            if until is None:
                until = asyncio.get_running_loop().time() + self._most_seconds
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError as error:
                raise self._too_slow() from error
            whole = not message.get("more_body", False)
            return message

        await self._app(scope, receiving, send)

    def _too_slow(self) -> BodyTooSlow:
        return BodyTooSlow(
            f"after {self._most_seconds:g} s the body was not whole",
            hint="send it again, faster or in smaller parts, or raise http.body_seconds",
        )
