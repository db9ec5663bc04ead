"""Replies: structs and mappings to JSON, instants to text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import msgspec
from starlette.responses import Response

from aforo.windows import Zone

JSON = "application/json"
# No browser may take a reply for something else than it says it is, or keep it.
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Shape(msgspec.Struct, frozen=True, rename="camel"):
    """What every body that goes out is made of: fields in camel case."""


@dataclass(frozen=True, slots=True)
class Written:
    """A reply that is written, and may be sent to several."""

    content: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=lambda: HEADERS)

    @classmethod
    def of(cls, body: object) -> Written:
        """A reply of structs, mappings, lists and plain values."""
        return cls(msgspec.json.encode(body))

    def sent(self) -> Response:
        """The reply to one of them."""
        return Response(self.content, media_type=self.media_type, headers=dict(self.headers))


def json_reply(
    body: object,
    status: int = 200,
    *,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A reply of structs, mappings, lists and plain values."""
    content = msgspec.json.encode(body)
    return Response(content, status, media_type=media_type, headers={**HEADERS, **(headers or {})})


@lru_cache(maxsize=256)
def instant(time: int | None) -> str | None:
    """Microseconds as RFC 3339 in UTC; None stays None. Receipts of one commit name one instant."""
    return None if time is None else Zone("UTC").rfc3339(time)


def plain(body: Shape) -> dict[str, object]:
    """A body as the mappings and lists that its JSON is read back to."""
    read: dict[str, object] = msgspec.json.decode(msgspec.json.encode(body))
    return read
