"""The rows of a rollup's period: from the events themselves, or merged (law 4) from slots or what is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from aforo.engines.embedded.course import Course
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import MeasureLayout, RollupLayout
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.folds import Period
from aforo.states import distinct

Source = Callable[[str, str], str]
"""Rows to merge, as SQL: of a part, with the columns of its states (`, a, b`)."""


class Parts(NamedTuple):
    """The rows of a rollup's three tables; None for a part the rollup does not have."""

    sums: pa.Table
    buckets: pa.Table | None
    sets: pa.Table | None


def from_events(cursor: Cursor, layout: RollupLayout, start: str, *, only_dirty: bool) -> Parts:
    """Folds the registered `picked` events by their column `start`."""
    chosen = "WHERE __dirty" if only_dirty else "WHERE true"
    group = ", ".join(("__tenant AS tenant", f"{start} AS start", *layout.dimensions))
    return Parts(
        sums=cursor.sql(_fold_sums_sql(layout, group, chosen)).to_arrow_table(),
        buckets=_union(cursor, [_fold_buckets_sql(each, group, chosen) for each in layout.histograms]),
        sets=_concatenated(
            [_sets(cursor, each, _fold_sets_sql(each, group, chosen)) for each in layout.distincts]
        ),
    )


class Merger:
    """Merges the rows of one rollup, by the course that is registered as `calendar`.

    Of what is kept only those rows are read that have something new; the others stay as they are.
    """

    def __init__(self, cursor: Cursor, layout: RollupLayout, course: Course) -> None:
        self._cursor = cursor
        self._layout = layout
        self._course = course
        first, end = course.calendar.span
        self._within: dict[str, object] = {"first": timestamp(first), "end": timestamp(end)}

    def slots(self, fresh: Parts) -> Parts:
        """The claimed slots, from what is new in them and, where they are merged, from what is kept."""
        if not self._course.merging.any():
            return fresh
        self._register(fresh)
        return self._merged(fresh, [self._new, self._kept(Period.SLOT, SLOTS_WITH_NEW)])

    def days(self, fresh: Parts) -> Parts:
        """The days: what is new in their slots, with what is kept of them or of all their slots."""
        self._register(fresh)
        sources: list[Source] = [self._by_day]
        if self._course.daily.any():
            sources.append(self._kept(Period.DAY, DAYS_WITH_NEW))
        if not self._course.daily.all():
            sources.append(self._kept_slots)
        return self._merged(fresh, sources)

    def days_of_events(self, fresh: Parts) -> Parts:
        """The days of a rollup that keeps no slots: what is new, merged with what is kept where a day is."""
        if not self._course.daily.any():
            return fresh
        self._register(fresh)
        return self._merged(fresh, [self._new, self._kept(Period.DAY, DAYS_OF_NEW)])

    @property
    def _dimensions(self) -> str:
        return "".join(f", {name}" for name in self._layout.dimensions)

    def _register(self, fresh: Parts) -> None:
        for part, table in zip(fresh._fields, fresh, strict=True):
            if table is not None:
                self._cursor.register(f"fresh_{part}", table)

    def _new(self, part: str, columns: str) -> str:
        return f"SELECT tenant, start{self._dimensions}{columns} FROM fresh_{part}"

    def _by_day(self, part: str, columns: str) -> str:
        return f"""
            SELECT f.tenant, c.__day AS start{self._dimensions}{columns} FROM fresh_{part} AS f
            JOIN calendar AS c ON c.__tenant = f.tenant AND c.__slot = f.start
        """

    def _kept_slots(self, part: str, columns: str) -> str:
        """What is kept of the slots of days that are made of them, but for slots made anew."""
        return f"""
            SELECT k.tenant, c.__day AS start{self._dimensions}{columns}
            FROM {self._layout.table(Period.SLOT, part)} AS k
            JOIN calendar AS c ON c.__tenant = k.tenant AND c.__slot = k.start
                AND NOT c.__daily AND (c.__merging OR NOT c.__dirty)
            WHERE k.start >= $first AND k.start < $end
        """

    def _kept(self, period: Period, with_new: str) -> Source:
        """Kept rows that have something new."""
        own = self._layout.dimensions

        def rows(part: str, columns: str) -> str:
            names = own if part == "sums" else (*own, "__measure")
            same = "".join(f" AND k.{name} IS NOT DISTINCT FROM n.{name}" for name in names)
            new = with_new.format(part=part, names="".join(f", f.{name}" for name in names))
            return f"""
                SELECT k.tenant, k.start{self._dimensions}{columns}
                FROM {self._layout.table(period, part)} AS k
                SEMI JOIN ({new}) AS n ON k.tenant = n.tenant AND k.start = n.start{same}
                WHERE k.start >= $first AND k.start < $end
            """

        return rows

    def _merged(self, fresh: Parts, sources: list[Source]) -> Parts:
        def rows(part: str, columns: str) -> str:
            return " UNION ALL ".join(source(part, columns) for source in sources)

        return Parts(
            sums=self._merged_sums(rows),
            buckets=None if fresh.buckets is None else self._merged_buckets(rows),
            sets=None if fresh.sets is None else self._merged_sets(rows),
        )

    def _merged_sums(self, rows: Source) -> pa.Table:
        columns = "".join(f", {column.name}" for column in self._layout.columns)
        merged = "".join(f", {column.merge} AS {column.name}" for column in self._layout.columns)
        sql = f"""
            -- Counts, sums and extremes, merged.
            SELECT tenant, start{self._dimensions}{merged} FROM ({rows("sums", columns)})
            GROUP BY ALL ORDER BY tenant, start
        """
        return self._cursor.sql(sql, params=self._within).to_arrow_table()

    def _merged_buckets(self, rows: Source) -> pa.Table:
        dimensions = self._dimensions
        sql = f"""
            -- Histograms are added up bucket by bucket.
            WITH parts AS ({rows("buckets", ", __measure, __keys, __counts")}), counted AS (
                SELECT tenant, start{dimensions}, __measure, unnest(__keys) AS __key,
                    unnest(__counts) AS __count
                FROM parts
            ), merged AS (
                SELECT tenant, start{dimensions}, __measure, __key, sum(__count)::BIGINT AS __count
                FROM counted GROUP BY ALL
            )
            SELECT tenant, start{dimensions}, __measure, list(__key) AS __keys, list(__count) AS __counts
            FROM merged GROUP BY ALL ORDER BY __measure, tenant, start
        """
        return self._cursor.sql(sql, params=self._within).to_arrow_table()

    def _merged_sets(self, rows: Source) -> pa.Table:
        """Unions of sets: all are decoded, grouped and encoded at once."""
        sql = f"""
            -- The sets to unite.
            SELECT tenant, start{self._dimensions}, __measure, __ordinals
            FROM ({rows("sets", ", __measure, __ordinals")}) ORDER BY tenant, start
        """
        parts = self._cursor.sql(sql, params=self._within).to_arrow_table()
        numbers = pa.array(np.arange(parts.num_rows))
        self._cursor.register("set_parts", parts.drop_columns(["__ordinals"]).append_column("__row", numbers))
        groups = self._cursor.sql(
            f"""
            -- Which of them make up each set.
            SELECT tenant, start{self._dimensions}, __measure, list(__row) AS __members
            FROM set_parts GROUP BY ALL ORDER BY tenant, start
            """
        ).to_arrow_table()
        members = groups["__members"].combine_chunks()
        group_of = np.empty(parts.num_rows, np.int64)
        group_of[members.flatten().to_numpy(zero_copy_only=False)] = np.repeat(
            np.arange(groups.num_rows), members.value_lengths().to_numpy(zero_copy_only=False)
        )
        of_rows, ordinals = distinct.decode(parts["__ordinals"])
        encoded = distinct.encode(group_of[of_rows], ordinals, groups.num_rows)
        return groups.drop_columns(["__members"]).append_column("__ordinals", encoded)


