"""Sets and histograms of many groups at once, from the events or the rows that each group is made of.

SQL says which rows go together and adds up their numbers. The lists of all groups are sorted here in one go,
in a fraction of the time that it takes as SQL.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import MeasureLayout, RollupLayout
from aforo.states import distinct, histogram

Numbers = npt.NDArray[np.int64]
Values = npt.NDArray[np.integer]

ROW = "__row"
MEMBERS = "__members"

NOBODY = -1
"""The group of a row that is of none."""


def numbered(rows: pa.Table, first: int = 0) -> pa.Table:
    """The rows with their numbers, from `first` on, as `MEMBERS` names them."""
    return rows.append_column(ROW, pa.array(np.arange(first, first + rows.num_rows)))


def merge(cursor: Cursor, layout: RollupLayout, parts: Sequence[pa.Table]) -> pa.Table:
    """The merge (law 4) of a rollup's rows of one tenant, start and split, of all parts together."""
    lists = [column.name for column in layout.lists]
    selects, first = [], 0
    names = ", ".join(("tenant", "start", *layout.dimensions, *(each.name for each in layout.columns), ROW))
    for at, part in enumerate(parts):
        cursor.register(f"part_{at}", numbered(part.drop_columns(lists), first))
        selects.append(f"SELECT {names} FROM part_{at}")
        first += part.num_rows
    dimensions = "".join(f", {name}" for name in layout.dimensions)
    merged = "".join(f", {column.merge} AS {column.name}" for column in layout.columns)
    groups = cursor.sql(
        f"""
        -- Counts, sums and extremes, merged, and which rows make up each group.
        SELECT tenant, start{dimensions}{merged}, list({ROW}) AS {MEMBERS}
        FROM ({" UNION ALL ".join(selects)})
        GROUP BY tenant, start{dimensions} ORDER BY tenant, start
        """
    ).to_arrow_table()
    for at in range(len(parts)):
        cursor.unregister(f"part_{at}")
    return _with_lists(layout, groups, parts)


def of_events(layout: RollupLayout, groups: pa.Table, events: pa.Table) -> pa.Table:
    """Groups of numbered events with the sets and histograms of what the events give to each measure."""
    group_of = _group_of(groups, events.num_rows)
    rows = groups.drop_columns([MEMBERS])
    for each in layout.distincts:
        of, ordinals = _given(events[each.key], group_of)
        rows = _with_set(rows, each, of, ordinals)
    for each in layout.histograms:
        of, keys = _given(events[each.key], group_of)
        rows = _with_histogram(rows, each, of, keys, np.ones(len(keys), np.int64))
    return rows


def _with_lists(layout: RollupLayout, groups: pa.Table, parts: Sequence[pa.Table]) -> pa.Table:
    group_of = _group_of(groups, sum(part.num_rows for part in parts))
    rows = groups.drop_columns([MEMBERS])
    for each in layout.distincts:
        rows = _with_set(rows, each, _repeated(parts, each.key, group_of), members_of(parts, each.key))
    for each in layout.histograms:
        of, keys = _repeated(parts, each.keys, group_of), flat(parts, each.keys)
        rows = _with_histogram(rows, each, of, keys, flat(parts, each.counts))
    return rows


def _group_of(groups: pa.Table, rows: int) -> Numbers:
    """The group of each of the numbered rows."""
    members = groups[MEMBERS].combine_chunks()
    group_of = np.full(rows, NOBODY)
    group_of[members.flatten().to_numpy()] = np.repeat(np.arange(groups.num_rows), lengths_of(members))
    return group_of


def _given(values: pa.ChunkedArray, group_of: Numbers) -> tuple[Numbers, Values]:
    """The values that there are of rows in a group, with that group."""
    there = values.is_valid().to_numpy() & (group_of > NOBODY)
    return group_of[there], values.fill_null(0).to_numpy()[there]


def _repeated(parts: Sequence[pa.Table], column: str, group_of: Numbers) -> Numbers:
    """The group of each number in the lists of a column."""
    return np.repeat(group_of, _lengths(parts, column))


def flat(parts: Sequence[pa.Table], column: str) -> Values:
    """The numbers in the lists of a column, one after another."""
    found = [chunk.flatten().to_numpy() for part in parts for chunk in part[column].chunks]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def members_of(parts: Sequence[pa.Table], column: str) -> Values:
    """The members of the kept sets of a column, one after another."""
    return distinct.members(_lengths(parts, column), flat(parts, column).astype(np.uint32, copy=False))


def _lengths(parts: Sequence[pa.Table], column: str) -> Numbers:
    found = [lengths_of(chunk) for part in parts for chunk in part[column].chunks]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def lengths_of(lists: pa.ListArray) -> Numbers:
    return np.asarray(lists.value_lengths().to_numpy(zero_copy_only=False), np.int64)


def _with_set(rows: pa.Table, measure: MeasureLayout, of: Numbers, ordinals: Values) -> pa.Table:
    bounds, members = distinct.grouped(of, ordinals, rows.num_rows)
    return _with_column(rows, measure.key, bounds, pa.array(distinct.gaps(bounds, members), pa.uint32()))


def _with_histogram(
    rows: pa.Table, measure: MeasureLayout, of: Numbers, keys: Values, counts: Values
) -> pa.Table:
    bounds, own, many = histogram.added(
        of, keys.astype(np.int32, copy=False), counts.astype(np.int64, copy=False), rows.num_rows
    )
    rows = _with_column(rows, measure.keys, bounds, pa.array(own, pa.int32()))
    return _with_column(rows, measure.counts, bounds, pa.array(many, pa.int64()))


def _with_column(rows: pa.Table, name: str, bounds: Numbers, values: pa.Array) -> pa.Table:
    return rows.append_column(name, pa.LargeListArray.from_arrays(pa.array(bounds), values))
