"""Request bodies: bounded before they are read, while they are inflated, and before they are parsed."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, replace
from enum import Enum
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from aforo.errors import BodyTooLarge, InvalidRequest, NotInflatable, NotJson, UnsupportedBody
from aforo.http import head
from aforo.http.doubled import refuse_doubled

NDJSON_TYPES = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines")
_GZIP = 16 + zlib.MAX_WBITS
_CHUNK_BYTES = 1 << 16
MOST_FIELDS = 200  # of a form

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # as an escape, behind an even number of backslashes

MOST_INFLATION = 500
"""How many times its size a gzip body may come to; events with ids come to some 40, all equal ones to 300."""
INFLATED_FREELY_BYTES = 1 << 20
"""So much may come of a gzip body whatever its size; a smaller bomb is none."""


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


async def receive(request: Request, limit: int, *, ndjson: bool = False, beacon: bool = False) -> Body:
    """Reads a request's body. Raises UnsupportedBody and BodyTooLarge, having kept `limit` bytes at most.

    A `beacon` may say that its JSON is plain text, which is all a page may send without being asked first.
    """
    written = _format(head.first(request.scope, b"content-type"), ndjson=ndjson, beacon=beacon)
    gzipped = _gzipped(head.first(request.scope, b"content-encoding"))
    return Body(await _bounded(request, limit), written, gzipped, limit)


async def form(request: Request, limit: int) -> dict[str, str]:
    """The fields of a form, of each the first. Raises BodyTooLarge and InvalidRequest."""
    content = await _bounded(request, limit)
    try:
        pairs = parse_qsl(
            content.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise InvalidRequest(
            f"the form cannot be read: {error}", hint=f"UTF-8, and at most {MOST_FIELDS} fields"
        ) from error
    return dict(reversed(pairs))


async def _bounded(request: Request, limit: int) -> bytes:
    """The body as it came over the wire. Raises BodyTooLarge, having kept `limit` bytes at most."""
    said = head.first(request.scope, b"content-length")
    if said.isascii() and said.isdigit() and int(said) > limit:
        raise _too_large(f"a body of {int(said):,} bytes came", limit)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large("a larger body came", limit)
        parts.append(part)
    return b"".join(parts)


def decoded(content: bytes) -> object:
    """The value of a JSON text in which no object says a name twice. Raises NotJson."""
    value = parsed(content)
    refuse_doubled(content)
    return value


def parsed(content: bytes) -> object:
    """The value of a JSON text without NUL; of two equal names the last counts. Raises NotJson."""
    if not content.strip():
        raise NotJson("the body is empty, wanted JSON")
    if b"\\" in content and _NUL.search(content):
        raise NotJson("a text in the body holds the character NUL", hint="leave \\u0000 out")
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


def _format(content_type: str, *, ndjson: bool, beacon: bool) -> Format:
    media_type, *parameters = (part.strip().casefold() for part in content_type.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedBody(f"a body in {value.strip()} came", hint="write it in UTF-8")
    if media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        return Format.JSON
    if beacon and media_type == "text/plain":
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
    """All members of a gzip file, one after the other. No event packs as well as a body made to be a bomb."""
    bomb = max(INFLATED_FREELY_BYTES, MOST_INFLATION * len(content))
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
            if size > bomb:
                raise _bomb(len(content))
            out.append(part)
            if not part and not rest and not member.eof:
                raise NotInflatable("the gzip body breaks off before its end")
        rest = member.unused_data.lstrip(b"\0")  # a file may be padded with zeros
        if not rest:
            return b"".join(out)


def _bomb(size: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"a gzip body of {size:,} bytes inflates to more than {MOST_INFLATION} times as many",
        hint="send it plain, or in several parts",
    )


def _too_large(came: str, limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"{came}, and {limit:,} bytes may", hint="send fewer events at once, or raise http.max_body_bytes"
    )
