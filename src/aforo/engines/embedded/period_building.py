"""Putting finished weeks and months together, newest first, in writes that nobody waits long for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import accumulate
from threading import Lock

import numpy as np
import pyarrow as pa

from aforo.engines.embedded.database import Cursor, Database
from aforo.engines.embedded.layout import PERIODS_OF_DAYS, RollupLayout, quoted
from aforo.engines.embedded.merging import Size, day_sizes, merge_days
from aforo.engines.embedded.periods import RevisionSums, Times
from aforo.engines.embedded.sparing import Place, Spared
from aforo.engines.folds import Period
from aforo.model.model import Model
from aforo.model.stream import Stream
from aforo.windows import LATEST, Grain, Window, Zone

MOST_PERIODS = 64  # weeks or months put together at once
MOST_READ = Size(rows=200_000, members=4_000_000)
"""Of days that are read for that, but for a single period that has more; a member takes some 40 bytes."""
ROWS_A_WRITE = 50_000

FOLDED_TENANTS = """
-- Whose days of a stream were folded, and how often together.
SELECT tenant, sum(revision)::BIGINT, epoch_us(min(day)), epoch_us(max(day))
FROM revisions WHERE stream = $stream GROUP BY tenant ORDER BY tenant
"""

DIRTY = """
-- The slots that wait for a fold, ascending.
SELECT DISTINCT epoch_us(slot) AS slot FROM ledger WHERE stream = $stream AND tenant = $tenant ORDER BY slot
"""

VERSIONS = """
-- Which version of their days a rollup's kept weeks or months are.
SELECT tenant, epoch_us(start), revision FROM period_versions WHERE rollup = $rollup AND period = $period
"""

UNSTAMP = """
-- Their rows are about to change.
DELETE FROM period_versions AS v USING built AS b
WHERE v.rollup = $rollup AND v.period = $period AND v.tenant = b.tenant AND v.start = b.start
"""

STAMP = """
-- From now on the rows of these periods may be read, for as long as their days keep their revisions.
INSERT INTO period_versions SELECT $rollup, tenant, $period, start, "end", revision, without FROM built
"""


@dataclass(frozen=True, slots=True)
class Finished:
    """A week or month that is over, and nothing in it waits for a fold; `days` are where its days start."""

    tenant: str
    period: Period
    start: int
    end: int
    revision: int
    days: Times


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found finished, and of which tenants: their revisions, and until when no other period ends."""

    finished: list[Finished]
    settled: dict[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Work:
    """Weeks or months of one rollup to be put together."""

    layout: RollupLayout
    period: Period
    finished: tuple[Finished, ...]

    def members(self) -> pa.Table:
        """Which days make up each period."""
        lengths = [len(each.days) for each in self.finished]
        return pa.table(
            {
                "__tenant": pa.array(np.repeat([each.tenant for each in self.finished], lengths)),
                "__day": _as_times(np.concatenate([each.days for each in self.finished])),
                "__start": _as_times(np.repeat([each.start for each in self.finished], lengths)),
            }
        )

    def built(self, without: Mapping[Place, list[str]]) -> pa.Table:
        """The periods with the versions of their days, and the measures whose sets they are without."""
        return pa.table(
            {
                "tenant": pa.array([each.tenant for each in self.finished], pa.string()),
                "start": _as_times(np.array([each.start for each in self.finished], np.int64)),
                "end": _as_times(np.array([each.end for each in self.finished], np.int64)),
                "revision": pa.array([each.revision for each in self.finished], pa.int64()),
                "without": pa.array(
                    [without.get((each.tenant, each.start), []) for each in self.finished],
                    pa.list_(pa.string()),
                ),
            }
        )


class PeriodBuilding:
    """Finds the periods to be put together, and does so; one at a time, from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._one_at_a_time = Lock()
        # Of which revisions, and until when, there is nothing to do for a stream and tenant.
        self._settled: dict[tuple[str, str], tuple[int, int]] = {}

    def forget(self) -> None:
        """Looks at everything again: the rollups or the tenants' days may be others."""
        self._settled.clear()

    def build(self, model: Model, zone_of: Callable[[str], Zone], now: int) -> int:
        """The newest periods of the first rollup that has any to build; how many they were."""
        with self._one_at_a_time:
            for stream in model.streams.values():
                if built := self._build_of(stream, zone_of, now):
                    return built
        return 0

    def _build_of(self, stream: Stream, zone_of: Callable[[str], Zone], now: int) -> int:
        with self._database.snapshot() as cursor:
            looked = self._look(cursor, stream, zone_of, now)
            work = _first_work(cursor, stream, looked.finished) if looked.finished else None
            if work is None:
                self._settled.update(looked.settled)
                return 0
            merged = merge_days(cursor, work.layout, work.members())
        self._write(work, merged)
        return len(work.finished)

    def _look(self, cursor: Cursor, stream: Stream, zone_of: Callable[[str], Zone], now: int) -> Looked:
        """The finished periods of every tenant whose days have changed since there was nothing to do."""
        looked = Looked([], {})
        tenants = cursor.execute(FOLDED_TENANTS, {"stream": stream.name}).fetchall()
        for tenant, revision, first, last in tenants:
            known, until = self._settled.get((stream.name, tenant), (0, 0))
            if known == revision and now < until:
                continue
            spans = _spans(zone_of(tenant), first, last)
            finished, waits = _finished(cursor, stream.name, tenant, spans, now)
            looked.finished.extend(finished)
            if not waits:
                coming = (window.end for _, window in spans if window.end > now)
                looked.settled[stream.name, tenant] = (revision, min(coming, default=LATEST))
        return looked

    def _write(self, work: Work, merged: Spared) -> None:
        """Takes the old rows out of use, writes the new ones in pieces, and then lets them be read."""
        writes = list(writes_of(work, merged))
        whole = merged.rows.num_rows <= ROWS_A_WRITE
        touched = frozenset(each.tenant for each in work.finished)
        for together in [writes] if whole else [[each] for each in writes]:
            self._database.write(partial(_do, together), touched=touched)


def _spans(zone: Zone, first: int, last: int) -> list[tuple[Period, Window]]:
    """Every week and month that holds one of the days from `first` to `last`."""
    from_, to = zone.date_of(first), zone.date_of(last)
    after_month = zone.month_start_of(zone.month_start_of(to) + timedelta(days=32))
    return [
        (period, Window(bucket.start, bucket.end))
        for period, grain, begin, end in (
            (Period.WEEK, Grain.WEEK, zone.week_start_of(from_), zone.week_start_of(to) + timedelta(days=7)),
            (Period.MONTH, Grain.MONTH, zone.month_start_of(from_), after_month),
        )
        for bucket in zone.buckets(Window(zone.day_start(begin), zone.day_start(end)), grain)
    ]


def _finished(
    cursor: Cursor, stream: str, tenant: str, spans: list[tuple[Period, Window]], now: int
) -> tuple[list[Finished], bool]:
    """The periods of a tenant that are over and were folded; and whether others wait for a fold."""
    all_of_it = Window(min(each.start for _, each in spans), max(each.end for _, each in spans))
    revisions = RevisionSums.of(cursor, stream, tenant, all_of_it)
    dirty = cursor.execute(DIRTY, {"stream": stream, "tenant": tenant}).fetchnumpy()["slot"]
    found: list[Finished] = []
    waits = False
    for period, window in spans:
        revision = revisions.within(window.start, window.end)
        if window.end > now or not revision:
            continue
        if len(_between(dirty, window)):
            waits = True
            continue
        days = _between(revisions.days, window)
        found.append(Finished(tenant, period, window.start, window.end, revision, days))
    return found, waits


def _between(times: Times, window: Window) -> Times:
    first, last = np.searchsorted(times, (window.start, window.end))
    return times[first:last]


def _first_work(cursor: Cursor, stream: Stream, finished: list[Finished]) -> Work | None:
    """The newest of those periods that the first rollup that lacks any does not keep as its days are now."""
    for rollup in stream.rollups.values():
        layout = RollupLayout.of(stream, rollup)
        for period in PERIODS_OF_DAYS:
            versions = cursor.execute(VERSIONS, {"rollup": layout.hash, "period": period}).fetchall()
            kept = {(tenant, start): revision for tenant, start, revision in versions}
            stale = [
                each
                for each in finished
                if each.period is period and kept.get((each.tenant, each.start)) != each.revision
            ]
            if stale:
                stale.sort(key=lambda each: (-each.end, each.tenant))
                return _bounded(cursor, Work(layout, period, tuple(stale[:MOST_PERIODS])))
    return None


def _bounded(cursor: Cursor, work: Work) -> Work:
    """As many of the periods as are not made of too much together, at least one."""
    sizes = day_sizes(cursor, work.layout, work.members())
    of_periods = (
        sum((sizes.get((each.tenant, day), Size()) for day in each.days.tolist()), Size())
        for each in work.finished
    )
    running = list(accumulate(of_periods))
    within = sum(size.rows <= MOST_READ.rows and size.members <= MOST_READ.members for size in running)
    return Work(work.layout, work.period, work.finished[: max(1, within)])


def writes_of(work: Work, merged: Spared) -> Iterator[Callable[[Cursor], None]]:
    """What is to be written, in order; between any two of them the periods are just not kept."""
    table, rows = work.layout.table(work.period), merged.rows
    built = work.built(merged.without)
    named: dict[str, object] = {"rollup": work.layout.hash, "period": work.period}

    def clear(cursor: Cursor) -> None:
        cursor.register("built", built)
        cursor.execute(UNSTAMP, named)
        cursor.execute(
            f"DELETE FROM {table} AS r USING built AS b WHERE r.tenant = b.tenant AND r.start = b.start"
        )
        cursor.unregister("built")

    def stamp(cursor: Cursor) -> None:
        cursor.register("built", built)
        cursor.execute(STAMP, named)
        cursor.unregister("built")

    yield clear
    for at in range(0, rows.num_rows, ROWS_A_WRITE):
        yield _insert(table, rows.slice(at, ROWS_A_WRITE))
    yield stamp


def _do(writes: list[Callable[[Cursor], None]], cursor: Cursor) -> None:
    for write in writes:
        write(cursor)


def _insert(table: str, rows: pa.Table) -> Callable[[Cursor], None]:
    names = ", ".join(quoted(name) for name in rows.column_names)

    def insert(cursor: Cursor) -> None:
        cursor.register("merged", rows)
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM merged")
        cursor.unregister("merged")

    return insert


def _as_times(microseconds: Times) -> pa.Array:
    return pa.array(microseconds).cast(pa.timestamp("us"))
