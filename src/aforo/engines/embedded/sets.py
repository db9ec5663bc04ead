"""The kept sets that an entity's numbers are in: those of days, which hold whatever any other period's do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap

from aforo.engines.embedded import meanings
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.gathering import lengths_of, members_of
from aforo.engines.embedded.layout import RollupLayout, quoted
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.folds import Period
from aforo.model.model import Model
from aforo.states import distinct
from aforo.windows import DAY

DAYS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Sets:
    """The sets of one measure in one rollup's days; `whole` where everybody is in them that events name."""

    stream: str
    hash: str
    table: str
    measure: str
    whole: bool

    @property
    def _column(self) -> str:
        return quoted(self.measure)

    def days(
        self, cursor: Cursor, tenant: str, *, before: int | None = None, newest_first: bool = True
    ) -> Iterator[tuple[int, BitMap]]:
        """Each day's start and everybody in it, one day after the other."""
        limit = "" if before is None else " AND start < $before"
        asked: dict[str, object] = {"tenant": tenant}
        found = first_row(
            cursor,
            f"""
            -- Between which days a tenant has sets.
            SELECT epoch_us(min(start)), epoch_us(max(start)) FROM {self.table}
            WHERE tenant = $tenant AND len({self._column}) > 0{limit}
            """,
            asked if before is None else {**asked, "before": timestamp(before)},
        )
        if found is None or found[0] is None:
            return
        stretches = list(range(found[0], found[1] + 1, DAYS_AT_ONCE * DAY))
        for start in reversed(stretches) if newest_first else stretches:
            end = min(start + DAYS_AT_ONCE * DAY, found[1] + 1)
            yield from self._stretch(cursor, asked, start, end, "DESC" if newest_first else "ASC")

    def _stretch(
        self, cursor: Cursor, asked: dict[str, object], start: int, end: int, order: str
    ) -> Iterator[tuple[int, BitMap]]:
        rows = cursor.sql(
            f"""
            -- The sets of some days.
            SELECT epoch_us(start) AS day, {self._column} AS members FROM {self.table}
            WHERE tenant = $tenant AND len({self._column}) > 0 AND start >= $start AND start < $end
            ORDER BY start {order}
            """,
            params={**asked, "start": timestamp(start), "end": timestamp(end)},
        ).to_arrow_table()
        days = np.repeat(rows["day"].to_numpy(), lengths_of(rows["members"].combine_chunks()))
        members = members_of([rows], "members")
        changes = np.flatnonzero(np.diff(days)) + 1
        for of_day, own in zip(np.split(days, changes), np.split(members, changes), strict=True):
            if len(of_day):
                yield int(of_day[0]), distinct.of_members(own)


def of_entity(cursor: Cursor, model: Model, entity: str) -> list[Sets]:
    """All there are of an entity, those with the fewest splits first; of rollups that are being built too."""
    kept = [
        (earlier.stream.name, RollupLayout.of(earlier.stream, earlier.rollup))
        for _, earlier in meanings.known(cursor, model).values()
    ]
    return [
        Sets(stream, layout.hash, layout.table(Period.DAY), each.key, not each.measure.where)
        for stream, layout in sorted(kept, key=lambda one: (len(one[1].dimensions), one[1].hash))
        for each in layout.distincts
        if each.measure.entity == entity
    ]
