"""Request bodies: bounded before they are read, while they are inflated, and before they are parsed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from enum import Enum

import msgspec
from starlette.requests import Request

from aforo.errors import BodyTooLarge, InvalidRequest, NotInflatable, NotJson, UnsupportedBody

NDJSON_TYPES = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines")
_GZIP = 16 + zlib.MAX_WBITS
_CHUNK_BYTES = 1 << 16


class Format(Enum):
    """How a body is written."""

    JSON = "application/json"
    NDJSON = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it came over the wire, known to be no larger than `limit` bytes."""

    content: bytes
    format: Format
    gzipped: bool
    limit: int

    def plain(self) -> bytes:
        """The bytes inside. Raises NotInflatable, and BodyTooLarge as soon as more than `limit` come out."""
        return _inflated(self.content, self.limit) if self.gzipped else self.content

    def opened(self) -> Body:
        """The body as it would have come without being compressed. Raises as `plain` does."""
        return replace(self, content=self.plain(), gzipped=False)


async def receive(request: Request, limit: int, *, ndjson: bool = False) -> Body:
    """Reads a request's body. Raises UnsupportedBody and BodyTooLarge, having kept `limit` bytes at most."""
    written = _format(request.headers.get("content-type", ""), ndjson=ndjson)
    gzipped = _gzipped(request.headers.get("content-encoding", ""))
    said = request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and int(said) > limit:
        raise _too_large(f"a body of {int(said):,} bytes came", limit)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large("a larger body came", limit)
        parts.append(part)
    return Body(b"".join(parts), written, gzipped, limit)


def decoded(content: bytes) -> object:
    """The value of a JSON text. Raises NotJson."""
    if not content.strip():
        raise NotJson("the body is empty, wanted JSON")
    try:
        return msgspec.json.decode(content)
    except UnicodeDecodeError as error:
        raise NotJson(f"the body is not UTF-8: {error.reason}") from error
    except msgspec.MsgspecError as error:
        raise NotJson(f"the body is not JSON that can be read: {error}") from error
    except RecursionError as error:
        raise NotJson("the body's values stand too deep within one another") from error


def as_object(value: object) -> dict[str, object]:
    """The value where it is a JSON object. Raises InvalidRequest."""
    if not isinstance(value, dict):
        raise InvalidRequest("the body is JSON but no object", hint='wanted {"...": ...}')
    return value


def _format(content_type: str, *, ndjson: bool) -> Format:
    media_type, *parameters = (part.strip().casefold() for part in content_type.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedBody(f"a body in {value.strip()} came", hint="write it in UTF-8")
    if media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        return Format.JSON
    if ndjson and media_type in NDJSON_TYPES:
        return Format.NDJSON
    taken = ["application/json", *(NDJSON_TYPES if ndjson else ())]
    came = repr(media_type[:100]) if media_type else "no type"
    raise UnsupportedBody(
        f"a body of {came} came, wanted {' or '.join(taken)}",
        hint=f"send 'Content-Type: {taken[0]}'",
    )


def _gzipped(encoding: str) -> bool:
    match encoding.strip().casefold():
        case "" | "identity":
            return False
        case "gzip" | "x-gzip":
            return True
        case other:
            raise UnsupportedBody(
                f"a body in the encoding {other[:100]!r} came", hint="send it plain or gzip"
            )


def _inflated(content: bytes, limit: int) -> bytes:
    """All members of a gzip file, one after the other."""
    out: list[bytes] = []
    size = 0
    rest = content
    while True:
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            try:
                # Of 64 KiB of zeros' worth more than a thousand times as much comes out: bound each step.
                part = member.decompress(rest, _CHUNK_BYTES)
            except zlib.error as error:
                raise NotInflatable(f"the body is not gzip: {error}") from error
            rest = member.unconsumed_tail
            size += len(part)
            if size > limit:
                raise _too_large("a body that inflates to more came", limit)
            out.append(part)
            if not part and not rest and not member.eof:
                raise NotInflatable("the gzip body breaks off before its end")
        rest = member.unused_data.lstrip(b"\0")  # a file may be padded with zeros
        if not rest:
            return b"".join(out)


def _too_large(came: str, limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"{came}, and {limit:,} bytes may", hint="send fewer events at once, or raise http.max_body_bytes"
    )
