"""Merged states of one tenant, from a rollup's rows or from the events, in one snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from aforo.engines.coarsening import coarsened, days_to_coarsen
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.grouping import Grouping, grouping
from aforo.engines.embedded.inputs import input_columns
from aforo.engines.embedded.layout import (
    MeasureLayout,
    RollupLayout,
    lay_out,
    of_kind,
    quoted,
    rows_of,
)
from aforo.engines.embedded.list_adding import Groups, Key, Merged, add_lists, rows_with
from aforo.engines.embedded.parameters import Parameters, conditions_sql
from aforo.engines.embedded.periods import kept_periods
from aforo.engines.embedded.placing import place
from aforo.engines.folds import Period
from aforo.engines.reads import Segment, States, StatesRequest, few_enough
from aforo.model.measure import MeasureKind
from aforo.states import distinct
from aforo.states.histogram import Histogram

Columns = Mapping[str, Sequence[Any]]
SLOT_OF_EVENT = "time_bucket(INTERVAL 15 MINUTES, time)"


@dataclass(frozen=True, slots=True)
class Statement:
    """A text and the values it is run with."""

    sql: str
    parameters: Parameters

    def table(self, cursor: Cursor) -> pa.Table:
        """What it gives, however long its lists are."""
        return cursor.sql(self.sql, params=self.parameters).to_arrow_table()

    def columns(self, cursor: Cursor) -> Columns:
        """What it gives as plain values: a few rows of numbers take half the time of an Arrow table."""
        found = cursor.execute(self.sql, self.parameters)
        names = [name for name, *_ in found.description]
        rows = found.fetchall()
        return {name: [row[at] for row in rows] for at, name in enumerate(names)}


class Reading:
    """One request being answered on one cursor."""

    def __init__(self, cursor: Cursor, request: StatesRequest) -> None:
        self._cursor = cursor
        self._request = request
        self._stream = request.stream
        self._grouping: Grouping = grouping(cursor, request)
        self._measures = lay_out(request.stream, request.measures)
        # The ledger's counts are the rows of its rollup as they stand, and are read as events are.
        kept = request.rollup is not None and not request.stream.ledger
        self._layout = RollupLayout.of(request.stream, request.rollup) if kept and request.rollup else None
        self._sql: list[str] = []
        self._segments = self._coarsened(each for each in request.segments if each.start < each.end)

    def states(self) -> States:
        """The merged states, every part read by a statement of its own."""
        if not self._segments:
            return States((), {each.measure.name: [] for each in self._measures}, 0)
        read = 0
        merged: Merged = {}
        sums = self._columns(self._sums())
        keys = self._keys(sums)
        few_enough(len(keys), self._request.most_keys)
        read += sum(sums["__rows"])
        for key in keys:
            merged[key] = {}
        self._fill_sums(sums, keys, merged)
        read += self._fill_lists(merged)
        values = {
            each.measure.name: [
                states.get(each.measure.name, _nothing(each, self._request)) for states in merged.values()
            ]
            for each in self._measures
        }
        periods = () if self._layout is None else self._periods()
        return States(tuple(merged), values, read, tuple(self._sql), periods)

    def _coarsened(self, segments: Iterable[Segment]) -> tuple[Segment, ...]:
        """Segments with days read as the weeks and months that are kept of them in this snapshot."""
        asked = tuple(segments)
        window = days_to_coarsen(asked, self._request.edges)
        if self._layout is None or window is None:
            return asked
        kept = kept_periods(
            self._cursor,
            self._stream.name,
            self._layout,
            self._request.tenant,
            window,
            self._measures,
            self._sql,
        )
        return coarsened(asked, self._request.edges, kept)

    def _periods(self) -> tuple[Period, ...]:
        return tuple(period for period in Period if self._segments_of(period))

    def _table(self, statement: Statement) -> pa.Table:
        self._sql.append(statement.sql)
        return statement.table(self._cursor)

    def _columns(self, statement: Statement) -> Columns:
        self._sql.append(statement.sql)
        return statement.columns(self._cursor)

    def _keys(self, columns: Columns) -> list[Key]:
        return list(zip(columns["__bucket"], self._grouping.splits(columns), strict=True))

    def _sums(self) -> Statement:
        columns = [column for each in self._measures for column in each.columns]
        items = "".join(f", {column.merge} AS {column.name}" for column in columns)
        parameters = Parameters()
        if self._layout is None:
            items = "".join(f", {column.fold} AS {column.name}" for column in columns)
            rows = self._event_rows(parameters, self._measures)
        else:
            rows = self._rollup_rows(parameters, tuple(column.name for column in columns))
        return Statement(
            f"""
            -- Counts, sums and extremes, merged by bucket and split.
            SELECT {self._group()}{items}, count(*) AS __rows FROM ({rows}) AS rows GROUP BY ALL
            """,
            parameters,
        )

    def _fill_sums(self, sums: Columns, keys: list[Key], merged: Merged) -> None:
        for each in self._measures:
            if each.measure.kind in (MeasureKind.HISTOGRAM, MeasureKind.DISTINCT):
                continue
            for key, value in zip(keys, sums[each.key], strict=True):
                whole = each.measure.kind in (MeasureKind.COUNT, MeasureKind.SUM) and value is not None
                merged[key][each.measure.name] = int(value) if whole else value
        for each in of_kind(self._measures, MeasureKind.HISTOGRAM):
            least, greatest = (sums[name.strip('"')] for name in (each.least, each.greatest))
            for key, low, high in zip(keys, least, greatest, strict=True):
                merged[key][each.measure.name] = Histogram(_NO_KEYS, _NO_COUNTS, low, high)

    def _fill_lists(self, merged: Merged) -> int:
        """Adds sets and histograms; how many rows they are of."""
        histograms, sets = (
            of_kind(self._measures, kind) for kind in (MeasureKind.HISTOGRAM, MeasureKind.DISTINCT)
        )
        if self._layout is not None:
            listed = (*histograms, *sets)
            return self._add(self._table(self._kept_lists(listed)), listed, merged) if listed else 0
        read = sum(self._add(self._table(self._raw_histograms(each)), (each,), merged) for each in histograms)
        for each in sets:
            if each.measure.name in self._request.sets:
                read += self._add(self._table(self._raw_sets(each)), (each,), merged)
            else:
                read += self._fill_sizes(each, merged)
        return read

    def _add(self, table: pa.Table, measures: tuple[MeasureLayout, ...], merged: Merged) -> int:
        """Adds up what a table holds of measures; how many rows, or events, that is."""
        if not table.num_rows:
            return 0
        groups = self._grouped(table)
        for each in measures:
            wanted = each.measure.name in self._request.sets
            add_lists(each, table, groups, merged, wanted=wanted, kept=self._layout is not None)
        if self._layout is None:
            return sum(table["__rows"].to_pylist())
        return sum(rows_with(each, table) for each in measures)

    def _kept_lists(self, measures: tuple[MeasureLayout, ...]) -> Statement:
        parameters = Parameters()
        # Measures that mean the same share their columns.
        columns = tuple(dict.fromkeys(quoted(column.name) for each in measures for column in each.lists))
        rows = self._rollup_rows(parameters, columns)
        filled = " OR ".join(f"len({quoted(each.lists[0].name)}) > 0" for each in measures)
        names = " and ".join(each.measure.name for each in measures)
        return Statement(
            f"""
            -- The lists of {names} with their bucket and split.
            SELECT {self._group()}, {", ".join(columns)} FROM ({rows}) AS rows WHERE {filled}
            """,
            parameters,
        )

    def _raw_histograms(self, measure: MeasureLayout) -> Statement:
        parameters = Parameters()
        rows = self._event_rows(parameters, (measure,))
        return Statement(
            f"""
            -- The histograms of {measure.measure.name}, folded from events by bucket and split.
            SELECT {self._group()}, list(__key) AS {quoted(measure.keys)},
                list(__count) AS {quoted(measure.counts)},
                sum(__count)::BIGINT AS __rows
            FROM (
                SELECT {self._group()}, {measure.input} AS __key, count(*) AS __count
                FROM ({rows}) AS rows WHERE {measure.input} IS NOT NULL GROUP BY ALL
            ) GROUP BY ALL
            """,
            parameters,
        )

    def _grouped(self, table: pa.Table) -> Groups:
        """The groups that a table's rows are of, and which of them each row is of."""
        codes = table["__bucket"].to_numpy().astype(np.int64)
        for name in self._grouping.columns:
            column = table[name].combine_chunks().dictionary_encode(null_encoding="encode")
            codes = codes * len(column.dictionary) + column.indices.to_numpy(zero_copy_only=False)
        _, first, group_of = np.unique(codes, return_index=True, return_inverse=True)
        told = table.select(["__bucket", *self._grouping.columns]).take(pa.array(first))
        return Groups(self._keys(told.to_pydict()), group_of)

    def _fill_sizes(self, measure: MeasureLayout, merged: Merged) -> int:
        found = self._columns(self._sizes(measure))
        for key, size in zip(self._keys(found), found["__size"], strict=True):
            merged[key][measure.measure.name] = size
        return sum(found["__rows"])

    def _raw_sets(self, measure: MeasureLayout) -> Statement:
        parameters = Parameters()
        rows = self._event_rows(parameters, (measure,))
        return Statement(
            f"""
            -- The sets of {measure.measure.name}, from events by bucket and split.
            SELECT {self._group()}, list(DISTINCT {measure.input}) AS {measure.input}, count(*) AS __rows
            FROM ({rows}) AS rows WHERE {measure.input} IS NOT NULL GROUP BY ALL
            """,
            parameters,
        )

    def _sizes(self, measure: MeasureLayout) -> Statement:
        parameters = Parameters()
        rows = self._event_rows(parameters, (measure,))
        return Statement(
            f"""
            -- How many different {measure.measure.name} the events have, by bucket and split.
            SELECT {self._group()}, count(DISTINCT {measure.input}) AS __size, count(*) AS __rows
            FROM ({rows}) AS rows WHERE {measure.input} IS NOT NULL GROUP BY ALL
            """,
            parameters,
        )

    def _group(self) -> str:
        return ", ".join(("__bucket", *map(quoted, self._grouping.columns)))

    def _rollup_rows(self, parameters: Parameters, columns: Sequence[str]) -> str:
        """The rows of every period that the request reads, each with its bucket."""
        assert self._layout is not None
        each = (self._period_rows(parameters, period, columns) for period in self._periods())
        return " UNION ALL ".join(each)

    def _period_rows(self, parameters: Parameters, period: Period, columns: Sequence[str]) -> str:
        assert self._layout is not None
        return self._placed(
            parameters,
            table=f"{self._layout.table(period)} AS r",
            time="r.start",
            segments=self._segments_of(period),
            items=[*self._grouping.items, *(f"r.{name}" for name in columns)],
        )

    def _event_rows(self, parameters: Parameters, measures: Iterable[MeasureLayout]) -> str:
        inputs = [item for each in measures for item in input_columns(self._stream, each, parameters)]
        table, time = rows_of(self._stream)
        return self._placed(
            parameters,
            table=f"{table} AS r",
            time=f"r.{time}",
            segments=self._segments_of(Period.SLOT),
            items=[*self._grouping.items, *inputs],
        )

    def _placed(
        self,
        parameters: Parameters,
        *,
        table: str,
        time: str,
        segments: tuple[Segment, ...],
        items: list[str],
    ) -> str:
        """Rows of a table within the segments, of the tenant, for which the conditions hold."""
        placing = place(
            self._cursor,
            f"points_{len(self._sql)}_{segments[0].period}",
            time,
            segments,
            self._request.edges,
            parameters,
        )
        first, last = min(each.start for each in segments), max(each.end for each in segments)
        where = [
            f"r.tenant = {parameters.bind(self._request.tenant)}",
            f"{time} >= {parameters.bind_time(first)}",
            f"{time} < {parameters.bind_time(last)}",
        ]
        if placing.holes:
            where.append(f"{placing.bucket} >= 0")
        if self._request.where:
            where.append(conditions_sql(self._request.where, self._stream, parameters))
        picked = ", ".join((f"{placing.bucket} AS __bucket", *items))
        return f"SELECT {picked} FROM {table}{placing.join}{self._grouping.join} WHERE {' AND '.join(where)}"

    def _segments_of(self, period: Period) -> tuple[Segment, ...]:
        return tuple(each for each in self._segments if each.period is period)


_NO_KEYS = np.empty(0, np.int32)
_NO_COUNTS = np.empty(0, np.int64)


def _nothing(layout: MeasureLayout, request: StatesRequest) -> object:
    """What a group shows for a measure that no row of it gave anything to."""
    if layout.measure.name in request.sets:
        return distinct.empty()
    if layout.measure.kind in (MeasureKind.COUNT, MeasureKind.DISTINCT):
        return 0
    if layout.measure.kind is MeasureKind.HISTOGRAM:
        return Histogram(_NO_KEYS, _NO_COUNTS, None, None)
    return None
