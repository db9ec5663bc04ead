"""Rollups of formats before 5, whose sets and histograms had tables of their own, put into one table."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from duckdb.func import PythonUDFType
from pyroaring import BitMap

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import MeasureLayout, RollupLayout, quoted
from aforo.engines.folds import Period

MEMBERS_OF = "members_of_serialised_set"

PARTS = """
-- Tables of the three parts that a rollup's period had.
SELECT table_name FROM information_schema.tables
WHERE starts_with(table_name, 'rollup_') AND regexp_matches(table_name, '_(sums|buckets|sets)$')
"""


def join_parts(cursor: Cursor, layouts: Iterable[RollupLayout]) -> None:
    """Brings the rows of rollups into their one table a period, where they are not there yet."""
    have = {row[0] for row in cursor.execute(PARTS).fetchall()}
    if not have:
        return
    cursor.create_function(MEMBERS_OF, _members, ["BLOB"], "UINTEGER[]", type=PythonUDFType.ARROW)
    try:
        for layout in layouts:
            for period in (each for each in Period if _part(layout, each, "sums") in have):
                _join(cursor, layout, period)
    finally:
        cursor.remove_function(MEMBERS_OF)


def _join(cursor: Cursor, layout: RollupLayout, period: Period) -> None:
    table = layout.table(period)
    names = ["tenant", "start", *layout.dimensions, *layout.states]
    beside, joins = {}, []
    for at, each in enumerate(layout.histograms):
        beside[each.keys], beside[each.counts] = f"b{at}.__keys", f"b{at}.__counts"
        joins.append(_beside(layout, period, "buckets", each, f"b{at}"))
    for at, each in enumerate(layout.distincts):
        beside[each.key] = f"{MEMBERS_OF}(d{at}.__ordinals)"
        joins.append(_beside(layout, period, "sets", each, f"d{at}"))
    own = ["tenant", "start", *layout.dimensions, *(column.name for column in layout.columns)]
    given = [f"s.{name}" for name in own] + [f"coalesce({beside[each.name]}, [])" for each in layout.lists]
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} ({layout.columns_sql})")
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(given)} "
        f"FROM {quoted(_part(layout, period, 'sums'))} AS s{''.join(joins)} ORDER BY s.tenant, s.start"
    )
    for part in ("sums", "buckets", "sets"):
        cursor.execute(f"DROP TABLE IF EXISTS {quoted(_part(layout, period, part))}")


def _part(layout: RollupLayout, period: Period, part: str) -> str:
    return f"rollup_{layout.hash}_{period}_{part}"


def _beside(layout: RollupLayout, period: Period, part: str, measure: MeasureLayout, name: str) -> str:
    """The rows of a measure's histograms or sets beside those of the numbers."""
    same = "".join(f" AND {name}.{each} IS NOT DISTINCT FROM s.{each}" for each in layout.dimensions)
    return (
        f" LEFT JOIN {quoted(_part(layout, period, part))} AS {name} ON {name}.tenant = s.tenant "
        f"AND {name}.start = s.start{same} AND {name}.__measure = '{measure.key}'"
    )


def _members(sets: pa.Array) -> pa.Array:
    """The members of serialised Roaring bitmaps, null for a null."""
    lists = [None if blob is None else BitMap.deserialize(blob).to_array() for blob in sets.to_pylist()]
    return pa.array(lists, pa.list_(pa.uint32()))
