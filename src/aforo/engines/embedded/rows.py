"""The rows of a rollup's period: from the events themselves, or merged (law 4) from slots or what is kept."""

from __future__ import annotations

import pyarrow as pa

from aforo.engines.embedded import gathering
from aforo.engines.embedded.course import Course
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.folds import Period

DAY = "__day"
"""The column that tells of a slot's row which day it is of."""


def of_slots(cursor: Cursor, layout: RollupLayout, events: pa.Table) -> pa.Table:
    """The rows of the claimed slots, each with its `DAY`, from the `events` registered as `picked`."""
    sql = f"""
        -- What the events of slots are for {layout.rollup.name}: its numbers, and which they are.
        SELECT __tenant AS tenant, __slot AS start{_dimensions(layout)}{_folded(layout)},
            any_value({DAY}) AS {DAY}, list({gathering.ROW}) AS {gathering.MEMBERS}
        FROM picked WHERE __dirty GROUP BY __tenant, __slot{_dimensions(layout)} ORDER BY tenant, start
    """
    return gathering.of_events(layout, cursor.sql(sql).to_arrow_table(), events)


def of_days(cursor: Cursor, layout: RollupLayout, events: pa.Table) -> pa.Table:
    """The rows of days, from the `events` registered as `picked`."""
    sql = f"""
        -- What the events of days are for {layout.rollup.name}: its numbers, and which they are.
        SELECT __tenant AS tenant, {DAY} AS start{_dimensions(layout)}{_folded(layout)},
            list({gathering.ROW}) AS {gathering.MEMBERS}
        FROM picked GROUP BY __tenant, {DAY}{_dimensions(layout)} ORDER BY tenant, start
    """
    return gathering.of_events(layout, cursor.sql(sql).to_arrow_table(), events)


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

    def slots(self, fresh: pa.Table) -> pa.Table:
        """The claimed slots, from what is new in them and, where they are merged, from what is kept."""
        fresh = fresh.drop_columns([DAY])
        if not self._course.merging.any():
            return fresh
        return self._merged(fresh, [self._kept(Period.SLOT, SLOTS_WITH_NEW, fresh)])

    def days(self, fresh: pa.Table) -> pa.Table:
        """The days: what is new in their slots, with what is kept of them or of all their slots."""
        fresh = fresh.drop_columns(["start"]).rename_columns({DAY: "start"})
        kept = []
        if self._course.daily.any():
            kept.append(self._kept(Period.DAY, DAYS_WITH_NEW, fresh))
        if not self._course.daily.all():
            kept.append(self._kept_slots())
        return self._merged(fresh, kept)

    def days_of_events(self, fresh: pa.Table) -> pa.Table:
        """The days of a rollup that keeps no slots: what is new, merged with what is kept where a day is."""
        if not self._course.daily.any():
            return fresh
        return self._merged(fresh, [self._kept(Period.DAY, DAYS_WITH_NEW, fresh)])

    @property
    def _states(self) -> str:
        return "".join(f", k.{name}" for name in (*self._layout.dimensions, *self._layout.states))

    def _merged(self, fresh: pa.Table, kept: list[pa.Table]) -> pa.Table:
        return gathering.merge(self._cursor, self._layout, [fresh, *kept])

    def _kept_slots(self) -> pa.Table:
        """What is kept of the slots of days that are made of them, but for slots made anew."""
        sql = f"""
            -- The slots that stay of days with slots that are made anew.
            SELECT k.tenant, c.__day AS start{self._states}
            FROM {self._layout.table(Period.SLOT)} AS k
            JOIN calendar AS c ON c.__tenant = k.tenant AND c.__slot = k.start
                AND NOT c.__daily AND (c.__merging OR NOT c.__dirty)
            WHERE k.start >= $first AND k.start < $end
        """
        return self._cursor.sql(sql, params=self._within).to_arrow_table()

    def _kept(self, period: Period, with_new: str, fresh: pa.Table) -> pa.Table:
        """Kept rows that have something new."""
        own = self._layout.dimensions
        self._cursor.register("fresh", fresh.select(["tenant", "start", *self._layout.rollup.dimensions]))
        same = "".join(f" AND k.{name} IS NOT DISTINCT FROM n.{name}" for name in own)
        new = with_new.format(names="".join(f", f.{name}" for name in own))
        sql = f"""
            -- The kept rows of each {period} that get something new.
            SELECT k.tenant, k.start{self._states} FROM {self._layout.table(period)} AS k
            SEMI JOIN ({new}) AS n ON k.tenant = n.tenant AND k.start = n.start{same}
            WHERE k.start >= $first AND k.start < $end
        """
        found = self._cursor.sql(sql, params=self._within).to_arrow_table()
        self._cursor.unregister("fresh")
        return found


SLOTS_WITH_NEW = """
    SELECT f.tenant, f.start{names} FROM fresh AS f
    JOIN calendar AS c ON c.__tenant = f.tenant AND c.__slot = f.start AND c.__merging
"""

DAYS_WITH_NEW = """
    SELECT f.tenant, f.start{names} FROM fresh AS f
    JOIN (SELECT DISTINCT __tenant, __day FROM calendar WHERE __daily) AS c
        ON c.__tenant = f.tenant AND c.__day = f.start
"""


def _dimensions(layout: RollupLayout) -> str:
    return "".join(f", {name}" for name in layout.dimensions)


def _folded(layout: RollupLayout) -> str:
    return "".join(f", {column.fold} AS {column.name}" for column in layout.columns)
