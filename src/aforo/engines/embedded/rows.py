"""The rows of rollups' periods: from the events themselves, or what they are merged from (law 4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.embedded import gathering
from aforo.engines.embedded.calendar import Calendar, as_times
from aforo.engines.embedded.course import DAY_AT, SLOT_AT, Course
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.folds import Period, Places

DAY = "__day"
"""The column that tells of a slot's row which day it is of."""


def of_slots(
    cursor: Cursor, layouts: Sequence[RollupLayout], calendar: Calendar, events: pa.Table
) -> list[pa.Table]:
    """Each rollup's rows of the claimed slots, with their `DAY`, from the `events` registered as `picked`."""
    found = []
    for rows in _of_events(cursor, layouts, SLOT_AT, "WHERE __dirty", events):
        slots = rows[SLOT_AT].to_numpy()
        days = as_times(calendar.days.starts[calendar.day_of[slots]])
        found.append(_placed(rows, calendar.slots, slots).append_column(DAY, days))
    return found


def of_days(
    cursor: Cursor, layouts: Sequence[RollupLayout], calendar: Calendar, events: pa.Table
) -> list[pa.Table]:
    """Each rollup's rows of days, from the `events` registered as `picked`."""
    found = _of_events(cursor, layouts, DAY_AT, "", events)
    return [_placed(rows, calendar.days, rows[DAY_AT].to_numpy()) for rows in found]


def _of_events(
    cursor: Cursor, layouts: Sequence[RollupLayout], place: str, which: str, events: pa.Table
) -> list[pa.Table]:
    """What the events of each place and split are for some rollups, which are grouped side by side."""
    if not layouts:
        return []
    abreast = gathering.Abreast(layouts, (place,), lambda column: column.fold)
    splits = ", ".join(abreast.dimensions)
    sets = {_set_of(each, abreast): ", ".join((place, *each.dimensions)) for each in layouts}
    groups = cursor.sql(
        f"""
        -- What events are for {", ".join(each.rollup.name for each in layouts)}: numbers, and which they are.
        SELECT {abreast.sql}, {f"GROUPING({splits})" if splits else "0"} AS {gathering.OF} FROM picked {which}
        GROUP BY GROUPING SETS ({", ".join(f"({each})" for each in sets.values())})
        ORDER BY {gathering.OF}, {place}
        """
    ).to_arrow_table()
    return [
        gathering.of_events(each, abreast.of(groups, each, _set_of(each, abreast)), events)
        for each in layouts
    ]


def _set_of(layout: RollupLayout, abreast: gathering.Abreast) -> int:
    """The number that `GROUPING` gives to a rollup's rows: a bit for each dimension that it has not."""
    return int("".join("01"[name not in layout.dimensions] for name in abreast.dimensions) or "0", 2)


def _placed(rows: pa.Table, places: Places, at: npt.NDArray[np.int32]) -> pa.Table:
    """The rows with their tenants and starts in the place of the numbers of their places."""
    tenants = pa.array(places.tenants[at], pa.string())
    rows = rows.set_column(0, "tenant", tenants)
    return rows.add_column(1, "start", as_times(places.starts[at]))


class Kept:
    """What the rows of one rollup are merged from, by the course that is registered as `calendar`.

    Of what is kept only those rows are read that have something new; the others stay as they are.
    """

    def __init__(self, cursor: Cursor, layout: RollupLayout, course: Course) -> None:
        self._cursor = cursor
        self._layout = layout
        self._course = course
        first, end = course.calendar.span
        self._within: dict[str, object] = {"first": timestamp(first), "end": timestamp(end)}

    def slots(self, fresh: pa.Table) -> list[pa.Table]:
        """The claimed slots: what is new in them and, where they are merged, what is kept."""
        fresh = fresh.drop_columns([DAY])
        if not self._course.merging.any():
            return [fresh]
        return [fresh, self._with_new(Period.SLOT, SLOTS_WITH_NEW, fresh)]

    def days(self, fresh: pa.Table) -> list[pa.Table]:
        """The days: what is new in their slots, with what is kept of them or of all their slots."""
        fresh = fresh.drop_columns(["start"]).rename_columns({DAY: "start"})
        parts = [fresh]
        if self._course.daily.any():
            parts.append(self._with_new(Period.DAY, DAYS_WITH_NEW, fresh))
        if not self._course.daily.all():
            parts.append(self._kept_slots())
        return parts

    def days_of_events(self, fresh: pa.Table) -> list[pa.Table]:
        """The days of a rollup that keeps no slots: what is new, and what is kept where a day is merged."""
        if not self._course.daily.any():
            return [fresh]
        return [fresh, self._with_new(Period.DAY, DAYS_WITH_NEW, fresh)]

    @property
    def _states(self) -> str:
        return "".join(f", k.{name}" for name in (*self._layout.dimensions, *self._layout.states))

    def _kept_slots(self) -> pa.Table:
        """What is kept of the slots of days that are made of them, but for slots made anew."""
        if len(self._course.calendar.days) == 1:
            return self._kept_slots_of_one()
        sql = f"""
            -- The slots that stay of days with slots that are made anew.
            SELECT k.tenant, c.__day AS start{self._states}
            FROM {self._layout.table(Period.SLOT)} AS k
            JOIN calendar AS c ON c.__tenant = k.tenant AND c.__slot = k.start
                AND NOT c.__daily AND (c.__merging OR NOT c.__dirty)
            WHERE k.start >= $first AND k.start < $end
        """
        return self._cursor.sql(sql, params=self._within).to_arrow_table()

    def _kept_slots_of_one(self) -> pa.Table:
        """The same of one day, in two thirds of the time: as for any late event."""
        course, calendar = self._course, self._course.calendar
        sql = f"""
            -- The slots that stay of a day with slots that are made anew.
            SELECT k.tenant, $first AS start{self._states}
            FROM {self._layout.table(Period.SLOT)} AS k
            WHERE k.tenant = $tenant AND k.start >= $first AND k.start < $end
                AND NOT list_contains($anew, epoch_us(k.start))
        """
        anew = calendar.slots.starts[calendar.dirty & ~course.merging]
        asked = {**self._within, "tenant": calendar.days.tenants[0], "anew": anew.tolist()}
        return self._cursor.sql(sql, params=asked).to_arrow_table()

    def _with_new(self, period: Period, with_new: str, fresh: pa.Table) -> pa.Table:
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
