"""A connection that is kept open from one call to the next."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from aforo.client.connection import Connection, spoken

if TYPE_CHECKING:
    from email.message import Message
    from http.client import HTTPConnection


class KeptConnection(Connection):
    """Speaks to one server over one connection, for one thread; `close` may be called from another."""

    def __init__(self, url: str, key: str | None = None, *, timeout_seconds: float = 60.0) -> None:
        super().__init__(url, key, timeout_seconds=timeout_seconds)
        self._open: HTTPConnection | None = None
        self._closed = False

    def close(self) -> None:
        """Ends what is under way, and every later call, with `NoAnswer`."""
        self._closed = True
        kept = self._open
        sock = None if kept is None else kept.sock
        if sock is not None:
            from socket import SHUT_RDWR

            with suppress(OSError):  # it wakes a thread that waits for the answer; closing alone would not
                sock.shutdown(SHUT_RDWR)

    def let_go(self) -> None:
        """Closes this process's end without a word to the server: another process may speak over it."""
        kept, self._open = self._open, None
        if kept is not None:
            kept.close()

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Message, bytes]:
        used_before = self._open is not None and self._open.sock is not None
        try:
            return self._once(method, path, body, headers)
        except ConnectionError:
            # Servers close what was idle for long, and that is seen only when it is used again.
            if not used_before:
                raise
        return self._once(method, path, body, headers)

    def _once(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Message, bytes]:
        if self._closed:
            raise ConnectionAbortedError("the connection was closed")
        if self._open is None:
            self._open = self._opened()
        try:
            return spoken(self._open, method, path, body, headers)
        except BaseException:
            self.let_go()
            raise
