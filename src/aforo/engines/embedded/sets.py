"""The kept sets that an entity's numbers are in: those of days, which hold whatever any other period's do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from aforo.engines.embedded import building
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.folds import Period
from aforo.model.model import Model
from aforo.windows import DAY

DAYS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Sets:
    """A column of sets in one rollup's days; `whole` where everybody is in them that events name."""

    stream: str
    hash: str
    table: str
    column: str
    whole: bool

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
            WHERE tenant = $tenant AND len({self.column}) > 0{limit}
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
            SELECT epoch_us(start) AS start, {self.column} AS members FROM {self.table}
            WHERE tenant = $tenant AND len({self.column}) > 0 AND start >= $start AND start < $end
            ORDER BY epoch_us({self.table}.start) {order}
            """,
            params={**asked, "start": timestamp(start), "end": timestamp(end)},
        ).to_arrow_table()
        sets = (chunk.flatten().to_numpy() for lists in rows["members"].chunks for chunk in _each(lists))
        for day, of_day in groupby(zip(rows["start"].to_pylist(), sets, strict=True), lambda row: int(row[0])):
            yield day, BitMap(np.concatenate([members for _, members in of_day]))


def _each(lists: pa.ListArray) -> Iterator[pa.ListArray]:
    return (lists.slice(at, 1) for at in range(len(lists)))


def of_entity(cursor: Cursor, model: Model, entity: str) -> list[Sets]:
    """All there are of an entity, those with the fewest splits first; of rollups that are being built too."""
    kept = [
        (earlier.stream.name, RollupLayout.of(earlier.stream, earlier.rollup))
        for _, earlier in building.known(cursor, model).values()
    ]
    return [
        Sets(stream, layout.hash, layout.table(Period.DAY), each.input, not each.measure.where)
        for stream, layout in sorted(kept, key=lambda one: (len(one[1].dimensions), one[1].hash))
        for each in layout.distincts
        if each.measure.entity == entity
    ]
