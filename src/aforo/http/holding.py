"""What the bodies of all requests under way take of the memory, together."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aforo.errors import IntakeFull

COME_BACK_SECONDS = 1.0


class Holding:
    """Middleware: while bodies of `most_bytes` are held, who brings more gets `IntakeFull`.

    A body counts from its first part until its request is answered. One that is alone may be of any size: its
    own limit is another's affair.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mine = 0

        async def receiving() -> Message:
            nonlocal mine
            message = await receive()
            size = len(message.get("body", b""))
            mine += size
            self._held += size
            if size and self._held > max(self._most_bytes, mine):
                raise IntakeFull(
                    f"bodies of {self._held:,} bytes came at once, and {self._most_bytes:,} may; "
                    "nothing of this one was taken",
                    retry_after_seconds=COME_BACK_SECONDS,
                    hint="send the same batch again after Retry-After: what was taken before counts once",
                )
            return message

        try:
            await self._app(scope, receiving, send)
        finally:
            self._held -= mine
