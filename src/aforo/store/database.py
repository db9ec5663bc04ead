"""What each kind of database does in its own way, for the store that is the same over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from aforo.errors import AforoError


@dataclass(frozen=True, slots=True)
class Doors:
    """Ways into one pool of connections, by how their transactions begin; `Store` says what each promises."""

    reading: Engine
    writing: Engine
    working: Engine
    migrating: Engine  # as writing, and may take long

    def close(self) -> None:
        """Lets go of all connections that are not in use."""
        self.reading.dispose()


class Database(Protocol):
    """A file of SQLite, or a PostgreSQL elsewhere."""

    @property
    def place(self) -> str:
        """What people are told it is: never with a password."""
        ...

    @property
    def path(self) -> Path | None:
        """The file, where it is one of this machine."""
        ...

    def open(self) -> Doors:
        """The ways into it. Raises InvalidSettings, StorageError."""
        ...

    def told(self, error: DBAPIError) -> AforoError | None:
        """What went wrong as a person can act on it; None where that is a fault of this program."""
        ...
