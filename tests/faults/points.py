"""Every moment at which a write may end: before and after each thing it asks of DuckDB or of the disk.

The engine's own connection and what its journal knows of the system are wrapped, so that the points follow
the code: a statement that is added is two more points, and nothing of this is in what is shipped.
"""

from __future__ import annotations

import errno
import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import duckdb

from aforo.engines.embedded import EmbeddedEngine, journal

SYSTEM = {"write", "fdatasync", "fsync", "open", "ftruncate", "unlink"}
"""What a journal does that a disk or a crash may spoil."""

QUIET = {"cursor", "close", "rollback", "fetchall", "fetchone", "fetchnumpy", "register", "unregister"}
"""What no write does, what undoes it, what reads a result that is there, and what only names a table."""

WORDS = re.compile(r"--[^\n]*|\s+")


class Struck(Exception):
    """The fault that a test wanted at a point."""


class At(Protocol):
    """Hears of every point as it is reached."""

    def __call__(self, point: str) -> None: ...


def nobody(point: str) -> None:
    """Lets every point pass."""


@dataclass
class Watched:
    """The engine's connection, or the system as its journal sees it; `at` hears of each point."""

    real: Any
    leave: Callable[[], None]
    at: At = nobody

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self.real, name)
        if name in QUIET or not callable(verb) or (self.real is os and name not in SYSTEM):
            return verb

        def watched(*words: Any, **more: Any) -> Any:
            point = named(name, words)
            self.at(f"before {point}")
            result = verb(*words, **more)
            self.at(f"after {point}")
            return self if result is self.real else result

        return watched


def named(verb: str, words: tuple[Any, ...]) -> str:
    """The verb, and the beginning of what it says: `execute: INSERT INTO ledger SELECT`."""
    if not words or not isinstance(words[0], str):
        return verb
    return f"{verb}: {' '.join(WORDS.sub(' ', words[0]).split()[:6])}"


def watch_journal() -> Watched:
    """Wraps the system that journals write to, until `leave`."""

    def leave() -> None:
        journal.os = os  # type: ignore[attr-defined]

    watched = Watched(os, leave)
    journal.os = watched  # type: ignore[attr-defined]
    return watched


def watch(engine: EmbeddedEngine) -> Watched:
    """Wraps the connection that an engine writes through, until `leave`.

    What the writer has at hand is forgotten first, so that each write asks for the same things.
    """
    database = engine._database
    engine._landing.undone()
    real = database._root

    def leave() -> None:
        if database._root is watched:  # an engine that opened its file again has left by itself
            database._root = real

    watched = Watched(real, leave)
    database._root = watched  # type: ignore[assignment]
    return watched


def points_of(watched: Watched, write: Callable[[], object]) -> list[str]:
    """Every point of a write that nothing disturbs."""
    watched.at = heard = Heard()
    write()
    watched.leave()
    return heard.points


@dataclass
class Heard:
    """Every point in order."""

    points: list[str] = field(default_factory=list)

    def __call__(self, point: str) -> None:
        self.points.append(point)


@dataclass
class Strike:
    """Does `deed` at the n-th point, once."""

    number: int
    deed: Callable[[str], None]
    reached: int = -1

    def __call__(self, point: str) -> None:
        self.reached += 1
        if self.reached == self.number:
            self.deed(point)


def fail(point: str) -> None:
    raise Struck(point)


def fill(point: str) -> None:
    """As the system says it of a journal, and DuckDB of its file."""
    if point.split(" ")[1] in SYSTEM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    raise duckdb.IOException(f'IO Error: Could not write file "{point}": No space left on device')


def give_up(point: str) -> None:
    """As DuckDB does when it could not write a checkpoint; it would say the same of all that follows."""
    raise duckdb.FatalException(f"FATAL Error: Failed at {point}: database has been invalidated")


def die(_point: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
