"""Requests counted and timed, by the route's template and never by what a caller wrote."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aforo.clock import Clock
from aforo.telemetry import Telemetry

UNMATCHED = "unmatched"


class Measuring:
    """Middleware: one count and one time for each reply; the outermost, so that it sees every reply."""

    def __init__(self, app: ASGIApp, *, telemetry: Telemetry, clock: Clock) -> None:
        self._app = app
        self._telemetry = telemetry
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = self._clock.monotonic(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self._app(scope, receive, sending)
        if status:  # none was sent to someone who left
            route = _template(scope)
            self._telemetry.count("http_requests_total", route=route, status=str(status))
            self._telemetry.observe("http_request_seconds", self._clock.monotonic() - begun, route=route)


def _template(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", UNMATCHED))
