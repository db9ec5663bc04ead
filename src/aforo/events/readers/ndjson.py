"""One JSON object a line: flat, or with its fields under `fields` beside stream, tenant, id and time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from aforo.events.columns import Source
from aforo.events.readers.chunk import MOST_COLUMNS, Chunk, FileShape, columns_of, no_object
from aforo.events.readers.files import Opened, head, opened
from aforo.events.refusals import Refusal, RefusalCode

LINE_BYTES = 1024 * 1024
BLOCK_BYTES = 1024 * 1024
BOM = b"\xef\xbb\xbf"


def read(path: Path, shape: FileShape) -> Iterator[Chunk]:
    """The rows as decoded values; a line that is no JSON object, or over 1 MiB, is refused by its number.

    Blank lines are no rows.
    """
    head(path, len(BOM))
    with opened(path) as file:
        rows = _Rows(shape)
        for number, line in enumerate(_lines(file.stream)):
            rows.take(number, line)
            if rows.full():
                yield rows.chunk(file)
        if rows.waiting():
            yield rows.chunk(file)


class _Rows:
    """The rows read since the last chunk."""

    def __init__(self, shape: FileShape) -> None:
        self._shape = shape
        self._first = 0
        self._next = 0
        self._clear()

    def _clear(self) -> None:
        self._objects: list[object] = []
        self._numbers: list[int] = []
        self._refusals: list[Refusal] = []
        self._names: set[str] = set()

    def take(self, number: int, line: bytes | None) -> None:
        """One line, None for one that is too long."""
        self._next = number + 1
        if line is None:
            detail = f"a line of more than {LINE_BYTES:,} bytes"
            self._refusals.append(Refusal(number, RefusalCode.TOO_LONG, detail))
            return
        value = _decoded(line)
        if isinstance(value, dict):
            self._objects.append(value)
            self._numbers.append(number)
            self._names.update(value)
            inner = value.get("fields")
            self._names.update(inner if isinstance(inner, dict) else ())
        else:
            came = line.decode(errors="replace") if value is None else value
            self._refusals.append(no_object(number, came))

    def waiting(self) -> bool:
        return self._next > self._first

    def full(self) -> bool:
        return self._next - self._first >= self._shape.chunk_rows or len(self._names) > MOST_COLUMNS

    def chunk(self, file: Opened) -> Chunk:
        """What was taken, and begins anew."""
        columns = columns_of(self._objects)
        targets = self._shape.targets(list(columns))
        chunk = Chunk(
            first_row=self._first,
            rows=len(self._objects),
            columns={target: columns[name] for target, name in targets.items() if name in columns},
            bytes_read=file.bytes_read(),
            bytes_total=file.bytes_total,
            source=Source.JSON,
            numbers=np.array(self._numbers, np.int64),
            refusals=tuple(self._refusals),
        )
        self._first = self._next
        self._clear()
        return chunk


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """The lines that are not blank; None for one that is too long, which is never held whole."""
    rest = b""
    too_long = False
    first = True
    while block := stream.read(BLOCK_BYTES):
        if first:
            block, first = block.removeprefix(BOM), False
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            if too_long or len(line) > LINE_BYTES:
                yield None
                too_long = False
            elif line.strip():
                yield line
        if len(rest) > LINE_BYTES:
            rest, too_long = b"", True
    if too_long or len(rest) > LINE_BYTES:
        yield None
    elif rest.strip():
        yield rest


def _decoded(line: bytes) -> object:
    """The value of a line; None if it is no JSON.

    What the strict decoder refuses is read once more by a lenient one: NaN, numbers beyond a double and lone
    surrogates are then refused by the field that they are in, and by name.
    """
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        try:
            return json.loads(line.decode())
        except (ValueError, RecursionError):
            return None
