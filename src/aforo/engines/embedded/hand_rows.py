"""Rows of a rollup as they lie in memory: numbers, sets and histograms by row, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.gathering import lengths_of
from aforo.engines.embedded.layout import ListColumn, MeasureLayout, RollupLayout, quoted
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.periods import Times
from aforo.engines.embedded.versions import Stretch
from aforo.engines.folds import Period
from aforo.model.measure import MeasureKind
from aforo.states import distinct

Column: TypeAlias = npt.NDArray[Any]
Codes: TypeAlias = npt.NDArray[np.int32]

MOST_ROWS = 2**17
"""Of one period of one tenant; more of them are left to the file."""

ADDABLE = 2**45
"""Below it as many as `MOST_ROWS` add up within 64 bits; larger numbers are added one by one."""

OBJECT_BYTES = 64
"""About what an object takes beside its contents."""


class Values:
    """What a dimension's values are, by the code that rows hold; there are only ever more of them."""

    def __init__(self) -> None:
        self.all: list[object] = []
        self._codes: dict[object, int] = {}
        self.size_bytes = 0

    def codes(self, column: pa.ChunkedArray) -> Codes:
        """The code of each value of a column."""
        encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
        own = np.array([self._code(value) for value in encoded.dictionary.to_pylist()], np.int32)
        codes: Codes = own[encoded.indices.to_numpy(zero_copy_only=False)]
        return codes

    def _code(self, value: object) -> int:
        code = self._codes.setdefault(value, len(self.all))
        if code == len(self.all):
            self.all.append(value)
            self.size_bytes += 2 * OBJECT_BYTES + (len(value) if isinstance(value, str) else 0)
        return code


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a period that begin in `[first, last)`, in the versions that `of` tells.

    `columns` are by name: of a set one `BitMap` a row, of a histogram its keys and counts. Of a list's part
    there are only rows with something in the list. `sql` is what they were read with.
    """

    first: int
    last: int
    of: Stretch
    starts: Times
    codes: tuple[Codes, ...]
    columns: Mapping[str, Column]
    sql: str
    size_bytes: int

    def changed(self, now: Stretch, first: int, last: int) -> Stretch | None:
        """What of `[first, last)` has another version now; None where not all of that is here."""
        if first < self.first or last > self.last:
            return None
        return now.within(first, last).unlike(self.of.within(first, last))

    def with_newer(self, newer: Rows) -> Rows:
        """With newer rows in the place of all it has of the starts that those tell versions of."""
        stays = ~np.isin(self.starts, newer.of.starts)
        starts = np.concatenate((self.starts[stays], newer.starts))
        order = np.argsort(starts, kind="stable")

        def put(own: Column, others: Column) -> Column:
            return np.concatenate((own[stays], others))[order]

        columns = {name: put(own, newer.columns[name]) for name, own in self.columns.items()}
        return Rows(
            self.first,
            self.last,
            self.of.replaced(newer.of),
            starts[order],
            tuple(put(own, others) for own, others in zip(self.codes, newer.codes, strict=True)),
            columns,
            self.sql,
            _size(starts, columns),
        )


@dataclass(frozen=True, slots=True)
class Part:
    """The columns of a rollup's rows that are read together: one measure's lists, or all that are none."""

    layout: RollupLayout
    period: Period
    measure: MeasureLayout | None

    @property
    def name(self) -> str:
        """The same for every period: of the numbers it is empty."""
        return "" if self.measure is None else self.measure.key

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns as the table has them."""
        if self.measure is None:
            return tuple(column.name for column in self.layout.columns)
        return tuple(quoted(column.name) for column in self.measure.lists)

    def select(self, *, some: bool) -> str:
        """The rows of a stretch of time, in order; of some starts only, which `$starts` names."""
        columns = "".join(f", {name}" for name in (*self.layout.dimensions, *self.columns))
        filled = "" if self.measure is None else f" AND len({self.columns[0]}) > 0"
        of_some = " AND list_contains($starts, start)" if some else ""
        return f"""
            -- Rows of each {self.period} that are then held in memory.
            SELECT epoch_us(start) AS __start{columns} FROM {self.layout.table(self.period)}
            WHERE tenant = $tenant AND start >= $first AND start < $last{of_some}{filled}
            ORDER BY start LIMIT $most
        """


