"""Fold: the rollup rows of dirty slots and of their days, computed from one snapshot and written later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.embedded import sealing
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.inputs import input_columns
from aforo.engines.embedded.layout import RollupLayout, events_table, lay_out, quoted
from aforo.engines.embedded.modelling import last_commit
from aforo.engines.embedded.parameters import Parameters
from aforo.engines.embedded.rows import Parts, from_events, from_slots
from aforo.engines.engine import Claim, Folded, FoldedPeriod, Period
from aforo.model.rollup import RollupGrain
from aforo.model.stream import Stream
from aforo.windows import SLOT, Window, Zone

Starts = npt.NDArray[np.int64]

REVISIONS = """
-- How often each of some days was folded, in their order.
SELECT coalesce(max(r.revision), 0)::BIGINT AS revision
FROM starts AS s LEFT JOIN revisions AS r
    ON r.stream = $stream AND r.tenant = $tenant AND r.day = s.start
GROUP BY s.start ORDER BY s.start
"""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Every slot of the dirty days, the day each is of, and whether it is dirty; `days` are their starts."""

    slots: Starts
    day_of: Starts
    dirty: npt.NDArray[np.bool_]
    days: Starts

    @classmethod
    def of(cls, claim: Claim, zone: Zone) -> Calendar:
        """Every slot of every day that holds a claimed slot."""
        window = Window(int(claim.slots[0]), int(claim.slots[-1]) + SLOT)
        first, last = zone.date_of(window.start), zone.date_of(window.end - SLOT)
        touched = [
            day
            for day in zone.days(Window(zone.day_start(first), window.end))
            if first <= day.date <= last and _holds(claim.slots, day.start, day.end)
        ]
        slots = np.concatenate([np.arange(day.start, day.end, SLOT) for day in touched])
        day_of = np.concatenate([np.full((day.end - day.start) // SLOT, day.start) for day in touched])
        days = np.array([day.start for day in touched], np.int64)
        return cls(slots, day_of, np.isin(slots, claim.slots), days)

    def table(self) -> pa.Table:
        return pa.table(
            {"__slot": as_times(self.slots), "__day": as_times(self.day_of), "__dirty": pa.array(self.dirty)}
        )


def _holds(slots: Starts, start: int, end: int) -> bool:
    return bool(np.searchsorted(slots, end) > np.searchsorted(slots, start))


def as_times(microseconds_: Starts) -> pa.Array:
    """Microseconds as naive UTC times."""
    return pa.array(microseconds_).cast(pa.timestamp("us"))


def fold(cursor: Cursor, claim: Claim, stream: Stream, zone: Zone) -> Folded:
    """Every rollup's rows for the claimed slots and their days, as the snapshot has them."""
    as_of = last_commit(cursor)
    calendar = Calendar.of(claim, zone)
    cursor.register("calendar", calendar.table())
    layouts = [RollupLayout.of(stream, rollup) for rollup in stream.rollups.values()]
    picked = _pick(cursor, claim, stream, layouts)
    cursor.register("picked", picked)
    periods: list[FoldedPeriod] = []
    for layout in layouts:
        periods += _fold_rollup(cursor, claim, layout, calendar)
    revisions = _revisions(cursor, claim.stream, claim.tenant, calendar.days)
    return Folded(claim, as_of, calendar.days, revisions, tuple(periods), picked.num_rows)


def _pick(cursor: Cursor, claim: Claim, stream: Stream, layouts: list[RollupLayout]) -> pa.Table:
    """The events to fold, as what each gives to every measure.

    Rollups whose finest grain is the day need the whole of a dirty day, the others its dirty slots.
    """
    whole_days = any(layout.rollup.grain is RollupGrain.DAY for layout in layouts)
    dimensions = dict.fromkeys(name for layout in layouts for name in layout.dimensions)
    measures = dict.fromkeys(name for layout in layouts for name in layout.rollup.measures)
    parameters = Parameters()
    inputs = [
        item
        for layout in lay_out(stream, tuple(stream.measures[name] for name in measures))
        for item in input_columns(stream, layout, parameters)
    ]
    sql = f"""
        -- What the events of the days to fold give to each measure.
        SELECT c.__slot, c.__day, c.__dirty{"".join(f", {item}" for item in (*dimensions, *inputs))}
        FROM {events_table(stream.name)} AS e
        JOIN calendar AS c ON c.__slot = time_bucket(INTERVAL 15 MINUTES, e.time)
        WHERE e.tenant = {parameters.bind(claim.tenant)}
            AND e.time >= (SELECT min(__slot) FROM calendar WHERE __dirty OR {parameters.bind(whole_days)})
            AND e.time < (SELECT max(__slot) FROM calendar WHERE __dirty OR {parameters.bind(whole_days)})
                + INTERVAL 15 MINUTES
            AND (c.__dirty OR {parameters.bind(whole_days)})
    """
    return cursor.sql(sql, params=parameters).to_arrow_table()


def _fold_rollup(
    cursor: Cursor, claim: Claim, layout: RollupLayout, calendar: Calendar
) -> list[FoldedPeriod]:
    if layout.rollup.grain is RollupGrain.DAY:
        return [
            _folded(layout, Period.DAY, calendar.days, from_events(cursor, layout, "__day", only_dirty=False))
        ]
    slots = from_events(cursor, layout, "__slot", only_dirty=True)
    days = from_slots(cursor, layout, claim.tenant, slots)
    return [
        _folded(layout, Period.SLOT, claim.slots, slots),
        _folded(layout, Period.DAY, calendar.days, days),
    ]


def _folded(layout: RollupLayout, period: Period, starts: Starts, parts: Parts) -> FoldedPeriod:
    return FoldedPeriod(layout.rollup, period, starts, parts.sums, parts.buckets, parts.sets)


def write(cursor: Cursor, folded: Folded, stream: Stream) -> None:
    """Replaces the rows of every folded period, raises the days' revisions and removes the answered marks.

    A fold that another has overtaken would bring old rows back, or a day without the other's slots.
    """
    tenant = folded.claim.tenant
    if folded.days[0] < sealing.seal_of(cursor, stream.name, tenant).events_from:
        # What was claimed has been purged: nothing of it may be put in the place of what is kept.
        sealing.sweep(cursor, stream.name, tenant)
        return
    if not np.array_equal(_revisions(cursor, stream.name, tenant, folded.days), folded.revisions):
        return
    for period in folded.periods:
        _replace(cursor, RollupLayout.of(stream, period.rollup), tenant, period)
    _raise_revisions(cursor, stream.name, tenant, folded)
    _with_starts(
        cursor,
        folded.claim.slots,
        """
        -- Marks that came after the snapshot stay.
        DELETE FROM ledger USING starts
        WHERE stream = $stream AND tenant = $tenant AND slot = starts.start AND "commit" <= $as_of
        """,
        {"stream": stream.name, "tenant": tenant, "as_of": folded.as_of},
    )


def _replace(cursor: Cursor, layout: RollupLayout, tenant: str, period: FoldedPeriod) -> None:
    rows = {"sums": period.sums, "buckets": period.buckets, "sets": period.sets}
    for part in layout.parts:
        table = layout.table(period.period, part)
        first, last = int(period.starts.min()), int(period.starts.max())
        _with_starts(
            cursor,
            period.starts,
            f"DELETE FROM {table} USING starts WHERE tenant = $tenant AND {table}.start = starts.start "
            f"AND {table}.start BETWEEN make_timestamp($first) AND make_timestamp($last)",
            {"tenant": tenant, "first": first, "last": last},
        )
        new = rows[part]
        if new is None or not new.num_rows:
            continue
        cursor.register("folded", new)
        names = ", ".join(quoted(name) for name in new.column_names)
        cursor.execute(
            f"INSERT INTO {table} (tenant, {names}) SELECT $tenant, {names} FROM folded", {"tenant": tenant}
        )
        cursor.unregister("folded")


def _revisions(cursor: Cursor, stream: str, tenant: str, days: Starts) -> Starts:
    cursor.register("starts", pa.table({"start": as_times(days)}))
    found = cursor.execute(REVISIONS, {"stream": stream, "tenant": tenant}).fetchnumpy()["revision"]
    cursor.unregister("starts")
    return np.asarray(found, np.int64)


def _raise_revisions(cursor: Cursor, stream: str, tenant: str, folded: Folded) -> None:
    """Every folded day has a new version; the first is 1."""
    named: dict[str, object] = {"stream": stream, "tenant": tenant}
    raised = {"start": as_times(folded.days), "revision": pa.array(folded.revisions + 1)}
    cursor.register("raised", pa.table(raised))
    cursor.execute(
        "DELETE FROM revisions "
        "WHERE stream = $stream AND tenant = $tenant AND day IN (SELECT start FROM raised)",
        named,
    )
    cursor.execute("INSERT INTO revisions SELECT $stream, $tenant, start, revision FROM raised", named)
    cursor.unregister("raised")


def _with_starts(cursor: Cursor, starts: Starts, sql: str, parameters: dict[str, object]) -> None:
    cursor.register("starts", pa.table({"start": as_times(starts)}))
    cursor.execute(sql, parameters)
    cursor.unregister("starts")
