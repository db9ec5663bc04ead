"""The file: who may open it, the one thread that writes it, and DuckDB's errors in our words."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Condition
from typing import Any, TypeVar

import duckdb
import structlog

from aforo.clock import SystemClock
from aforo.engines.embedded import schema
from aforo.engines.embedded.touches import EVERYBODY, NOBODY, Touched, Touches, together
from aforo.engines.embedded.watch import Watch
from aforo.errors import DataInUse, DataTooNew, Stopping, StorageError, StorageFull

log = structlog.get_logger(__name__)

FILE_NAME = "events.duckdb"

CONNECTIONS = "SELECT * FROM duckdb_connection_count()"
Cursor = duckdb.DuckDBPyConnection
T = TypeVar("T")


class Companion:
    """What goes with every write transaction, on the writing thread; this one does nothing."""

    def begin(self, cursor: Cursor) -> None:
        """The transaction has begun; what is written here is a part of it."""

    def done(self) -> None:
        """It is durable."""

    def undone(self) -> None:
        """It failed, as far as can be told, and nothing else has been written since."""

    @property
    def touched(self) -> Touched:
        """Whom its own part of the transaction that is about to be durable touched."""
        return NOBODY


class Database:
    """One open file: reads on cursors of their own, every write transaction on one thread.

    Two DuckDB connections that change the same keyed row can both commit and one change is lost, so
    writing has one thread however many ask for it. A file that DuckDB gives up, as it does when it cannot
    write a checkpoint, is opened again before the next use: what was committed is in its log.
    """

    def __init__(self, directory: Path, *, memory_mb: int, threads: int) -> None:
        self.path = directory / FILE_NAME
        self._memory_limit, self._threads = f"{memory_mb}MB", str(threads)
        with spoken(self.path):
            directory.mkdir(parents=True, exist_ok=True)
        self._root = self._connected()
        self._companion = Companion()
        self.writes = 0
        """Transactions since the file was opened, counted on the writing thread."""
        self.touches = Touches()
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aforo-writer")
        # How long a statement runs is of the machine's time, whatever time the events are in.
        self._watch = Watch(SystemClock())
        self._changed = Condition()
        self._reading = 0
        self._closed = False
        self._given_up = False
        self._renewing = False
        try:
            self.write(self._prepare)
        except BaseException:
            self.close()
            raise

    def write(self, change: Callable[[Cursor], T], *, touched: Touched = EVERYBODY) -> T:
        """Runs `change` in a transaction on the writing thread; it is durable when this returns.

        `touched` tells of whom it changes what `standings` knows. Whatever `change` raises rolls all of it
        back. Raises `StorageFull`, `StorageError`.
        """
        return self.submit(change, touched=touched).result()

    def submit(self, change: Callable[[Cursor], T], *, touched: Touched = EVERYBODY) -> Future[T]:
        """As `write`, without waiting: the future is done when it is durable, or has failed."""
        with self._changed:
            self._check_open()
            return self._writer.submit(self._transact, change, touched)

    def checkpoint(self) -> None:
        """Brings the log into the file now, between two write transactions; readers go on."""
        with self._changed:
            self._check_open()
            written = self._writer.submit(self._checkpoint)
        written.result()

    def accompany(self, companion: Companion) -> None:
        """From now on every write transaction is told to a companion, which begins it."""
        self._companion = companion

    @contextmanager
    def snapshot(self, time_limit_seconds: float | None = None) -> Iterator[Cursor]:
        """A cursor whose reads all see one moment. Raises `TimeLimit` when it is held too long."""
        self._begin_reading()
        try:
            with (
                self._spoken(),
                closing(self._root.cursor()) as cursor,
                self._watch.limited(cursor, time_limit_seconds),
            ):
                cursor.begin()
                yield cursor
        finally:
            with self._changed:
                self._reading -= 1
                self._changed.notify_all()

    def file_bytes(self) -> int:
        """What the file and its log take on disk."""
        log = self.path.with_name(self.path.name + ".wal")
        return sum(path.stat().st_size for path in (self.path, log) if path.exists())

    def close(self) -> None:
        """Lets reads and the last write end, folds the log into the file and lets go of it.

        A cursor that is still read from would hold the file for good.
        """
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._reading)
        self._watch.close()
        self._writer.shutdown(wait=True)
        self._root.close()

    def _connected(self) -> Cursor:
        with spoken(self.path):
            root = duckdb.connect(
                self.path,
                config={
                    "memory_limit": self._memory_limit,
                    "threads": self._threads,
                    # Else what a large load or fold needed stays with the threads that needed it.
                    "allocator_background_threads": "true",
                },
            )
        if first_row(root, CONNECTIONS) != (1,):
            # DuckDB keeps other processes out of its file, but lets one process open it twice.
            root.close()
            raise _held_by(self.path, "this process")
        root.execute("SET TimeZone = 'UTC'")
        return root

    def _begin_reading(self) -> None:
        with self._changed:
            self._check_open()
            renewed = self._writer.submit(self._renew) if self._given_up else None
        if renewed is not None:
            renewed.result()
        with self._changed:
            self._changed.wait_for(lambda: not self._renewing)
            self._check_open()
            self._reading += 1

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        """DuckDB's errors in our words; the one after which it refuses everything is remembered."""
        try:
            with spoken(self.path):
                yield
        except Exception as error:
            if isinstance(error, duckdb.FatalException) or isinstance(error.__cause__, duckdb.FatalException):
                self._given_up = True
            raise

    def _renew(self) -> None:
        """Opens a file anew that was given up, on the writing thread, once nobody reads it any more."""
        with self._changed:
            if not self._given_up:
                return
            self._renewing = True
            self._changed.wait_for(lambda: not self._reading)
        try:
            self._root.close()
            self._root = self._connected()
            self._given_up = False
            self._count(EVERYBODY)  # what the log had of the last write is there now
        finally:
            with self._changed:
                self._renewing = False
                self._changed.notify_all()
        log.warning("the file was opened again after a failed write", path=str(self.path))

    def _check_open(self) -> None:
        if self._closed:
            raise Stopping(f"{self.path.parent} was closed", hint="ask again once it is open")

    def _transact(self, change: Callable[[Cursor], T], touched: Touched) -> T:
        self._renew()
        with self._spoken():
            try:
                self._root.begin()
                self._companion.begin(self._root)
                result = change(self._root)
                self._root.commit()
                self._count(together((touched, self._companion.touched)))
            except BaseException:
                self._count(EVERYBODY)  # one that failed at its very end may have been made all the same
                self._companion.undone()
                self._roll_back()
                raise
            self._companion.done()
            return result

    def _count(self, touched: Touched) -> None:
        """Before the companion hears of it: what is pending leaves only once it is known to be here."""
        self.writes += 1
        self.touches.touch(touched, self.writes)

    def _checkpoint(self) -> None:
        self._renew()
        with self._spoken():
            self._root.execute("CHECKPOINT")

    def _roll_back(self) -> None:
        try:
            self._root.rollback()
        except (duckdb.TransactionException, duckdb.FatalException):
            # A commit that failed has ended its transaction itself, and of a file that is given up nothing
            # is left to undo: it is opened again.
            return

    def _prepare(self, cursor: Cursor) -> None:
        cursor.execute(schema.CREATE_META)
        found = first_row(cursor, schema.FORMAT_OF_FILE)
        if found is None:
            for statement in schema.CREATE_ALL:
                cursor.execute(statement)
            cursor.execute(schema.STAMP_FORMAT, {"format": schema.FORMAT})
        elif found[0] > schema.FORMAT:
            raise DataTooNew(
                f"{self.path.parent} has format {found[0]}; this version reads up to {schema.FORMAT}",
                hint="use the newer version of aforo, or another data directory",
            )
        elif found[0] < schema.FORMAT:
            for earlier in range(found[0], schema.FORMAT):
                for statement in schema.UPGRADES[earlier]:
                    cursor.execute(statement)
            cursor.execute(schema.RAISE_FORMAT, {"format": schema.FORMAT})


