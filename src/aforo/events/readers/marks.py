"""How far files that grow have been read, kept by what is in them and not by what they are called."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from hashlib import blake2b
from pathlib import Path
from typing import Any

from aforo.errors import StorageError

MOST_MARKS = 1_000
SUFFIX = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The lines before `offset` are read and acknowledged; offsets are bytes of the inflated content.

    `end` names the `end_bytes` before the offset, so that another content is told from this one. Lines from
    `tail` on must be read again to tell equal ones apart; those before it are none of them later than
    `settled`, microseconds, and None where there are none.
    """

    offset: int
    lines: int
    end: str
    end_bytes: int
    tail: int
    settled: int | None


class Marks:
    """The marks of one owner, a small file each, in a folder of the data directory.

    They only save reading: without them everything is read again and adds nothing.
    """

    def __init__(self, folder: Path, owner: str) -> None:
        self._folder = folder
        self._owner = owner

    def find(self, first_line: bytes) -> Mark | None:
        """The mark of the file that begins so; None where there is none or it cannot be understood."""
        try:
            said = json.loads(self._path(first_line).read_bytes())
        except (OSError, ValueError):
            return None
        return _mark_of(said) if isinstance(said, dict) else None

    def keep(self, first_line: bytes, mark: Mark) -> None:
        """Replaces the mark of the file that begins so. Raises StorageError."""
        path = self._path(first_line)
        written = path.with_suffix(f".{os.getpid()}")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            written.write_text(json.dumps(asdict(mark)), encoding="utf-8")
            written.replace(path)
        except OSError as error:
            raise StorageError(
                f"how far the file is read cannot be kept in {self._folder}: {error.strerror or error}",
                hint="what was read is in; --from-start does without",
            ) from error

    def prune(self) -> None:
        """Forgets the marks that were longest unused, where there are too many."""
        try:
            found = sorted(self._folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
            for path in found[:-MOST_MARKS]:
                path.unlink(missing_ok=True)
        except FileNotFoundError:  # another load forgot one at the same time, and goes on forgetting
            return

    def _path(self, first_line: bytes) -> Path:
        owner = self._owner.encode()
        name = blake2b(b"%d:%s%s" % (len(owner), owner, first_line), digest_size=16).hexdigest()
        return self._folder / f"{name}{SUFFIX}"


def _mark_of(said: dict[str, Any]) -> Mark | None:
    names = {each.name for each in fields(Mark)}
    numbers = [said.get(name) for name in names - {"end", "settled"}]
    whole = said.keys() == names and all(type(number) is int and number >= 0 for number in numbers)
    if not whole or type(said["end"]) is not str or type(said["settled"]) not in (int, type(None)):
        return None
    mark = Mark(**said)
    return mark if mark.tail <= mark.offset - mark.end_bytes else None