SLOTS_WITH_NEW = """
    SELECT f.tenant, f.start{names} FROM fresh_{part} AS f
    JOIN calendar AS c ON c.__tenant = f.tenant AND c.__slot = f.start AND c.__merging
"""

DAYS_WITH_NEW = """
    SELECT DISTINCT f.tenant, c.__day AS start{names} FROM fresh_{part} AS f
    JOIN calendar AS c ON c.__tenant = f.tenant AND c.__slot = f.start AND c.__daily
"""

DAYS_OF_NEW = """
    SELECT f.tenant, f.start{names} FROM fresh_{part} AS f
    JOIN (SELECT DISTINCT __tenant, __day FROM calendar WHERE __daily) AS c
        ON c.__tenant = f.tenant AND c.__day = f.start
"""


def _fold_sums_sql(layout: RollupLayout, group: str, chosen: str) -> str:
    states = "".join(f", {column.fold} AS {column.name}" for column in layout.columns)
    return f"""
        -- Counts, sums and extremes of {layout.rollup.name}.
        SELECT {group}{states} FROM picked {chosen} GROUP BY ALL ORDER BY tenant, start
    """


def _fold_buckets_sql(measure: MeasureLayout, group: str, chosen: str) -> str:
    return f"""
        -- How many values of {measure.measure.name} fall into each bucket, as two lists a group.
        SELECT * EXCLUDE (__key, __count), '{measure.key}' AS __measure, list(__key) AS __keys,
            list(__count) AS __counts
        FROM (
            SELECT {group}, {measure.input} AS __key, count(*) AS __count
            FROM picked {chosen} AND {measure.input} IS NOT NULL GROUP BY ALL
        ) GROUP BY ALL
    """


def _fold_sets_sql(measure: MeasureLayout, group: str, chosen: str) -> str:
    return f"""
        -- Which entities {measure.measure.name} saw, by group.
        SELECT {group}, list({measure.input}) AS __ordinals
        FROM picked {chosen} AND {measure.input} IS NOT NULL GROUP BY ALL ORDER BY tenant, start
    """


def _union(cursor: Cursor, selects: list[str]) -> pa.Table | None:
    if not selects:
        return None
    return cursor.sql(" UNION ALL ".join(selects) + " ORDER BY __measure, tenant, start").to_arrow_table()


def _sets(cursor: Cursor, measure: MeasureLayout, sql: str) -> pa.Table:
    """Groups with their lists of ordinals become groups with one bitmap each."""
    found = cursor.sql(sql).to_arrow_table()
    lists = found["__ordinals"].combine_chunks()
    groups = np.repeat(np.arange(found.num_rows), lists.value_lengths().to_numpy(zero_copy_only=False))
    ordinals = lists.flatten().to_numpy(zero_copy_only=False)
    return _with_sets(found.drop_columns(["__ordinals"]), measure.key, groups, ordinals)


def _with_sets(groups: pa.Table, key: str, of_group: np.ndarray, ordinals: np.ndarray) -> pa.Table:
    encoded = distinct.encode(of_group, ordinals, groups.num_rows)
    return groups.append_column("__measure", pa.array([key] * groups.num_rows, pa.string())).append_column(
        "__ordinals", encoded
    )


def _concatenated(tables: list[pa.Table]) -> pa.Table | None:
    return pa.concat_tables(tables) if tables else None
