"""The operator's verbs: what waits, what lies where, and whether the rollups are what the events say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
import numpy.typing as npt

from aforo.engines.drifted import DaysChecked, KeptDays, Returned
from aforo.engines.embedded import (
    drift,
    modelling,
    returning,
    sampling,
    serving,
    tidying,
)
from aforo.engines.embedded.appending import LAND_ROWS
from aforo.engines.embedded.database import Cursor, only_row
from aforo.engines.embedded.layout import events_table
from aforo.engines.embedded.opened import Opened
from aforo.engines.embedded.record import Mark
from aforo.engines.embedded.touches import NOBODY
from aforo.engines.refused import KeptSample, SamplesAsked
from aforo.engines.statistics import Statistics, Storage, StreamStatistics
from aforo.windows import Window

ALL_DIRTY = """
-- Slots that wait for a fold, and those from which something waits to be derived.
SELECT count(*) FROM (
    SELECT DISTINCT stream, tenant, slot, 0 FROM ledger
    UNION ALL
    SELECT DISTINCT stream, tenant, slot, 1 FROM derive_marks
)
"""

OUTCOMES = "SELECT reason, sum(events)::BIGINT FROM outcomes GROUP BY reason ORDER BY reason"


class Overseeing(Opened):
    """What is seen across tenants."""

    def waiting_commits(self) -> tuple[int, Mapping[str, int]]:
        with self._database.snapshot() as cursor:
            waiting = cursor.execute('SELECT stream, min("commit") FROM ledger GROUP BY stream').fetchall()
            return modelling.last_commit(cursor), dict(waiting)

    def dirty_slots(self) -> int:
        with self._landed() as cursor:
            return int(only_row(cursor, ALL_DIRTY, {})[0])

    def tidy(self, *, loose_share: float) -> int | None:
        if self._pending.rows > LAND_ROWS:
            return None  # so many wait for the writer already
        with self._landed() as cursor:
            step = tidying.next_move(cursor, list(self.model.streams), loose_share=loose_share)
        if step is None:
            return None
        moved = self._database.write(lambda cursor: tidying.move(cursor, step), touched=NOBODY)
        # The room of the old blocks is free with the next, once nobody reads them any more.
        self._database.checkpoint()
        return moved

    def storage(self) -> Storage:
        with self._landed() as cursor:
            return self._storage(cursor)

    def _storage(self, cursor: Cursor) -> Storage:
        streams = list(self.model.streams)
        return Storage(
            file_bytes=self._database.file_bytes(),
            free_bytes=tidying.free_bytes(cursor),
            events=sum(
                int(only_row(cursor, f"SELECT count(*) FROM {events_table(stream)}", {})[0])
                for stream in streams
            ),
            out_of_order=sum(tidying.out_of_order(cursor, stream) for stream in streams),
        )

    def statistics(self) -> Statistics:
        with self._landed() as cursor:
            return Statistics(
                engine=self.name,
                version=duckdb.__version__,
                commit=modelling.last_commit(cursor),
                storage=self._storage(cursor),
                streams=tuple(
                    row for stream in self.model.streams for row in _stream_statistics(cursor, stream)
                ),
                outcomes={outcome: int(count) for outcome, count in cursor.execute(OUTCOMES).fetchall()},
                builds=serving.read(cursor, self.model).builds,
            )

    def refused(self, asked: SamplesAsked) -> tuple[KeptSample, ...]:
        with self._landed() as cursor:
            return sampling.read(cursor, asked, self._limits)

    def kept_days(self) -> tuple[KeptDays, ...]:
        with self._landed() as cursor:
            return tuple(
                days
                for stream in self._served.model.streams.values()
                for days in drift.kept_days(cursor, stream, self.zone)
            )

    def check_days(self, stream: str, tenant: str, days: Sequence[int]) -> DaysChecked:
        windows = [self._day(tenant, day) for day in sorted(days)]
        with self._landed() as cursor:
            return drift.check(cursor, self._served.model.stream(stream), tenant, windows)

    def returned_ids(self, stream: str, tenant: str, days: Sequence[int] | None, *, limit: int) -> Returned:
        with self._landed() as cursor:
            if days is None:
                return returning.returned(cursor, stream, tenant, limit)
            windows = [self._day(tenant, day) for day in days]
            return returning.returned_of(cursor, stream, tenant, windows, limit)

    def mark_slots(self, stream: str, tenant: str, slots: npt.NDArray[np.int64]) -> None:
        def write(cursor: Cursor) -> None:
            number = modelling.last_commit(cursor)
            self._marks.mark(cursor, [(number, Mark(stream, tenant, slot, 1)) for slot in slots.tolist()])

        self._database.write(write, touched=frozenset((tenant,)))

    def _day(self, tenant: str, start: int) -> Window:
        [day] = self.zone(tenant).days(Window(start, start + 1))
        return Window(day.start, day.end)


def _stream_statistics(cursor: Cursor, stream: str) -> list[StreamStatistics]:
    rows = cursor.execute(
        f"""
        -- How many events each tenant has, and how many of its slots wait for a fold.
        WITH dirty AS (
            SELECT tenant, count(DISTINCT slot) AS slots FROM ledger WHERE stream = $stream GROUP BY tenant
        )
        SELECT e.tenant, count(*), epoch_us(time_bucket(INTERVAL 15 MINUTES, min(e.time))),
            epoch_us(time_bucket(INTERVAL 15 MINUTES, max(e.time))), coalesce(max(d.slots), 0)
        FROM {events_table(stream)} AS e LEFT JOIN dirty AS d ON d.tenant = e.tenant
        GROUP BY e.tenant ORDER BY e.tenant
        """,
        {"stream": stream},
    ).fetchall()
    return [StreamStatistics(stream, *row) for row in rows]
