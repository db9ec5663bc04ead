"""The journal: commits are durable here before they are acknowledged, and go on to the tables in groups.

A file holds frames `mark, length, crc32, payload`, one a commit, in the order of their numbers, and is named
by its first. What a crash left unfinished at the end of the last file was never acknowledged.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from zlib import crc32

import structlog

from aforo.engines.embedded.database import spoken
from aforo.errors import StorageError

log = structlog.get_logger(__name__)

HEAD = struct.Struct("<4sII")
MARK = b"AFc1"
PATTERN = "events-*.journal"


@dataclass(slots=True)
class _File:
    path: Path
    handle: int
    size: int = 0
    last: int = 0  # the number of its last commit; 0 while it has none


class Journal:
    """Frames on disk until they are dropped; may be used from any thread."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = Lock()
        self._current: _File | None = None
        self._full: list[_File] = []
        self._torn = False

    def replay(self) -> Iterator[bytes]:
        """Every whole frame that is there, in order; raises `StorageError` where one is damaged."""
        paths = self._paths()
        for path in paths:
            with spoken(path):
                data = path.read_bytes()
            yield from _frames(path, data, last=path is paths[-1])

    def clear(self) -> None:
        """Removes every file: the tables hold all of it."""
        with spoken(self._directory / PATTERN):
            for path in self._paths():
                path.unlink()

    def write(self, number: int, payload: bytes) -> None:
        """The frame is on disk when this returns, or nothing of it is.

        Raises `StorageFull`, `StorageError`.
        """
        with self._lock, spoken(self._directory / PATTERN):
            file = self._open(number)
            try:
                _write_all(file.handle, HEAD.pack(MARK, len(payload), crc32(payload)) + payload)
                os.fdatasync(file.handle)
            except BaseException:
                self._torn = True
                self._mend(file)
                raise
            file.size += HEAD.size + len(payload)
            file.last = number

    def rotate(self) -> None:
        """What comes from now on goes to another file, so that those before it can be dropped."""
        with self._lock:
            if self._current is not None and self._current.last and not self._torn:
                self._full.append(self._current)
                self._current = None

    def drop(self, upto: int) -> None:
        """Removes the files that were rotated out and hold nothing after the commit `upto`."""
        with self._lock:
            for file in [each for each in self._full if each.last <= upto]:
                self._full.remove(file)
                os.close(file.handle)
                try:
                    os.unlink(file.path)  # noqa: PTH108 - as every other step of a journal
                except OSError as error:
                    # Its commits are known by their numbers, so that reading it again changes nothing.
                    log.warning("a journal could not be removed", path=str(file.path), error=str(error))

    def close(self) -> None:
        """Lets go of the files; those that were not dropped stay."""
        with self._lock:
            for file in [*self._full, *([self._current] if self._current else [])]:
                os.close(file.handle)
                if not file.last:
                    file.path.unlink(missing_ok=True)
            self._full, self._current, self._torn = [], None, False

    def _paths(self) -> list[Path]:
        return sorted(self._directory.glob(PATTERN))

    def _open(self, number: int) -> _File:
        if self._current is None:
            path = self._directory / PATTERN.replace("*", f"{number:020d}")
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC
            handle = os.open(path, flags, 0o600)
            try:
                _sync_directory(self._directory)
            except BaseException:
                os.close(handle)
                raise
            self._current = _File(path, handle)
        if self._torn:
            self._mend(self._current)
        return self._current

    def _mend(self, file: _File) -> None:
        """Takes back what a failed write may have left; until that is done nothing more is written."""
        os.ftruncate(file.handle, file.size)
        os.fdatasync(file.handle)
        self._torn = False


def _write_all(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _sync_directory(directory: Path) -> None:
    """A new file's name is durable as well."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _frames(path: Path, data: bytes, *, last: bool) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        payload = _frame(data, at)
        if payload is None:
            # Frames are made durable one after the other, so that only the very last can be unfinished.
            if last and not _any_after(data, at):
                log.warning("an unfinished commit was left out", path=str(path), bytes=len(data) - at)
                return
            raise StorageError(
                f"{path} is damaged at byte {at} of {len(data)}",
                hint="restore it from a copy; without it the commits from there on are lost",
            )
        yield payload
        at += HEAD.size + len(payload)


def _frame(data: bytes, at: int) -> bytes | None:
    """The payload of a whole frame that begins there."""
    if at + HEAD.size > len(data):
        return None
    mark, length, check = HEAD.unpack_from(data, at)
    payload = data[at + HEAD.size : at + HEAD.size + length]
    whole = mark == MARK and len(payload) == length and crc32(payload) == check
    return payload if whole else None


def _any_after(data: bytes, at: int) -> bool:
    """Whether a whole frame begins somewhere behind."""
    while (at := data.find(MARK, at + 1)) >= 0:
        if _frame(data, at) is not None:
            return True
    return False
