"""The tables that a file has, read once: what is there already need not be made."""

from __future__ import annotations

from aforo.engines.embedded.database import Cursor

TABLES = """
-- Every table of the file; the information schema takes longer, and the columns of all twice as long.
SELECT table_name FROM duckdb_tables()
"""


class Catalog:
    """What a transaction found at its beginning, and has made since; tables are named without quotes."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self.found = frozenset(name for (name,) in cursor.execute(TABLES).fetchall())
        self._made: set[str] = set()

    def make(self, table: str, create: str) -> None:
        """Makes a table where there is none."""
        if table not in self.found and table not in self._made:
            self._cursor.execute(create)
            self._made.add(table)

    def is_new(self, table: str) -> bool:
        """Whether the table was made just now, and so has no rows."""
        return table in self._made
