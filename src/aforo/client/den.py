"""A sub-directory of the spool that belongs to one process for as long as it lives."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aforo.client.segment import SUFFIX, sync_directory

if sys.platform != "win32":
    import fcntl

LOCK = "lock"


class Den:
    """A directory, and the lock on it that ends with this process however it ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def made(cls, parent: Path, name: Callable[[], str]) -> Den:
        """A new one below `parent`. Raises OSError."""
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            path = parent / name()
            path.mkdir(mode=0o700)
            descriptor = _locked(path)
            # Between making and locking it another process may have taken it for a dead one's.
            if descriptor is not None:
                sync_directory(parent)
                return cls(path, descriptor)

    def segments(self) -> list[Path]:
        """The files of events in it, oldest first."""
        return sorted(self.path.glob(f"*{SUFFIX}"))

    def leave(self) -> None:
        """Gives it up; what is in it is left to the next process, and if nothing is, it goes."""
        if not self.segments():
            self._vanish()
        self.let_go()

    def let_go(self) -> None:
        """Closes this process's hold on the lock; a process it was forked from keeps its own."""
        os.close(self._descriptor)

    def _vanish(self) -> None:
        with suppress(OSError):
            (self.path / LOCK).unlink()
            self.path.rmdir()


@contextmanager
def abandoned(path: Path) -> Iterator[Den | None]:
    """Another process's directory while it is held, None if that process lives; empty, it goes."""
    descriptor = _locked(path)
    if descriptor is None:
        yield None
        return
    den = Den(path, descriptor)
    try:
        yield den
    finally:
        den.leave()


def _locked(directory: Path) -> int | None:
    """The lock's descriptor; None if another process holds it, or took the directory away meanwhile.

    Raises OSError.
    """
    path = directory / LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return None
    try:
        mine = _alone(descriptor) and _is(path, descriptor)
    except OSError:
        os.close(descriptor)
        raise
    if mine:
        return descriptor
    os.close(descriptor)
    return None


def _alone(descriptor: int) -> bool:
    if sys.platform == "win32":
        return True  # without such locks a spool is one process's; docs/how-to says so
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
