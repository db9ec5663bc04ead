"""Sets and histograms of many groups at once, from the events or the rows that each group is made of.

SQL says which rows go together and adds up their numbers. The lists of all groups are sorted here in one go,
in a fraction of the time that it takes as SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import MeasureLayout, RollupLayout, StateColumn
from aforo.states import distinct, histogram

Numbers = npt.NDArray[np.int64]
Values = npt.NDArray[np.integer]

ROW = "__row"
MEMBERS = "__members"
OF = "__of"

NOBODY = -1
"""The group of a row that is of none."""


def numbered(rows: pa.Table) -> pa.Table:
    """The rows with their numbers, as `MEMBERS` names them."""
    return rows.append_column(ROW, pa.array(np.arange(rows.num_rows)))


@dataclass(frozen=True, slots=True)
class Parts:
    """Tables of a rollup's rows that are to be merged."""

    layout: RollupLayout
    tables: Sequence[pa.Table]

    @property
    def rows(self) -> int:
        return sum(table.num_rows for table in self.tables)

    @property
    def bytes(self) -> int:
        return sum(table.nbytes for table in self.tables)

    @property
    def several(self) -> bool:
        return len(self.tables) > 1


class Abreast:
    """Rollups whose rows one statement groups; which are whose, a number in the column `OF` tells."""

    def __init__(
        self, layouts: Sequence[RollupLayout], keys: Sequence[str], state: Callable[[StateColumn], str]
    ) -> None:
        self._keys = keys
        self.dimensions = list(dict.fromkeys(name for each in layouts for name in each.dimensions))
        self._states = {column.name: state(column) for each in layouts for column in each.columns}

    @property
    def sql(self) -> str:
        """What is selected: keys, splits, numbers, and the rows that make up each group."""
        states = (f"{state} AS {name}" for name, state in self._states.items())
        return ", ".join((*self._keys, *self.dimensions, *states, f"list({ROW}) AS {MEMBERS}"))

    def of(self, groups: pa.Table, layout: RollupLayout, number: int) -> pa.Table:
        """The groups of one rollup, with its columns; all are in order of `OF`."""
        first, end = groups[OF].to_numpy().searchsorted((number, number + 1)).tolist()
        names = [*self._keys, *self.dimensions, *self._states]
        wanted = (*self._keys, *layout.dimensions, *(column.name for column in layout.columns))
        return groups.select([*map(names.index, wanted), len(names)]).slice(first, end - first)


def merge(cursor: Cursor, asked: Sequence[Parts]) -> list[pa.Table]:
    """The merge (law 4) of the rows of one tenant, start and split, of all tables together, for each asked.

    One statement groups them all: where rows are few, planning it takes most of the time.
    """
    if not asked:
        return []
    abreast = Abreast([each.layout for each in asked], ("tenant", "start"), lambda column: column.merge)
    by = ", ".join((OF, "tenant", "start"))
    cursor.register("parts", numbered(_numbers(asked)))
    groups = cursor.sql(
        f"""
        -- Counts, sums and extremes, merged, and which rows make up each group.
        SELECT {abreast.sql}, {OF} FROM parts GROUP BY {", ".join((by, *abreast.dimensions))} ORDER BY {by}
        """
    ).to_arrow_table()
    cursor.unregister("parts")
    found, first = [], 0
    for number, each in enumerate(asked):
        found.append(_with_lists(each, abreast.of(groups, each.layout, number), first))
        first += each.rows
    return found


def _numbers(asked: Sequence[Parts]) -> pa.Table:
    """The rows of all without their lists; what some do not have is null there."""
    tables = [
        table.drop_columns([column.name for column in each.layout.lists]).append_column(
            OF, pa.repeat(pa.scalar(number, pa.int32()), table.num_rows)
        )
        for number, each in enumerate(asked)
        for table in each.tables
    ]
    return pa.concat_tables(tables, promote_options="default")


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


def _with_lists(asked: Parts, groups: pa.Table, first: int) -> pa.Table:
    """The merged rows with their sets and histograms; the first of the rows they are made of has a number."""
    layout, parts = asked.layout, asked.tables
    group_of = _group_of(groups, asked.rows, first)
    rows = groups.drop_columns([MEMBERS])
    for each in layout.distincts:
        rows = _with_set(rows, each, _repeated(parts, each.key, group_of), members_of(parts, each.key))
    for each in layout.histograms:
        of, keys = _repeated(parts, each.keys, group_of), flat(parts, each.keys)
        rows = _with_histogram(rows, each, of, keys, flat(parts, each.counts))
    return rows


def _group_of(groups: pa.Table, rows: int, first: int = 0) -> Numbers:
    """The group of each of some rows, which are numbered from the first on."""
    members = groups[MEMBERS].combine_chunks()
    group_of = np.full(rows, NOBODY)
    group_of[members.flatten().to_numpy() - first] = np.repeat(
        np.arange(groups.num_rows), lengths_of(members)
    )
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
