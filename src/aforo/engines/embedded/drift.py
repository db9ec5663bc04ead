"""Raw against rollups: some days of one tenant at a time, as of one snapshot.

It shares with the fold what an event gives to a measure and how states are merged, and nothing else: the rows
are computed here by statements of their own, all of the days at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.drifted import Against, DaysChecked, Difference, KeptDays
from aforo.engines.embedded.comparison import CALENDAR, PICKED, Comparison
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.differing import differences
from aforo.engines.embedded.inputs import input_columns
from aforo.engines.embedded.layout import RollupLayout, events_table, lay_out
from aforo.engines.embedded.parameters import Parameters, timestamp
from aforo.engines.embedded.sealing import seal_of
from aforo.engines.folds import Period
from aforo.model.stream import Stream
from aforo.windows import SLOT, Window, Zone

Starts = npt.NDArray[np.int64]

NAMED = 100
"""Of the differences found together so many are named; all are counted and mended."""

COMPARED = (Period.SLOT, Period.DAY)
"""Longer periods are kept with the versions of their days, and are read only while these are right."""

WAITING = """
-- The slots that wait for a fold.
SELECT DISTINCT epoch_us(slot) AS slot FROM ledger
WHERE stream = $stream AND tenant = $tenant AND slot >= $from AND slot < $to
"""


def kept_days(cursor: Cursor, stream: Stream, zone_of: Callable[[str], Zone]) -> Iterator[KeptDays]:
    """Each tenant's days above its seal that hold an event or a rollup's row."""
    slots = cursor.execute(_kept_slots_sql(stream)).fetchnumpy()
    tenants, codes = np.unique(slots["tenant"].astype(str), return_inverse=True)
    for code, tenant in enumerate(tenants.tolist()):
        # What is sealed has no events to be held against.
        mine = (codes == code) & (slots["start"] >= seal_of(cursor, stream.name, tenant).events_from)
        if mine.any():
            yield _by_day(stream.name, tenant, slots["start"][mine], slots["events"][mine], zone_of(tenant))


def _kept_slots_sql(stream: Stream) -> str:
    rollups = [
        layout.table(period)
        for layout in (RollupLayout.of(stream, rollup) for rollup in stream.rollups.values())
        for period in layout.periods
        if period in COMPARED
    ]
    rows = "".join(f" UNION SELECT DISTINCT tenant, start, 0 FROM {table}" for table in rollups)
    return f"""
        -- When each tenant has events or rollup rows, and how many events.
        SELECT tenant, epoch_us(start) AS start, sum(events)::BIGINT AS events FROM (
            SELECT tenant, time_bucket(INTERVAL 15 MINUTES, time) AS start, count(*) AS events
            FROM {events_table(stream.name)} GROUP BY ALL{rows}
        ) GROUP BY tenant, start ORDER BY tenant, start
    """


def _by_day(stream: str, tenant: str, starts: Starts, events: Starts, zone: Zone) -> KeptDays:
    window = Window(int(starts[0]), int(starts[-1]) + SLOT)
    edges = np.array([day.start for day in zone.days(window)], np.int64)
    days, place = np.unique(np.searchsorted(edges, starts, side="right") - 1, return_inverse=True)
    return KeptDays(stream, tenant, edges[days], np.bincount(place, weights=events).astype(np.int64))


def check(cursor: Cursor, stream: Stream, tenant: str, days: Sequence[Window]) -> DaysChecked:
    """Every rollup's rows of some days, held against the events, and days' also against their slots'."""
    sealed = seal_of(cursor, stream.name, tenant).events_from
    days = [day for day in days if day.start >= sealed]
    if not days:
        return DaysChecked(stream.name, tenant, 0, 0, 0, (), np.empty(0, np.int64))
    within = Window(days[0].start, days[-1].end)
    calendar = _calendar(cursor, stream.name, tenant, days, within)
    cursor.register(CALENDAR, calendar)
    layouts = [RollupLayout.of(stream, rollup) for rollup in stream.rollups.values()]
    _pick(cursor, stream, tenant, within, layouts)
    found, named, slots = 0, list[Difference](), set[int]()
    for compared in _comparisons(stream.name, tenant, layouts, within):
        for difference in differences(cursor, compared):
            found += 1
            if len(named) < NAMED:
                named.append(difference)
            slots.add(difference.start)
    cursor.execute(f"DROP TABLE {PICKED}")
    cursor.unregister(CALENDAR)
    waiting_days = set(calendar.filter(calendar["__day_waits"])["__day"].to_pylist())
    return DaysChecked(
        stream=stream.name,
        tenant=tenant,
        days=len(days) - len(waiting_days),
        waiting=int(pc.sum(calendar["__slot_waits"]).as_py() or 0),
        found=found,
        differences=tuple(named),
        slots=np.array(sorted(slots), np.int64),
    )


def _calendar(cursor: Cursor, stream: str, tenant: str, days: Sequence[Window], within: Window) -> pa.Table:
    """Every slot of the days, the day each is of, and whether it or any of its day waits for a fold."""
    asked = {"stream": stream, "tenant": tenant, "from": timestamp(within.start), "to": timestamp(within.end)}
    waiting = cursor.execute(WAITING, asked).fetchnumpy()["slot"]
    slots = np.concatenate([np.arange(day.start, day.end, SLOT) for day in days])
    day_of = np.concatenate([np.full((day.end - day.start) // SLOT, day.start) for day in days])
    slot_waits = np.isin(slots, waiting)
    return pa.table(
        {
            "__slot": pa.array(slots).cast(pa.timestamp("us")),
            "__day": pa.array(day_of).cast(pa.timestamp("us")),
            "__slot_waits": pa.array(slot_waits),
            "__day_waits": pa.array(np.isin(day_of, day_of[slot_waits])),
        }
    )


def _comparisons(
    stream: str, tenant: str, layouts: list[RollupLayout], within: Window
) -> Iterator[Comparison]:
    """Slots against events, days against slots, or against the events where no slots are kept."""
    for layout in layouts:
        has_slots = Period.SLOT in layout.periods
        if has_slots:
            yield Comparison(stream, tenant, layout, Period.SLOT, Against.EVENTS, within)
        if Period.DAY in layout.periods:
            against = Against.SLOTS if has_slots else Against.EVENTS
            yield Comparison(stream, tenant, layout, Period.DAY, against, within)


def _pick(cursor: Cursor, stream: Stream, tenant: str, within: Window, layouts: list[RollupLayout]) -> None:
    """The days' events as what each gives to every measure, in a table that may leave memory."""
    dimensions = dict.fromkeys(name for layout in layouts for name in layout.dimensions)
    measures = dict.fromkeys(name for layout in layouts for name in layout.rollup.measures)
    parameters = Parameters()
    inputs = [
        item
        for layout in lay_out(stream, tuple(stream.measures[name] for name in measures))
        for item in input_columns(stream, layout, parameters)
    ]
    items = "".join(f", {item}" for item in (*dimensions, *inputs))
    cursor.execute(
        f"""
        -- What the events of days give to each measure, but for slots that wait.
        CREATE OR REPLACE TEMPORARY TABLE {PICKED} AS
        SELECT __slot, __day, __slot_waits, __day_waits{items}
        FROM {events_table(stream.name)}
        JOIN {CALENDAR} ON __slot = time_bucket(INTERVAL 15 MINUTES, time) AND NOT __slot_waits
        WHERE tenant = {parameters.bind(tenant)}
            AND time >= {parameters.bind_time(within.start)} AND time < {parameters.bind_time(within.end)}
        """,
        parameters,
    )
