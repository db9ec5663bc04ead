"""A rollup's weeks or months from the rows of their days (law 4), for many tenants at once.

What to merge is registered as `members`: tenant, day, and the start of the period that the day is of.
"""

from __future__ import annotations

import pyarrow as pa

from aforo.engines.embedded import gathering
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.embedded.sparing import Spared, spare
from aforo.engines.folds import Period


def merge_days(cursor: Cursor, layout: RollupLayout, members: pa.Table) -> Spared:
    """The rows of the periods, with their tenants, but for sets that are not worth keeping."""
    cursor.register("members", members)
    names = "".join(f", d.{name}" for name in (*layout.dimensions, *layout.states))
    days = cursor.sql(
        f"""
        -- The rows of the days of each period.
        SELECT d.tenant, m.__start AS start{names} {_days_sql(layout)}
        """
    ).to_arrow_table()
    cursor.unregister("members")
    return spare(layout, days, gathering.merge(cursor, layout, [days]))


def day_rows(cursor: Cursor, layout: RollupLayout, members: pa.Table) -> dict[tuple[str, int], int]:
    """How many rows of days each period would be merged from, by tenant and start."""
    cursor.register("members", members)
    counted = cursor.execute(
        f"""
        -- How many rows the days of each period have.
        SELECT d.tenant, epoch_us(m.__start), count(*) {_days_sql(layout)} GROUP BY ALL
        """
    ).fetchall()
    cursor.unregister("members")
    return {(tenant, start): rows for tenant, start, rows in counted}


def _days_sql(layout: RollupLayout) -> str:
    return f"""
        FROM {layout.table(Period.DAY)} AS d
        JOIN members AS m ON m.__tenant = d.tenant AND m.__day = d.start
        WHERE d.start >= (SELECT min(__day) FROM members) AND d.start <= (SELECT max(__day) FROM members)
    """
