"""Fold: the rollup rows of dirty slots and of their days, computed from one snapshot and written later."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from aforo.engines.embedded.calendar import Calendar, Span
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.inputs import input_columns
from aforo.engines.embedded.layout import RollupLayout, events_table, lay_out
from aforo.engines.embedded.modelling import last_commit
from aforo.engines.embedded.parameters import Parameters
from aforo.engines.embedded.replacing import revisions
from aforo.engines.embedded.rows import Parts, from_events, from_slots
from aforo.engines.engine import Claim, Folded, FoldedPeriod, Period, Places
from aforo.model.rollup import RollupGrain
from aforo.model.stream import Stream
from aforo.windows import Zone


def fold(cursor: Cursor, claim: Claim, stream: Stream, zone_of: Callable[[str], Zone]) -> Folded:
    """Every rollup's rows for the claimed slots and their days, as the snapshot has them."""
    as_of = last_commit(cursor)
    calendar = Calendar.of(claim.slots, zone_of)
    cursor.register("calendar", calendar.table())
    layouts = [RollupLayout.of(stream, rollup) for rollup in stream.rollups.values()]
    picked = _pick(cursor, calendar, stream, layouts)
    cursor.register("picked", picked)
    periods = [period for layout in layouts for period in _fold_rollup(cursor, claim, layout, calendar)]
    return Folded(
        claim=claim,
        as_of=as_of,
        day_of=calendar.claimed_day_of,
        days=calendar.days,
        revisions=revisions(cursor, claim.stream, calendar.days),
        periods=tuple(periods),
        rows_read=picked.num_rows,
    )


def _pick(cursor: Cursor, calendar: Calendar, stream: Stream, layouts: list[RollupLayout]) -> pa.Table:
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
    spans = calendar.spans(whole_days=whole_days)
    items = "".join(f", {item}" for item in (*dimensions, *inputs))
    sql = f"""
        -- What the events of the days to fold give to each measure.
        SELECT c.__tenant, c.__slot, c.__day, c.__dirty{items}
        FROM ({_events_sql(stream, spans, parameters)}) AS e
        JOIN calendar AS c ON c.__tenant = e.tenant AND c.__slot = time_bucket(INTERVAL 15 MINUTES, e.time)
        WHERE c.__dirty OR {parameters.bind(whole_days)}
    """
    return cursor.sql(sql, params=parameters).to_arrow_table()


def _events_sql(stream: Stream, spans: list[Span], parameters: Parameters) -> str:
    """The stream's events of some stretches of time, so that what lies between two is not read."""
    return " UNION ALL ".join(
        f"SELECT * FROM {events_table(stream.name)} "
        f"WHERE time >= {parameters.bind_time(start)} AND time < {parameters.bind_time(end)}"
        for start, end in spans
    )


def _fold_rollup(
    cursor: Cursor, claim: Claim, layout: RollupLayout, calendar: Calendar
) -> list[FoldedPeriod]:
    if layout.rollup.grain is RollupGrain.DAY:
        days = from_events(cursor, layout, "__day", only_dirty=False)
        return [_folded(layout, Period.DAY, calendar.days, days)]
    slots = from_events(cursor, layout, "__slot", only_dirty=True)
    days = from_slots(cursor, layout, calendar.span, slots)
    return [
        _folded(layout, Period.SLOT, claim.slots, slots),
        _folded(layout, Period.DAY, calendar.days, days),
    ]


def _folded(layout: RollupLayout, period: Period, starts: Places, parts: Parts) -> FoldedPeriod:
    return FoldedPeriod(layout.rollup, period, starts, parts.sums, parts.buckets, parts.sets)
