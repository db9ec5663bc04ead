"""Opening files, plain or gzip, with every failure told as a person can mend it."""

from __future__ import annotations

import gzip
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from aforo.errors import UnreadableFile, suggestion

GZIP = b"\x1f\x8b"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Opened:
    """A file being read: `stream` gives its content, inflated; `place_of` where so much of it ends."""

    stream: BinaryIO
    raw: BinaryIO
    place_of: Callable[[int], int]
    bytes_total: int

    def bytes_read(self, content: int | None = None) -> int:
        """How far the file on the disk was read, or about how far where only so much content counts."""
        read = self.raw.tell()
        if content is not None:
            read = min(read, self.place_of(content))
        return min(read, self.bytes_total)


class Inflated(gzip.GzipFile):
    """Knows which place of the file each read came to: who asks may be far behind who reads ahead."""

    def __init__(self, raw: BinaryIO) -> None:
        super().__init__(fileobj=raw)
        self._raw = raw
        self._course = [(0, 0)]  # bytes of content, and of the file

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        self._course.append((self.tell(), self._raw.tell()))
        return found

    def place_of(self, content: int) -> int:
        """About where in the file so many bytes of content end, as far as they were read."""
        course = self._course
        after = bisect_left(course, (content, 0))
        if after in (0, len(course)):
            return course[after - 1 if after else 0][1]
        (before, start), (behind, end) = course[after - 1], course[after]
        return start + (end - start) * (content - before) // max(1, behind - before)


@contextmanager
def opened(path: Path, *, inflate: bool = True) -> Iterator[Opened]:
    """The file, open; UnreadableFile whatever goes wrong with it until it is closed."""
    _check(path)
    try:
        with path.open("rb") as raw:
            total = path.stat().st_size
            if inflate and _is_gzip(path, raw):
                inflated = Inflated(raw)
                yield Opened(cast(BinaryIO, inflated), raw, inflated.place_of, total)
            else:
                yield Opened(raw, raw, lambda content: content, total)
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise UnreadableFile(f"{path} cannot be read: {_sentence(error)}", hint=_hint(error)) from error


def head(path: Path, size: int) -> bytes:
    """The first bytes of the content; UnreadableFile for UTF-16, which is no text to the readers."""
    with opened(path) as file:
        first = file.stream.read(size)
    if first.startswith(UTF_16):
        raise UnreadableFile(f"{path} is written in UTF-16", hint="save it as UTF-8")
    return first


def _check(path: Path) -> None:
    try:
        if path.is_dir():
            raise UnreadableFile(f"{path} is a directory", hint="name a file in it")
        if not path.exists():
            beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            raise UnreadableFile(f"there is no file {path}", hint=suggestion(path.name, beside))
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {_sentence(error)}", hint=_hint(error)) from error


def _is_gzip(path: Path, raw: BinaryIO) -> bool:
    magic = raw.read(len(GZIP))
    raw.seek(0)
    if magic == GZIP:
        return True
    if path.suffix.lower() == ".gz":
        raise UnreadableFile(f"{path} is no gzip file", hint="take away .gz from its name if it is plain")
    return False


def _sentence(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return said.splitlines()[0].rstrip(".") if said else type(error).__name__


def _hint(error: Exception) -> str:
    if isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
        return "the gzip file is cut off or damaged: fetch it again"
    said = str(error).lower()
    if "straddling" in said or "out of sync" in said:
        return "a quote that is never closed, or a row of more than half a megabyte"
    if "parquet" in said:
        return "is it a parquet file? --input names another format"
    return ""
