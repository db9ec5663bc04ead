"""A rollup's weeks or months from the rows of their days (law 4), for many tenants at once.

What to merge is registered as `members`: tenant, day, and the start of the period that the day is of.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.folds import Period
from aforo.states import distinct


def merge_days(cursor: Cursor, layout: RollupLayout, members: pa.Table) -> dict[str, pa.Table]:
    """The rows of every part of the periods, with their tenants."""
    cursor.register("members", members)
    merged = {"sums": cursor.sql(_sums_sql(layout)).to_arrow_table()}
    if "buckets" in layout.parts:
        merged["buckets"] = cursor.sql(_buckets_sql(layout)).to_arrow_table()
    if "sets" in layout.parts:
        merged["sets"] = _sets(cursor, layout)
    cursor.unregister("members")
    return merged


def day_rows(cursor: Cursor, layout: RollupLayout, members: pa.Table) -> dict[tuple[str, int], int]:
    """How many rows of days each period would be merged from, by tenant and start."""
    cursor.register("members", members)
    counted = cursor.execute(
        f"""
        -- How many rows the days of each period have.
        SELECT d.tenant, epoch_us(m.__start), count(*) {_days_sql(layout, "sums")} GROUP BY ALL
        """
    ).fetchall()
    cursor.unregister("members")
    return {(tenant, start): rows for tenant, start, rows in counted}


def _days_sql(layout: RollupLayout, part: str) -> str:
    return f"""
        FROM {layout.table(Period.DAY, part)} AS d
        JOIN members AS m ON m.__tenant = d.tenant AND m.__day = d.start
        WHERE d.start >= (SELECT min(__day) FROM members) AND d.start <= (SELECT max(__day) FROM members)
    """


def _group(layout: RollupLayout) -> str:
    return ", ".join(("d.tenant", "m.__start AS start", *(f"d.{name}" for name in layout.dimensions)))


def _sums_sql(layout: RollupLayout) -> str:
    states = "".join(f", {column.merge} AS {column.name}" for column in layout.columns)
    return f"""
        -- A period's counts, sums and extremes are the merge of its days'.
        SELECT {_group(layout)}{states} {_days_sql(layout, "sums")} GROUP BY ALL ORDER BY d.tenant, m.__start
    """


def _buckets_sql(layout: RollupLayout) -> str:
    return f"""
        -- A period's histograms are the sums of its days', bucket by bucket.
        WITH counted AS (
            SELECT {_group(layout)}, __measure, unnest(__keys) AS __key, unnest(__counts) AS __count
            {_days_sql(layout, "buckets")}
        ), merged AS (
            SELECT * EXCLUDE (__count), sum(__count)::BIGINT AS __count FROM counted GROUP BY ALL
        )
        SELECT * EXCLUDE (__key, __count), list(__key) AS __keys, list(__count) AS __counts
        FROM merged GROUP BY ALL ORDER BY tenant, start
    """


def _sets(cursor: Cursor, layout: RollupLayout) -> pa.Table:
    """The unions of the days' sets: all are decoded, grouped and encoded at once."""
    days = cursor.sql(
        f"""
        -- The sets of the days of the periods.
        SELECT {_group(layout)}, __measure, __ordinals {_days_sql(layout, "sets")}
        ORDER BY d.tenant, m.__start
        """
    ).to_arrow_table()
    numbered = days.drop_columns(["__ordinals"]).append_column("__row", pa.array(np.arange(days.num_rows)))
    cursor.register("day_sets", numbered)
    groups = cursor.sql(
        """
        -- Which rows of days make up each period's set.
        SELECT * EXCLUDE (__row), list(__row) AS __members FROM day_sets GROUP BY ALL ORDER BY tenant, start
        """
    ).to_arrow_table()
    cursor.unregister("day_sets")
    members = groups["__members"].combine_chunks()
    group_of = np.empty(days.num_rows, np.int64)
    group_of[members.flatten().to_numpy(zero_copy_only=False)] = np.repeat(
        np.arange(groups.num_rows), members.value_lengths().to_numpy(zero_copy_only=False)
    )
    rows, ordinals = distinct.decode(days["__ordinals"])
    encoded = distinct.encode(group_of[rows], ordinals, groups.num_rows)
    return groups.drop_columns(["__members"]).append_column("__ordinals", encoded)
