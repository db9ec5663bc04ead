"""The database of the control state: opened, brought to the newest schema, read and written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from aforo.errors import InvalidSettings, StorageError, StorageFull
from aforo.store.migrate import bring_up

FILE_NAME = "control.db"
BUSY_TIMEOUT_SECONDS = 10.0
BEGIN = "aforo_begin"


class Store:
    """One SQLite file in WAL mode, from any thread and beside other processes."""

    def __init__(self, directory: Path, url: str | None = None) -> None:
        """`url` names a database elsewhere. Raises InvalidSettings, StorageError, DataTooNew."""
        self.path = directory / FILE_NAME if url is None else _path_of(url)
        with spoken(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Hashes of keys are nobody's business; the files beside it take over its mode.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        self._engine = _engine(self.path)
        try:
            with spoken(self.path):
                bring_up(self._engine, self.path)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one moment. Raises StorageError."""
        with spoken(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer is beside; durable when the block ends, gone if it raises.

        Raises StorageError, StorageFull.
        """
        with spoken(self.path), self._engine.connect() as connection:
            connection.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Lets go of the file."""
        self._engine.dispose()


def _path_of(url: str) -> Path:
    try:
        read = make_url(url)
    except ArgumentError as error:
        raise InvalidSettings(
            "store is no URL of a database", hint="for example sqlite:////var/lib/aforo/control.db"
        ) from error
    if read.get_backend_name() == "postgresql":
        raise InvalidSettings(
            "store names a PostgreSQL database, and that is not built yet",
            hint="leave it out to keep control.db in the data directory, or name a file: sqlite:///PATH",
        )
    if read.get_backend_name() != "sqlite" or read.database in (None, "", ":memory:") or read.query:
        raise InvalidSettings(
            f"store names no file of SQLite: {read.render_as_string(hide_password=True)}",
            hint="for example sqlite:////var/lib/aforo/control.db (four strokes for a path from the root)",
        )
    return Path(str(read.database))


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "isolation_level": None, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: object, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        for statement in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
        ):
            cursor.execute(f"PRAGMA {statement}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver would begin when it sees fit, and not before reads.
        connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN"))

    return engine


@contextmanager
def spoken(path: Path) -> Iterator[None]:
    """Turns what the database and the file system say into errors a person can act on."""
    try:
        yield
    except OperationalError as error:
        raise _told(path, str(error.orig)) from error
    except DBAPIError as error:
        if error.orig is not None and "not a database" in str(error.orig):
            raise _told(path, str(error.orig)) from error
        raise
    except OSError as error:
        raise _told(path, error.strerror or str(error)) from error


def _told(path: Path, said: str) -> StorageError:
    words = said.casefold()
    if "full" in words or "no space" in words:
        return StorageFull(
            f"the disk that holds {path} is full; what was being written was rolled back",
            hint="free space and ask again",
        )
    if "locked" in words or "busy" in words:
        return StorageError(
            f"{path} was held by another writer for {BUSY_TIMEOUT_SECONDS:g} s", hint="ask again"
        )
    if "not a database" in words or "malformed" in words:
        return StorageError(f"{path} is no database, or is damaged", hint="restore it from a copy")
    return StorageError(f"{path} cannot be used: {said}", hint="see to the file and its folder")
