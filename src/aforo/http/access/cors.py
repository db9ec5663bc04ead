"""Which pages of other sites may call, and read what comes back (CORS)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aforo.http import head
from aforo.http.access.bearing import ADMIN_KEY, API_KEY

ANY = "*"
METHODS = "GET, POST, DELETE"
REQUEST_HEADERS = f"authorization, content-type, content-encoding, {API_KEY}, {ADMIN_KEY}"
REPLY_HEADERS = "Aforo-Proof, Aforo-Totals, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate"
PREFLIGHT_SECONDS = 600


class Cors:
    """Middleware: answers what browsers ask beforehand, and marks replies as readable by listed pages.

    No cookie opens anything here, so a page that may read still has to show a key.
    """

    def __init__(
        self, app: ASGIApp, *, origins: Iterable[str], public_origins: Callable[[], frozenset[str]]
    ) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._public_origins = public_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origins = head.every(scope, b"origin")
        if len(origins) != 1 or not self._listed(origins[0]):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and head.every(scope, b"access-control-request-method"):
            await _preflight(origins[0])(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                marked = MutableHeaders(scope=message)
                marked["Access-Control-Allow-Origin"] = origins[0]
                marked["Access-Control-Expose-Headers"] = REPLY_HEADERS
                marked.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, sending)

    def _listed(self, origin: str) -> bool:
        if origin in self._origins:
            return True
        public = self._public_origins()
        return origin in public or ANY in public


def _preflight(origin: str) -> Response:
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": REQUEST_HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
            "Vary": "Origin",
        },
    )
