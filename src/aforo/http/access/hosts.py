"""Names this server goes by, and pages that a browser may call it from while no key is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from aforo.errors import AforoError, Forbidden
from aforo.http import head
from aforo.http.problems import told

LOCALHOST = "localhost"
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@/\s]+)(?::\d{0,5})?")


@lru_cache(maxsize=256)  # every request names one, and most the same
def is_loopback(host: str) -> bool:
    """Whether a host, without a port, is this machine seen from itself."""
    if host.casefold() == LOCALHOST:
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Hosts:
    """Middleware: takes requests only under names of this server, and from pages of this server.

    A page that makes its own name point to 127.0.0.1 (DNS rebinding) comes with that name as its Host; a page
    elsewhere that posts here comes with its own Origin. Once there are keys none of this is looked at: such
    pages have none, and a proxy may call the server by any name.
    """

    def __init__(
        self, app: ASGIApp, *, bound_to: str, origins: Iterable[str], keyless: Callable[[], bool]
    ) -> None:
        self._app = app
        self._bound_to = bound_to.casefold()
        self._origins = frozenset(origins)
        self._keyless = keyless

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        looking = scope["type"] == "http" and self._keyless()
        objection = self._objection(scope) if looking else None
        if objection is None:
            await self._app(scope, receive, send)
        else:
            await told(objection)(scope, receive, send)

    def _objection(self, scope: Scope) -> AforoError | None:
        hosts = head.every(scope, b"host")
        if len(hosts) != 1 or not self._ours(hosts[0]):
            return Forbidden(
                f"this server does not go by the name {_shown(hosts)}",
                hint="call it by the address it says it serves on, or by localhost",
            )
        origins = [origin for origin in head.every(scope, b"origin") if origin not in self._origins]
        strange = [origin for origin in origins if not self._our_page(origin)]
        if strange:
            return Forbidden(
                f"a page of {_shown(strange)} may not call this server",
                hint="only pages that this machine serves itself may, and those of access.cors_origins",
            )
        return None

    def _ours(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        return match is not None and self._known(match[1])

    def _our_page(self, origin: str) -> bool:
        try:
            parts = urlsplit(origin)
            host = parts.hostname
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and host is not None and self._known(host)

    def _known(self, host: str) -> bool:
        return is_loopback(host) or host.casefold().strip("[]") == self._bound_to.strip("[]")


def _shown(values: Iterable[str]) -> str:
    return ", ".join(repr(value[:100]) for value in values) or "that is not there"
