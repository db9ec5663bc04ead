"""Rollups of earlier formats brought to what they are now.

Before format 5 sets and histograms had tables of their own, before 7 sets were lists of their members.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from duckdb.func import PythonUDFType
from pyroaring import BitMap

from aforo.engines.embedded.catalog import Catalog
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.gathering import lengths_of
from aforo.engines.embedded.layout import MeasureLayout, RollupLayout, quoted
from aforo.engines.folds import Period
from aforo.states import distinct

GAPS_OF_SERIALISED = "gaps_of_serialised_set"
GAPS_OF = "gaps_of_members"
OF_MEMBERS = "sets_of_members"

PARTS = ("sums", "buckets", "sets")
"""The tables that a rollup's period had."""


def is_due(catalog: Catalog) -> bool:
    """Whether there is anything of an earlier format."""
    return OF_MEMBERS in catalog.found or any(map(_is_part, catalog.found))


def _is_part(table: str) -> bool:
    return table.startswith("rollup_") and table.endswith(tuple(f"_{part}" for part in PARTS))


def join_parts(cursor: Cursor, catalog: Catalog, layouts: Iterable[RollupLayout]) -> None:
    """Brings the rows of rollups into their one table a period, where they are not there yet."""
    have = {*filter(_is_part, catalog.found)}
    if not have:
        return
    cursor.create_function(
        GAPS_OF_SERIALISED, _gaps_of_serialised, ["BLOB"], "UINTEGER[]", type=PythonUDFType.ARROW
    )
    try:
        for layout in layouts:
            for period in (each for each in Period if _part(layout, each, "sums") in have):
                _join(cursor, layout, period)
    finally:
        cursor.remove_function(GAPS_OF_SERIALISED)


def _join(cursor: Cursor, layout: RollupLayout, period: Period) -> None:
    table = layout.table(period)
    names = ["tenant", "start", *layout.dimensions, *layout.states]
    beside, joins = {}, []
    for at, each in enumerate(layout.histograms):
        beside[each.keys], beside[each.counts] = f"b{at}.__keys", f"b{at}.__counts"
        joins.append(_beside(layout, period, "buckets", each, f"b{at}"))
    for at, each in enumerate(layout.distincts):
        beside[each.key] = f"{GAPS_OF_SERIALISED}(d{at}.__ordinals)"
        joins.append(_beside(layout, period, "sets", each, f"d{at}"))
    own = ["tenant", "start", *layout.dimensions, *(column.name for column in layout.columns)]
    given = [f"s.{name}" for name in own] + [f"coalesce({beside[each.name]}, [])" for each in layout.lists]
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} ({layout.columns_sql})")
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(given)} "
        f"FROM {quoted(_part(layout, period, 'sums'))} AS s{''.join(joins)} ORDER BY s.tenant, s.start"
    )
    for part in PARTS:
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


def _gaps_of_serialised(sets: pa.ChunkedArray) -> pa.Array:
    """The gaps in serialised Roaring bitmaps, null for a null."""
    lists = [
        None if blob is None else np.diff(BitMap.deserialize(blob).to_array(), prepend=0)
        for blob in sets.to_pylist()
    ]
    return pa.array(lists, pa.list_(pa.uint32()))


def tell_gaps(cursor: Cursor, catalog: Catalog, layouts: Iterable[RollupLayout]) -> None:
    """Has the sets of rollups tell gaps instead of members, where they do not yet."""
    if OF_MEMBERS not in catalog.found:
        return
    left = {quoted(row[0]) for row in cursor.execute(f"SELECT table_name FROM {OF_MEMBERS}").fetchall()}
    cursor.create_function(GAPS_OF, _gaps, ["UINTEGER[]"], "UINTEGER[]", type=PythonUDFType.ARROW)
    try:
        for layout in layouts:
            for table in (layout.table(period) for period in Period):
                if layout.distincts and table in left:
                    _rewrite(cursor, layout, table)
    finally:
        cursor.remove_function(GAPS_OF)
    cursor.execute(f"DROP TABLE {OF_MEMBERS}")


def _rewrite(cursor: Cursor, layout: RollupLayout, table: str) -> None:
    names = ["tenant", "start", *layout.dimensions, *layout.states]
    sets = {each.input for each in layout.distincts}
    given = [f"{GAPS_OF}({name})" if name in sets else name for name in names]
    cursor.execute(f"ALTER TABLE {table} RENAME TO of_members")
    cursor.execute(f"CREATE TABLE {table} ({layout.columns_sql})")
    cursor.execute(f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(given)} FROM of_members")
    cursor.execute("DROP TABLE of_members")


def _gaps(sets: pa.ChunkedArray) -> pa.Array:
    """The gaps in lists of members."""
    lists = sets.combine_chunks()
    bounds = np.concatenate(([0], np.cumsum(lengths_of(lists))))
    gaps = distinct.gaps(bounds, lists.flatten().to_numpy())
    return pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), pa.array(gaps))
