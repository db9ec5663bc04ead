"""One file of the spool: whole lines, written to its end only, kept once they are on the disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

SUFFIX = ".ndjson"
FULL_FROM_BYTES = 1 << 20
"""A segment of this size takes no more; it is read whole when it is sent."""


class Segment:
    """Events in one file. `first` is the number of the earliest of them, 0 for another process's."""

    def __init__(self, path: Path, *, first: int, events: int, size_bytes: int) -> None:
        self.path = path
        self.first = first
        self.events = events
        self.size_bytes = size_bytes
        self._descriptor: int | None = None

    @classmethod
    def created(cls, path: Path, first: int) -> Segment:
        """A new file that only its owner may read, and that is still there after a power cut."""
        segment = cls(path, first=first, events=0, size_bytes=0)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        segment._descriptor = os.open(path, flags, 0o600)
        sync_directory(path.parent)
        return segment

    @classmethod
    def found(cls, path: Path) -> Segment:
        """What an earlier process left."""
        content = path.read_bytes()
        return cls(path, first=0, events=len(_whole(content)), size_bytes=len(content))

    @property
    def taking(self) -> bool:
        return self._descriptor is not None and self.size_bytes < FULL_FROM_BYTES

    def append(self, lines: Sequence[bytes], first: int) -> None:
        """Keeps lines, the earliest of which has the number `first`.

        Raises OSError, having taken back what it wrote, so that no later line is joined to half a one.
        """
        assert self._descriptor is not None
        content = b"".join(line + b"\n" for line in lines)
        try:
            _write(self._descriptor, content)
            os.fsync(self._descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.size_bytes)
            self.seal()
            raise
        self.first = min(self.first, first)
        self.events += len(lines)
        self.size_bytes += len(content)

    def lines(self) -> list[bytes]:
        """Every line that has its end: a last one without was never kept."""
        return _whole(self.path.read_bytes())

    def seal(self) -> None:
        """Takes no more."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def remove(self) -> None:
        self.seal()
        self.path.unlink(missing_ok=True)


def sync_directory(directory: Path) -> None:
    """Makes the names in a directory durable, where a directory can be opened for that."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _whole(content: bytes) -> list[bytes]:
    return [line for line in content.split(b"\n")[:-1] if line]


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
