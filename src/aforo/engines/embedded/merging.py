"""A rollup's weeks or months from the rows of their days (law 4), for many tenants at once.

What to merge is given as `members`: tenant, day, and the start of the period that the day is of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.embedded import gathering
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.embedded.sparing import Spared, spare
from aforo.engines.folds import Period


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows there are, and how many members their sets and histograms have together."""

    rows: int = 0
    members: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.rows + other.rows, self.members + other.members)


def merge_days(cursor: Cursor, layout: RollupLayout, members: pa.Table) -> Spared:
    """The rows of the periods, with their tenants, but for sets that are not worth keeping."""
    names = "".join(f", d.{name}" for name in (*layout.dimensions, *layout.states))
    with _given(cursor, members) as span:
        days = cursor.sql(
            f"""
            -- The rows of the days of each period.
            SELECT d.tenant, d.start{names} {_days_sql(layout)}
            """,
            params=span,
        ).to_arrow_table()
        days = days.set_column(1, "start", _starts(cursor, days))
    [merged] = gathering.merge(cursor, [gathering.Parts(layout, [days])])
    return spare(layout, days, merged)


def day_sizes(cursor: Cursor, layout: RollupLayout, members: pa.Table) -> dict[tuple[str, int], Size]:
    """How much there is to read of each day of the periods, by tenant and start."""
    lengths = "".join(f" + len(d.{column.name})" for column in layout.lists)
    with _given(cursor, members) as span:
        counted = cursor.execute(
            f"""
            -- How many rows each day of these periods has, and how many members these.
            SELECT d.tenant, epoch_us(d.start), count(*), sum(0{lengths})::BIGINT
            {_days_sql(layout)} GROUP BY ALL
            """,
            span,
        ).fetchall()
    return {(tenant, day): Size(rows, held) for tenant, day, rows, held in counted}


@contextmanager
def _given(cursor: Cursor, members: pa.Table) -> Iterator[dict[str, object]]:
    """Lets SQL name the members; their first and last day as parameters."""
    cursor.register("members", members)
    span = pc.min_max(members["__day"]).as_py()
    yield {"first": span["min"], "last": span["max"]}
    cursor.unregister("members")


def _days_sql(layout: RollupLayout) -> str:
    """Of a join DuckDB might hold the side of the days in memory, with all their sets; of this it cannot."""
    return f"""
        FROM {layout.table(Period.DAY)} AS d
        SEMI JOIN members AS m ON m.__tenant = d.tenant AND m.__day = d.start
        WHERE d.start BETWEEN $first AND $last
    """


def _starts(cursor: Cursor, days: pa.Table) -> pa.ChunkedArray:
    """Where the period begins that each row of a day is of."""
    cursor.register("day_rows", gathering.numbered(days.select(["tenant", "start"])))
    starts = cursor.sql(
        f"""
        -- Of which period each row of a day is.
        SELECT m.__start AS start FROM day_rows AS d
        JOIN members AS m ON m.__tenant = d.tenant AND m.__day = d.start ORDER BY d.{gathering.ROW}
        """
    ).to_arrow_table()["start"]
    cursor.unregister("day_rows")
    return starts
