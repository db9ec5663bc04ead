"""Copying what may be large, piece by piece and never more than may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from aforo.errors import ObjectTooLarge
from aforo.objects.object import Fetched

CHUNK_BYTES = 2**20
"""How much is held in memory at once."""


def pieces(content: bytes | Path) -> Iterator[bytes]:
    """Content, or that of a file of this machine, piece by piece."""
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


def copied(uri: str, read: Callable[[], bytes], into: BinaryIO, most_bytes: int) -> Fetched:
    """Copies what is read until nothing comes any more; ObjectTooLarge before more than may be is written."""
    size, digest = 0, sha256()
    while piece := read():
        size += len(piece)
        if size > most_bytes:
            raise too_large(uri, most_bytes)
        digest.update(piece)
        into.write(piece)
    return Fetched(size, digest.hexdigest())


def too_large(uri: str, most_bytes: int) -> ObjectTooLarge:
    return ObjectTooLarge(
        f"{uri} is larger than the {most_bytes} bytes that may be read of it",
        hint="write less into it, or into several files; the settings of [worker] say how much is read",
    )
