"""One server, asked and told in JSON over the standard library's HTTP."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

COMPRESS_FROM_BYTES = 1_024


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

    def send(self, events: Sequence[Mapping[str, object]]) -> dict[str, object]:
        """Sends events and gives their receipt. Raises `Problem`, `NoAnswer`."""
        return self.post("/v1/events", {"events": events})

    def query(self, question: Mapping[str, object]) -> dict[str, object]:
        """Asks a question and gives the answer with its proof. Raises `Problem`, `NoAnswer`."""
        return self.post("/v1/query", question)

    def post(self, path: str, body: object) -> dict[str, object]:
        """Sends JSON and gives the JSON that came back."""
        return self._call("POST", path, json.dumps(body, separators=(",", ":")).encode())

    def get(self, path: str) -> dict[str, object]:
        """Gives the JSON at a path."""
        return self._call("GET", path, None)

    def _call(self, method: str, path: str, body: bytes | None) -> dict[str, object]:
        headers = {"Accept": "application/json"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        if body is not None:
            headers["Content-Type"] = "application/json"
            if len(body) >= COMPRESS_FROM_BYTES:
                headers["Content-Encoding"] = "gzip"
                body = gzip.compress(body, compresslevel=1)
        kind = HTTPSConnection if self._secure else HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout_seconds)
        try:
            connection.request(method, self._path + path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            raise NoAnswer(f"{self.url} does not answer: {str(error) or type(error).__name__}") from error
        finally:
            connection.close()
        if response.status >= 400:
            raise Problem(response.status, _decoded(content), _seconds(response.headers.get("Retry-After")))
        return _decoded(content)


def _decoded(content: bytes) -> dict[str, object]:
    try:
        decoded = json.loads(content)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
