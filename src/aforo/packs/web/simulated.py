"""A site that is made up: its days as chunks of events, late and repeated ones among them.

A day is made some visits at a time, so that what is held at once has a bound whatever the rate. What the site
is like stands in `simulated_shapes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.events.columns import Source
from aforo.events.readers import Chunk
from aforo.packs.simulating import Simulator, Wish
from aforo.packs.web import simulated_shapes as shapes
from aforo.packs.web.simulated_pages import forms_of, leads_of, pages_of
from aforo.packs.web.simulated_visits import visits_on

EVENTS, LEADS = "web_events", "web_leads"
DAYS_LATE = 3
ROWS = 10_000


def make(wish: Wish) -> Iterator[Chunk]:
    """The site's events, day by day; late ones come with one of the days after their own."""
    row = 0
    for day, stream, table in _gathered(_tables(wish), wish.days):
        yield _chunk(stream, table, row, (min(day + 1, wish.days), wish.days))
        row += table.num_rows


def _gathered(tables: Iterable[tuple[int, str, pa.Table]], days: int) -> Iterator[tuple[int, str, pa.Table]]:
    """The same in fewer tables, each large enough to be worth a commit."""
    held: dict[str, list[pa.Table]] = {EVENTS: [], LEADS: []}
    for day, stream, table in tables:
        held[stream].append(table)
        if sum(each.num_rows for each in held[stream]) >= ROWS:
            yield day, stream, pa.concat_tables(held[stream])
            held[stream] = []
    for stream, rest in held.items():
        if any(each.num_rows for each in rest):
            yield days, stream, pa.concat_tables(rest)


def _tables(wish: Wish) -> Iterator[tuple[int, str, pa.Table]]:
    """Events of one stream, with the place of the day on which they come."""
    last = wish.zone.date_of(wish.until - 1)
    waiting: dict[int, list[pa.Table]] = {}
    for at in range(wish.days + DAYS_LATE):
        if at < wish.days:
            day = last - timedelta(days=wish.days - 1 - at)
            yield from ((at, stream, table) for stream, table in _of_day(day, wish, at, waiting))
        yield from ((at, EVENTS, table) for table in waiting.pop(at, ()))


def _of_day(
    day: date, wish: Wish, at: int, waiting: dict[int, list[pa.Table]]
) -> Iterator[tuple[str, pa.Table]]:
    for visits, dice in visits_on(day, wish):
        pages = pages_of(visits, wish.seed, dice)
        events = pa.concat_tables(
            [pages.table, forms_of(visits, pages, wish.seed)], promote_options="default"
        )
        events = events.filter(pc.less(events["time"], _instant(wish.until)))
        leads = leads_of(visits, pages)
        yield LEADS, leads.filter(pc.less(leads["time"], _instant(wish.until)))
        late = dice.random(events.num_rows) < shapes.LATE
        waiting.setdefault(at + int(dice.integers(1, DAYS_LATE + 1)), []).append(
            events.filter(pa.array(late))
        )
        again = events.filter(pa.array(dice.random(events.num_rows) < shapes.TWICE))
        yield EVENTS, pa.concat_tables([events.filter(pa.array(~late)), again])


def _instant(time: int) -> pa.Scalar:
    return pa.scalar(time, pa.timestamp("us", "UTC"))


def _chunk(stream: str, table: pa.Table, first: int, progress: tuple[int, int]) -> Chunk:
    """A chunk whose progress is told in days."""
    whole = table.combine_chunks()
    columns: Mapping[str, pa.Array] = {name: _array(whole[name]) for name in whole.column_names}
    return Chunk(
        first_row=first,
        rows=table.num_rows,
        columns={"stream": pa.array([stream]).take(pa.array(np.zeros(table.num_rows, np.int64))), **columns},
        bytes_read=progress[0],
        bytes_total=progress[1],
        source=Source.ARROW,
        numbers=np.arange(first, first + table.num_rows),
    )


def _array(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


WEB = Simulator(
    make=make,
    tenant="demo-site",
    ask="web_visitors,web_page_views",
)