def load(
    cursor: Cursor,
    part: Part,
    values: Sequence[Values],
    tenant: str,
    first: int,
    last: int,
    of: Stretch,
    *,
    some: bool = False,
) -> Rows | None:
    """The rows that begin in `[first, last)`, `some` of them those of `of` alone; None for too many."""
    sql = part.select(some=some)
    asked: dict[str, object] = {"tenant": tenant, "first": timestamp(first), "last": timestamp(last)}
    if some:
        asked["starts"] = [timestamp(start) for start in of.starts.tolist()]
    asked["most"] = MOST_ROWS + 1
    table = cursor.sql(sql, params=asked).to_arrow_table()
    if table.num_rows > MOST_ROWS:
        return None
    starts = table["__start"].to_numpy()
    codes = [own.codes(table[name]) for own, name in zip(values, part.layout.rollup.dimensions, strict=True)]
    columns = dict(_columns(part, table))
    return Rows(first, last, of, starts, tuple(codes), columns, sql, _size(starts, columns))


def _columns(part: Part, table: pa.Table) -> Iterable[tuple[str, Column]]:
    if part.measure is None:
        for column in part.layout.columns:
            yield column.name, _numbers(table[column.name.strip('"')])
    elif part.measure.measure.kind is MeasureKind.DISTINCT:
        (column_of_set,) = part.measure.lists
        yield column_of_set.name, _of_rows(list(_sets(table, column_of_set)))
    else:
        for each in part.measure.lists:
            yield each.name, _of_rows([own.copy() for own in _apart(*_lists(table, each))])


def _numbers(column: pa.ChunkedArray) -> Column:
    """As 64-bit numbers where all are there and add up in that; else as whatever they are, or None."""
    if pa.types.is_floating(column.type) and not column.null_count:
        return np.asarray(column.to_numpy(), np.float64)
    if pa.types.is_decimal(column.type):
        whole = [None if value is None else int(value) for value in column.to_pylist()]
    elif pa.types.is_integer(column.type):
        whole = column.to_pylist()
    else:
        return _of_rows(column.to_pylist())
    small = all(value is not None and -ADDABLE < value < ADDABLE for value in whole)
    return np.array(whole, np.int64) if small else _of_rows(whole)


def _sets(table: pa.Table, column: ListColumn) -> Iterable[BitMap]:
    """The sets, of which the table has the gaps."""
    lengths, gaps = _lists(table, column)
    return map(distinct.of_members, _apart(lengths, distinct.members(lengths, gaps)))


def _lists(table: pa.Table, column: ListColumn) -> tuple[Times, Column]:
    """How long each list is, and all numbers in them one after another."""
    lists = table[column.name].combine_chunks()
    return lengths_of(lists), lists.flatten().to_numpy()


def _apart(lengths: Times, numbers: Column) -> list[Column]:
    return np.split(numbers, np.cumsum(lengths)[:-1]) if len(lengths) else []


def _of_rows(values: Sequence[object]) -> Column:
    # Element by element: what is a sequence itself would be taken for another dimension.
    return np.fromiter(values, np.object_, len(values))


def _size(starts: Times, columns: Mapping[str, Column]) -> int:
    return int(starts.nbytes) + sum(_size_of(column) for column in columns.values())


def _size_of(column: Column) -> int:
    if column.dtype != np.object_:
        return int(column.nbytes)
    return sum(OBJECT_BYTES + _contents(each) for each in column)


def _contents(value: object) -> int:
    if isinstance(value, BitMap):
        told = value.get_statistics()
        return (
            told["n_bytes_array_containers"]
            + told["n_bytes_run_containers"]
            + told["n_bytes_bitset_containers"]
        )
    return int(value.nbytes) if isinstance(value, np.ndarray) else 0
