"""What every keeper of files can do, and the errors it may meet.

A keeper is made for one prefix and touches nothing that does not lie below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from aforo.objects.prefix import Prefix


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was copied of a file: its length, and its SHA-256 as hexadecimal digits."""

    size_bytes: int
    sha256: str


class Objects(Protocol):
    """Files below one prefix, by their whole URIs.

    Every verb raises OutsidePrefix for a URI that does not lie below it, NoSuchObject, ObjectTooLarge before
    more than `most_bytes` came, ObjectsUnavailable where another try may go well, and else ObjectError.
    """

    @property
    def prefix(self) -> Prefix: ...

    def read(self, uri: str, most_bytes: int) -> bytes:
        """The content of a small file."""
        ...

    def fetch(self, uri: str, into: BinaryIO, most_bytes: int) -> Fetched:
        """Copies a file, piece by piece."""
        ...

    def create(self, uri: str, content: bytes | Path) -> bool:
        """Makes a file, whole and durable or not at all; False where there is one already, which stays.

        Content that is a path is copied from that file of this machine.
        """
        ...

    def exists(self, uri: str) -> bool:
        """Whether there is a file."""
        ...

    def remove(self, uri: str) -> None:
        """Takes a file away, with the folders that are empty then; nothing where there is none."""
        ...

    def unfinished(self, uri: str) -> Iterator[str]:
        """The URIs of what was left below a URI that ends in `/` by who was ended while it made a file."""
        ...

    def below(self, uri: str) -> Iterator[str]:
        """The URIs of the files below a URI that ends in `/`, in order; none where there is nothing."""
        ...
