"""Fold: the rollup rows of dirty slots and of their days, computed from one snapshot and written later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.embedded import gathering, rows
from aforo.engines.embedded.calendar import Calendar
from aforo.engines.embedded.course import DAY_AT, SLOT_AT, Course, Stretch
from aforo.engines.embedded.database import Cursor, only_row
from aforo.engines.embedded.gathering import Parts
from aforo.engines.embedded.held import Holding, worth_holding
from aforo.engines.embedded.inputs import input_columns
from aforo.engines.embedded.layout import RollupLayout, events_table, lay_out
from aforo.engines.embedded.parameters import Parameters
from aforo.engines.embedded.replacing import revisions
from aforo.engines.folds import Claim, Folded, FoldedPeriod, Period
from aforo.model.rollup import RollupGrain
from aforo.model.stream import Stream
from aforo.windows import Zone

MERGED_AT_ONCE_BYTES = 32 * 2**20
"""Rows of several rollups and periods that are read before they are merged, but for the last."""

LAST_COMMIT = """
-- The number of the last durable append, and when it was made.
SELECT coalesce(max("commit"), 0), coalesce(epoch_us(max(made_at)), 0) FROM commits
"""


def fold(
    cursor: Cursor, claim: Claim, stream: Stream, zone_of: Callable[[str], Zone], *, anew: bool = False
) -> Folded:
    """Every rollup's rows for the claimed slots and their days, as the snapshot has them.

    `anew` makes them from all events, where what is kept is not what is held.
    """
    as_of, last_arrival = only_row(cursor, LAST_COMMIT)
    layouts = [RollupLayout.of(stream, rollup) for rollup in stream.rollups.values()]
    calendar = Calendar.of(claim.slots, zone_of)
    course = Course.of(
        calendar,
        Holding.none(calendar.slots) if anew else Holding.of(cursor, stream.name, calendar.slots),
        np.zeros(len(calendar.slots), np.bool_),
        of_events=any(layout.rollup.grain is RollupGrain.DAY for layout in layouts),
    )
    picked, events = _pick(cursor, course, stream, layouts)
    read = picked.num_rows
    if (strange := course.strange(events)).any():
        course = course.without(strange)
        picked, events = _pick(cursor, course, stream, layouts)
        read += picked.num_rows
    hold = ~course.whole_slots | worth_holding(claim.slots, events, last_arrival)
    return Folded(
        claim=claim,
        as_of=as_of,
        day_of=calendar.claimed_day_of,
        days=calendar.days,
        revisions=revisions(cursor, claim.stream, calendar.days),
        periods=tuple(_fold_rollups(cursor, layouts, course, claim, picked)),
        held=hold & (not claim.settling),
        merged=~course.whole_slots,
        rows_read=read,
    )


def _pick(
    cursor: Cursor, course: Course, stream: Stream, layouts: list[RollupLayout]
) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """What the events to fold give to each measure, registered too; and how many each claimed slot has."""
    dimensions = dict.fromkeys(name for layout in layouts for name in layout.dimensions)
    measures = dict.fromkeys(name for layout in layouts for name in layout.rollup.measures)
    parameters = Parameters()
    # A rollup that serves while another is built has the same measures by other names.
    by_key = {each.key: each for each in lay_out(stream, tuple(stream.measures[name] for name in measures))}
    inputs = [item for each in by_key.values() for item in input_columns(stream, each, parameters)]
    items = "".join(f", {item}" for item in (*dimensions, *inputs))
    sql = f"""
        -- What the events to fold give to each measure.
        SELECT c.{SLOT_AT}, c.{DAY_AT}, c.__dirty{items}
        FROM ({_events_sql(stream, course.stretches(), parameters)}) AS e
        JOIN calendar AS c ON c.__tenant = e.tenant AND c.__slot = time_bucket(INTERVAL 15 MINUTES, e.time)
        WHERE e."commit" > c.__after AND e."commit" <= c.__until
    """
    cursor.register("calendar", course.table())
    picked = gathering.numbered(cursor.sql(sql, params=parameters).to_arrow_table())
    cursor.register("picked", picked)
    events = np.bincount(picked[SLOT_AT].to_numpy(), minlength=len(course.calendar.slots))
    return picked, events[course.calendar.dirty]


def _events_sql(stream: Stream, stretches: list[Stretch], parameters: Parameters) -> str:
    """The stream's events of some stretches of time, so that what lies between two is not read."""
    return " UNION ALL ".join(
        f"SELECT * FROM {events_table(stream.name)} WHERE time >= {parameters.bind_time(each.start)} "
        f'AND time < {parameters.bind_time(each.end)} AND "commit" > {parameters.bind(each.after)}'
        for each in stretches
    )


def _fold_rollups(
    cursor: Cursor, layouts: list[RollupLayout], course: Course, claim: Claim, picked: pa.Table
) -> Iterator[FoldedPeriod]:
    """The rows of each rollup and period; what is made of one table alone is whole."""
    days = course.calendar.days
    places = {Period.SLOT: (claim.slots, course.whole_slots), Period.DAY: (days, course.whole_days)}
    for together in _together(_parts(cursor, layouts, course, picked)):
        merged = iter(gathering.merge(cursor, [parts for _, parts in together if parts.several]))
        for period, parts in together:
            rows_of_period = next(merged) if parts.several else parts.tables[0]
            yield FoldedPeriod(parts.layout.rollup, period, *places[period], rows_of_period)


def _together(parts: Iterable[tuple[Period, Parts]]) -> Iterator[list[tuple[Period, Parts]]]:
    """Those that are merged together: all, but no more than may lie in memory at once."""
    waiting: list[tuple[Period, Parts]] = []
    for each in parts:
        waiting.append(each)
        if sum(own.bytes for _, own in waiting) > MERGED_AT_ONCE_BYTES:
            yield waiting
            waiting = []
    yield waiting


def _parts(
    cursor: Cursor, layouts: list[RollupLayout], course: Course, picked: pa.Table
) -> Iterator[tuple[Period, Parts]]:
    """What the rows of each rollup and period are made of: what is new, and what is kept."""
    of_days = [each for each in layouts if each.rollup.grain is RollupGrain.DAY]
    of_slots = [each for each in layouts if each.rollup.grain is not RollupGrain.DAY]
    for layout, fresh in zip(of_slots, rows.of_slots(cursor, of_slots, course.calendar, picked), strict=True):
        kept = rows.Kept(cursor, layout, course)
        yield Period.SLOT, Parts(layout, kept.slots(fresh))
        yield Period.DAY, Parts(layout, kept.days(fresh))
    for layout, fresh in zip(of_days, rows.of_days(cursor, of_days, course.calendar, picked), strict=True):
        yield Period.DAY, Parts(layout, rows.Kept(cursor, layout, course).days_of_events(fresh))
