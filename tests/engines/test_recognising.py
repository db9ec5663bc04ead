"""What looking up kept events by the numbers of their rows relies on."""

from __future__ import annotations

from pathlib import Path

from aforo.engines.embedded.database import Cursor, Database, only_row

ROWS, PURGED, EVENT = 600_000, 490_000, 500_000


def test_a_row_keeps_its_number_in_a_snapshot_whatever_is_purged_meanwhile(tmp_path: Path) -> None:
    """Law 2: an event would not be known again whose row had another number by the second statement."""
    database = Database(tmp_path, memory_mb=128, threads=1)

    def fill(cursor: Cursor) -> None:
        cursor.execute(f"CREATE TABLE kept AS SELECT range AS event FROM range({ROWS})")

    def purge(cursor: Cursor) -> None:
        cursor.execute(f"DELETE FROM kept WHERE event < {PURGED}")

    def number(cursor: Cursor) -> int:
        return int(only_row(cursor, f"SELECT rowid FROM kept WHERE event = {EVENT}")[0])

    database.write(fill)
    database.checkpoint()
    with database.snapshot() as cursor:
        before = number(cursor)
        database.write(purge)
        database.checkpoint()
        assert number(cursor) == before
        found = only_row(cursor, "SELECT event FROM kept WHERE rowid = $number", {"number": before})
        assert found == (EVENT,)
    database.write(lambda cursor: cursor.execute("INSERT INTO kept VALUES (-1)"))
    database.checkpoint()
    with database.snapshot() as cursor:
        assert number(cursor) < before, "nothing has moved, so that this shows nothing"
    database.close()
