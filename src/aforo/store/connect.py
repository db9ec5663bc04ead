"""The database of the control state: opened, brought to the newest schema, read and written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from aforo.errors import InvalidSettings, StoreUnavailable
from aforo.store.database import Database
from aforo.store.migrate import bring_up
from aforo.store.postgres import Postgres
from aforo.store.sqlite import SqliteFile, file_of

FILE_NAME = "control.db"
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


class Store:
    """A file of SQLite, or a PostgreSQL database, from any thread and beside other processes.

    A table is written in blocks of one kind, `writing` or `working`, and never of both: neither waits for
    the other on PostgreSQL. Only the audit, which is added to and never changed, may be written in both.
    """

    def __init__(self, directory: Path, url: str | None = None) -> None:
        """`url` names a database elsewhere. Raises InvalidSettings, StorageError, DataTooNew."""
        self._database = _database_of(directory, url)
        self._doors = self._database.open()
        try:
            with self._spoken():
                bring_up(self._doors, self.place)
        except BaseException:
            self.close()
            raise

    @property
    def place(self) -> str:
        """Where it is, as people are told it: the file's path, or a URL without its password."""
        return self._database.place

    @property
    def path(self) -> Path | None:
        """The file, None where it is a PostgreSQL."""
        return self._database.path

    def version(self) -> str:
        """The name and version of the database, as it answers now. Raises StorageError."""
        with self.reading() as connection:
            dialect = connection.dialect
            numbers = dialect.server_version_info or ()
            return f"{_NAMES[dialect.name]} {'.'.join(map(str, numbers))}"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one moment and cannot write on PostgreSQL. Raises StorageError."""
        with self._transaction(self._doors.reading) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other of this kind is beside, for small and rare writes.

        Durable when the block ends, gone if it raises. What it has read stays true until it ends. Raises
        StorageFull, and StoreUnavailable after which the whole block may be done again: where the connection
        was lost while it ended, what it wrote is kept or gone as a whole.
        """
        with self._transaction(self._doors.writing) as connection:
            yield connection

    @contextmanager
    def working(self) -> Iterator[Connection]:
        """A transaction beside others of its kind, for what many processes do many times a second.

        On PostgreSQL nothing is locked but the rows it writes, or reads by `with_for_update`, and each
        statement sees what is committed by then (READ COMMITTED): what must not be there twice is kept out by
        a unique constraint, and rows are locked in one order everywhere. On SQLite it is as `writing`.
        Durable, and raises, as `writing`; of two that wait for each other one raises StoreUnavailable.
        """
        with self._transaction(self._doors.working) as connection:
            yield connection

    def close(self) -> None:
        """Lets go of the file, or of the connections."""
        self._doors.close()

    @contextmanager
    def _transaction(self, door: Engine) -> Iterator[Connection]:
        with self._spoken(), door.begin() as connection:
            yield connection

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        """Turns what the database says into errors a person can act on."""
        try:
            yield
        except DBAPIError as error:
            told = self._database.told(error)
            if told is None:
                raise
            raise told from error
        except NoneFree as error:
            raise StoreUnavailable(
                f"all connections of this process to {self.place} are in use", hint="ask again"
            ) from error


def _database_of(directory: Path, url: str | None) -> Database:
    if url is None:
        return SqliteFile(directory / FILE_NAME)
    try:
        read = make_url(url)
        backend = read.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise InvalidSettings(
            "store is no URL of a database",
            hint="for example sqlite:////var/lib/aforo/control.db or postgresql://aforo@db.example/aforo",
        ) from error
    return Postgres(read) if backend == "postgresql" else file_of(read)
