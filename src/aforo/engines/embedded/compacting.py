"""Compaction: the file written anew, events in the order of their time and without the room of what went.

Late events lie wherever they came, and a block that holds one has to be read for its time too. DuckDB gives
the room of deleted rows to new ones and never back to the disk. Both are mended by a new file in the place of
the old one, which stays as it is until the new one is whole.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import duckdb

from aforo.engines.embedded.database import FILE_NAME, Cursor, spoken
from aforo.engines.embedded.layout import quoted
from aforo.errors import StorageError

NEW_NAME = f"{FILE_NAME}.new"

TABLES = """
-- Every table of the old file, and the column of time it is put in order by.
SELECT t.table_name, min(c.column_name) FILTER (c.column_name IN ('time', 'start'))
FROM duckdb_tables() AS t JOIN duckdb_columns() AS c USING (database_name, table_name)
WHERE t.database_name = 'old' GROUP BY t.table_name ORDER BY t.table_name
"""


def compact(directory: Path, *, memory_mb: int, threads: int) -> tuple[int, int]:
    """Writes the file of a directory that nobody has open anew; its bytes before and after.

    Raises `DataInUse`, `StorageFull`, `StorageError`, and then the old file is still there.
    """
    path, new = directory / FILE_NAME, directory / NEW_NAME
    before = path.stat().st_size
    with spoken(path):
        clear(directory)
        with closing(duckdb.connect(config={"memory_limit": f"{memory_mb}MB", "threads": threads})) as cursor:
            cursor.execute(f"SET temp_directory = '{_literal(path)}.tmp'")
            # Held to the end, so that nobody writes what the new file would not have.
            cursor.execute(f"ATTACH '{_literal(path)}' AS old (READ_ONLY)")
            try:
                _copy(cursor, new)
                _keep(new)
                new.replace(path)
                _keep(directory)
            finally:
                clear(directory)
    return before, path.stat().st_size


def clear(directory: Path) -> None:
    """Takes away what a compaction that was killed has left, of a directory that nobody else has open."""
    for name in (NEW_NAME, f"{NEW_NAME}.wal"):
        (directory / name).unlink(missing_ok=True)


def _copy(cursor: Cursor, new: Path) -> None:
    cursor.execute(f"ATTACH '{_literal(new)}' AS new")
    cursor.execute("COPY FROM DATABASE old TO new (SCHEMA)")
    for table, time in cursor.execute(TABLES).fetchall():
        order = "" if time is None else f" ORDER BY {quoted(time)}"
        name = quoted(table)
        cursor.execute(f"INSERT INTO new.{name} SELECT * FROM old.{name}{order}")
        counts = cursor.execute(
            f"SELECT (SELECT count(*) FROM old.{name}), (SELECT count(*) FROM new.{name})"
        ).fetchall()
        if counts[0][0] != counts[0][1]:
            raise StorageError(
                f"of {counts[0][0]:,} rows of {table} {counts[0][1]:,} were copied; nothing was changed",
                hint="see to the disk and try again",
            )
    cursor.execute("CHECKPOINT new")
    cursor.execute("DETACH new")


def _keep(path: Path) -> None:
    """Has the disk hold a file, or the names in a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _literal(path: Path) -> str:
    """A path as it stands between quotes: DuckDB binds no values in ATTACH."""
    return str(path).replace("'", "''")
