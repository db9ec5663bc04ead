"""Fold: the rollup rows of dirty slots and of their days, computed from one snapshot and written later."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.embedded import gathering, rows
from aforo.engines.embedded.calendar import Calendar
from aforo.engines.embedded.course import Course, Stretch
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.held import Holding, worth_holding
from aforo.engines.embedded.inputs import input_columns
from aforo.engines.embedded.layout import RollupLayout, events_table, lay_out
from aforo.engines.embedded.modelling import last_commit
from aforo.engines.embedded.parameters import Parameters
from aforo.engines.embedded.replacing import revisions
from aforo.engines.folds import Claim, Folded, FoldedPeriod, Period
from aforo.model.rollup import RollupGrain
from aforo.model.stream import Stream
from aforo.windows import Zone

EVENTS_OF_SLOTS = """
-- How many events were read of each claimed slot, in their order.
SELECT count(p.__slot) AS events
FROM calendar AS c LEFT JOIN picked AS p ON p.__tenant = c.__tenant AND p.__slot = c.__slot
WHERE c.__dirty GROUP BY c.__tenant, c.__slot ORDER BY c.__tenant, c.__slot
"""


def fold(
    cursor: Cursor, claim: Claim, stream: Stream, zone_of: Callable[[str], Zone], *, anew: bool = False
) -> Folded:
    """Every rollup's rows for the claimed slots and their days, as the snapshot has them.

    `anew` makes them from all events, where what is kept is not what is held.
    """
    as_of = last_commit(cursor)
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
    hold = ~course.whole_slots | worth_holding(cursor, claim.slots, events)
    return Folded(
        claim=claim,
        as_of=as_of,
        day_of=calendar.claimed_day_of,
        days=calendar.days,
        revisions=revisions(cursor, claim.stream, calendar.days),
        periods=tuple(
            each for layout in layouts for each in _fold_rollup(cursor, layout, course, claim, picked)
        ),
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
        SELECT c.__tenant, c.__slot, c.__day, c.__dirty{items}
        FROM ({_events_sql(stream, course.stretches(), parameters)}) AS e
        JOIN calendar AS c ON c.__tenant = e.tenant AND c.__slot = time_bucket(INTERVAL 15 MINUTES, e.time)
        WHERE e."commit" > c.__after AND e."commit" <= c.__until
    """
    cursor.register("calendar", course.table())
    picked = gathering.numbered(cursor.sql(sql, params=parameters).to_arrow_table())
    cursor.register("picked", picked)
    events = cursor.execute(EVENTS_OF_SLOTS).fetchnumpy()["events"]
    return picked, np.asarray(events, np.int64)


def _events_sql(stream: Stream, stretches: list[Stretch], parameters: Parameters) -> str:
    """The stream's events of some stretches of time, so that what lies between two is not read."""
    return " UNION ALL ".join(
        f"SELECT * FROM {events_table(stream.name)} WHERE time >= {parameters.bind_time(each.start)} "
        f'AND time < {parameters.bind_time(each.end)} AND "commit" > {parameters.bind(each.after)}'
        for each in stretches
    )


def _fold_rollup(
    cursor: Cursor, layout: RollupLayout, course: Course, claim: Claim, picked: pa.Table
) -> list[FoldedPeriod]:
    calendar, merger = course.calendar, rows.Merger(cursor, layout, course)
    if layout.rollup.grain is RollupGrain.DAY:
        days = merger.days_of_events(rows.of_days(cursor, layout, picked))
        return [FoldedPeriod(layout.rollup, Period.DAY, calendar.days, course.whole_days, days)]
    fresh = rows.of_slots(cursor, layout, picked)
    return [
        FoldedPeriod(layout.rollup, Period.SLOT, claim.slots, course.whole_slots, merger.slots(fresh)),
        FoldedPeriod(layout.rollup, Period.DAY, calendar.days, course.whole_days, merger.days(fresh)),
    ]
