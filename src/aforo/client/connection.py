"""One server, asked and told in JSON over the standard library's HTTP.

HTTP, TLS and mail's dates are loaded by the first call, which a sender makes in a thread of its own: a
program that only imports the client does not wait for them.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from email.message import Message
    from http.client import HTTPConnection

COMPRESS_FROM_BYTES = 1_024
EVENTS = "/v1/events"
JSON = "application/json"
NDJSON = "application/x-ndjson"


class NoAnswer(Exception):
    """The server could not be reached, or broke off."""


class Problem(Exception):
    """The server said no: the problem it described (RFC 9457), and when to come back if it said so."""

    def __init__(self, status: int, body: Mapping[str, object], retry_after_seconds: float | None) -> None:
        super().__init__(str(body.get("detail") or f"the server answered with status {status}"))
        self.status = status
        self.body = body
        self.retry_after_seconds = retry_after_seconds


class Connection:
    """Speaks to the server at `url` with an optional key; every call is a request of its own."""

    def __init__(self, url: str, key: str | None = None, *, timeout_seconds: float = 60.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no URL of a server: it begins with http:// or https://")
        self.url = url.rstrip("/")
        self._secure = parts.scheme == "https"
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path.rstrip("/")
        self._key = key
        self._timeout_seconds = timeout_seconds

    def patient(self, timeout_seconds: float) -> Connection:
        """The same server, whose answers are waited for so long."""
        return Connection(self.url, self._key, timeout_seconds=timeout_seconds)

    def send(self, events: Sequence[Mapping[str, object]]) -> dict[str, object]:
        """Sends events and gives their receipt. Raises `Problem`, `NoAnswer`."""
        return self.post(EVENTS, {"events": events})

    def send_lines(self, lines: Sequence[bytes]) -> dict[str, object]:
        """Sends events that are written already, one a line, and gives their receipt.

        Raises `Problem`, `NoAnswer`.
        """
        return self._call("POST", EVENTS, b"\n".join((*lines, b"")), NDJSON)

    def query(self, question: Mapping[str, object]) -> dict[str, object]:
        """Asks a question and gives the answer with its proof. Raises `Problem`, `NoAnswer`."""
        return self.post("/v1/query", question)

    def query_as(self, question: Mapping[str, object], kind: str) -> bytes:
        """Asks a question and gives the answer in a media type, as it came. Raises `Problem`, `NoAnswer`."""
        return self._content("POST", "/v1/query", json.dumps(question).encode(), accept=kind)

    def post(self, path: str, body: object) -> dict[str, object]:
        """Sends JSON and gives the JSON that came back."""
        return self._call("POST", path, json.dumps(body, separators=(",", ":")).encode())

    def put(self, path: str, body: object) -> dict[str, object]:
        """Puts JSON at a path and gives the JSON that came back."""
        return self._call("PUT", path, json.dumps(body, separators=(",", ":")).encode())

    def get(self, path: str) -> dict[str, object]:
        """Gives the JSON at a path."""
        return self._call("GET", path, None)

    def delete(self, path: str) -> dict[str, object]:
        """Takes away what is at a path and gives the JSON that came back."""
        return self._call("DELETE", path, None)

    def _call(self, method: str, path: str, body: bytes | None, kind: str = JSON) -> dict[str, object]:
        return _decoded(self._content(method, path, body, kind))

    def _content(
        self, method: str, path: str, body: bytes | None, kind: str = JSON, accept: str = JSON
    ) -> bytes:
        from http.client import HTTPException

        headers = {"Accept": accept}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        if body is not None:
            headers["Content-Type"] = kind
            if len(body) >= COMPRESS_FROM_BYTES:
                headers["Content-Encoding"] = "gzip"
                body = gzip.compress(body, compresslevel=1)
        try:
            status, said, content = self._exchange(method, self._path + path, body, headers)
        except (OSError, HTTPException) as error:
            raise NoAnswer(f"{self.url} does not answer: {str(error) or type(error).__name__}") from error
        if status >= 400:
            raise Problem(status, _decoded(content), _come_back_in(said))
        return content

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Message, bytes]:
        connection = self._opened()
        try:
            return spoken(connection, method, path, body, headers)
        finally:
            connection.close()

    def _opened(self) -> HTTPConnection:
        """A connection that connects when it is first used."""
        from http.client import HTTPConnection, HTTPSConnection

        kind = HTTPSConnection if self._secure else HTTPConnection
        return kind(self._host, self._port, timeout=self._timeout_seconds)


def spoken(
    connection: HTTPConnection, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> tuple[int, Message, bytes]:
    """One request and the whole of its reply: status, headers, content. Raises OSError, HTTPException."""
    try:
        connection.request(method, path, body, headers)
    except (BrokenPipeError, ConnectionResetError):
        # A server may refuse a body before it has read all of it; then the answer is there to be read.
        if connection.sock is None:
            raise
    response = connection.getresponse()
    return response.status, response.headers, response.read()


def _decoded(content: bytes) -> dict[str, object]:
    try:
        decoded = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _come_back_in(headers: Message) -> float | None:
    """The seconds of a `Retry-After`; a date counts from the server's own, so that no clock need agree."""
    text = headers.get("Retry-After")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return _seconds_between(headers.get("Date"), text)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _seconds_between(earlier: str | None, later: str) -> float | None:
    from email.utils import parsedate_to_datetime

    if earlier is None:
        return None
    try:
        apart = parsedate_to_datetime(later) - parsedate_to_datetime(earlier)
    except (ValueError, TypeError):
        return None
    return max(0.0, apart.total_seconds())