def first_row(
    cursor: Cursor, sql: str, parameters: Mapping[str, object] | None = None
) -> tuple[Any, ...] | None:
    """The first row of a result that is read to its end: an unfinished one blocks its connection."""
    rows: list[tuple[Any, ...]] = cursor.execute(sql, parameters or {}).fetchall()
    return rows[0] if rows else None


def only_row(cursor: Cursor, sql: str, parameters: Mapping[str, object] | None = None) -> tuple[Any, ...]:
    """The row of an aggregate without groups, which always gives one."""
    found = first_row(cursor, sql, parameters)
    assert found is not None, "an aggregate without groups gives one row"
    return found


@contextmanager
def spoken(path: Path) -> Iterator[None]:
    """Turns what DuckDB and the file system say about the file into errors a person can act on."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        said = str(error)
        for pattern, explain in _EXPLANATIONS:
            if match := re.search(pattern, said, re.IGNORECASE):
                raise explain(path, match) from error
        raise


def _in_use(path: Path, match: re.Match[str]) -> StorageError:
    holder = re.search(r"PID (\d+)", match.string)
    return _held_by(path, f"process {holder[1]}" if holder else "another process")


def _open_here(path: Path, _match: re.Match[str]) -> StorageError:
    return _held_by(path, "this process")


def _held_by(path: Path, by: str) -> DataInUse:
    return DataInUse(
        f"{path.parent} is held by {by}",
        hint="stop it, or use another data directory (--data DIR)",
    )


def _full(path: Path, _match: re.Match[str]) -> StorageError:
    return StorageFull(
        f"the disk that holds {path.parent} is full; what was being written was rolled back",
        hint="free space and send again: what was acknowledged is kept, what is repeated counts once",
    )


def _forbidden(path: Path, match: re.Match[str]) -> StorageError:
    return StorageError(
        f"{path.parent} cannot be written: {match[0].lower()}",
        hint=f"let user {os.getuid()} write there, or use another data directory (--data DIR)",
    )


def _no_directory(path: Path, _match: re.Match[str]) -> StorageError:
    return StorageError(f"{path.parent} is no directory", hint="use another data directory (--data DIR)")


def _newer(path: Path, match: re.Match[str]) -> StorageError:
    return DataTooNew(
        f"{path} was written by a newer engine: {match.string.splitlines()[0]}",
        hint="use the newer version of aforo, or another data directory",
    )


def _damaged(path: Path, match: re.Match[str]) -> StorageError:
    return StorageError(
        f"{path} is no file of this engine, or is damaged: {match.string.splitlines()[0]}",
        hint="restore it from a copy, or use another data directory (--data DIR)",
    )


def _invalidated(path: Path, _match: re.Match[str]) -> StorageError:
    return StorageError(
        f"{path} had to be closed after a failed write; nothing acknowledged is lost",
        hint="see to the disk and send again: the file is opened anew by itself",
    )


def _too_large(path: Path, match: re.Match[str]) -> StorageError:
    return StorageError(
        f"the engine's memory does not hold what it read or wrote of {path}: {match.string.splitlines()[0]}",
        hint="give it more (engine.memory_mb) and start again; nothing acknowledged is lost",
    )


_EXPLANATIONS: tuple[tuple[str, Callable[[Path, re.Match[str]], StorageError]], ...] = (
    (r"conflicting lock|could not set lock", _in_use),
    (r"different configuration than existing connections|already attached", _open_here),
    (r"no space left|disk quota exceeded|disk full", _full),
    (r"permission denied|read-only file system|attached in read-only mode", _forbidden),
    (r"not a directory|file exists", _no_directory),
    (r"database has been invalidated", _invalidated),
    (r"out of memory", _too_large),
    (r"newer version of duckdb|version number", _newer),
    (r"not a valid duckdb|corrupt|checksum", _damaged),
)
