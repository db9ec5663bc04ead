"""The store in one SQLite file, beside other threads and processes of this machine."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from aforo.errors import InvalidSettings, StorageError, StorageFull, StoreUnavailable
from aforo.store.database import Doors

BUSY_TIMEOUT_SECONDS = 10.0
BEGIN = "aforo_begin"
PRAGMAS = ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON")
MOST_TURNS = 100
"""How often other processes may be before one that turns a new file to WAL."""


class SqliteFile:
    """A file in WAL mode, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = str(path)

    def open(self) -> Doors:
        """The file, made where there is none. Writers begin by taking its one lock. Raises StorageError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Hashes of keys are nobody's business; the files beside it take over its mode. A file that is
            # there is not opened: to close it would let go of every lock that this process has on it.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise self._fault(error.strerror or str(error)) from error
        engine = create_engine(
            URL.create("sqlite", database=str(self.path)),
            connect_args={
                "timeout": BUSY_TIMEOUT_SECONDS,
                "isolation_level": None,
                "check_same_thread": False,
            },
            hide_parameters=True,
        )
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        writing = engine.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
        return Doors(reading=engine, writing=writing, working=writing, migrating=writing)

    def told(self, error: DBAPIError) -> StorageError | None:
        """What SQLite said; only faults of the file and the disk are told."""
        said = str(error.orig)
        if isinstance(error, OperationalError) or "not a database" in said:
            return self._fault(said)
        return None

    def _fault(self, said: str) -> StorageError:
        words = said.casefold()
        if "full" in words or "no space" in words:
            return StorageFull(
                f"the disk that holds {self.place} is full; what was being written was rolled back",
                hint="free space and ask again",
            )
        if "locked" in words or "busy" in words:
            return StoreUnavailable(
                f"{self.place} was held by another writer for {BUSY_TIMEOUT_SECONDS:g} s", hint="ask again"
            )
        if "not a database" in words or "malformed" in words:
            return StorageError(f"{self.place} is no database, or is damaged", hint="restore it from a copy")
        return StorageError(f"{self.place} cannot be used: {said}", hint="see to the file and its folder")


def file_of(url: URL) -> SqliteFile:
    """The file that a URL names. Raises InvalidSettings."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:") or url.query:
        raise InvalidSettings(
            f"store names no file of SQLite: {url.render_as_string(hide_password=True)}",
            hint="for example sqlite:////var/lib/aforo/control.db (four strokes for a path from the root)",
        )
    return SqliteFile(Path(str(url.database)))


def _prepare(connection: object, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    _keep_a_log(cursor)
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _keep_a_log(cursor: sqlite3.Cursor) -> None:
    """Turns the file to WAL, once for all. SQLite waits for nobody with that, but for a lock it does."""
    for _ in range(MOST_TURNS):
        if cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",):
            return
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("COMMIT")
    raise sqlite3.OperationalError("database is locked")


def _begin(connection: Connection) -> None:
    # The driver would begin when it sees fit, and not before reads.
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN"))
