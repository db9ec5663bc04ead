"""What is to be loaded, as a person orders it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aforo.errors import UnknownName, UnreadableFile
from aforo.events.readers import READERS, SUFFIXES, format_of
from aforo.events.readers.files import opened


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOrder:
    """What is to be loaded: a file, and what its rows do not say themselves.

    `sites` are one's own hosts, and `from_start` reads again what was read; both are for access logs.
    """

    path: Path
    stream: str | None = None
    tenant: str | None = None
    input: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    nulls: frozenset[str] = frozenset({""})
    sites: tuple[str, ...] = ()
    from_start: bool = False

    def kind(self) -> str:
        """The file's format, said or told by its name. Raises UnreadableFile, UnknownName."""
        kind = self.input or format_of(self.path)
        if kind is None:
            with opened(self.path):  # what is no file at all is told as that
                pass
            raise UnreadableFile(
                f"{self.path} does not tell its format by its name",
                hint=f"name it *{', *'.join(SUFFIXES)}, or say --input {' | '.join(READERS)}",
            )
        if kind not in READERS:
            raise UnknownName.of("input format", kind, READERS)
        return kind
