"""A small model for questions of who came: visits of tenants in zones of many kinds, and plain oracles."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise, product

import pyarrow as pa
from tests.reference_engine import Event

from aforo.engines.appends import Append, StreamRows
from aforo.model.reading import read_model
from aforo.windows import DAY, Bucket, parse_instant

MODEL = read_model(
    """
tenants:
  madrid: {timezone: Europe/Madrid}
  kathmandu: {timezone: Asia/Kathmandu, week_start: sunday}
  apia: {timezone: Pacific/Apia}
streams:
  visits:
    fields: {visitor: string, page: string, country: string, seconds: number}
    entities: {person: visitor}
    measures:
      all_visits: count
      people: {distinct: person}
      readers: {distinct: person, where: "page = 'book'"}
    rollups:
      whole: {by: []}
      countries: {by: [country]}
      pages: {by: [page, country], grain: day}
  orders:
    fields: {buyer: string, amount: integer}
    entities: {person: buyer}
    measures: {all_orders: count, buyers: {distinct: person}}
    rollups: {all: {by: []}}
metrics:
  visits: {formula: all_visits}
  people: {formula: people}
  new_people: {formula: new(people)}
  back: {formula: returning(people)}
  new_share: {formula: new(people) / people}
  new_readers: {formula: new(readers)}
  readers: {formula: readers}
  buyers: {formula: buyers}
""",
    source="visits",
)
VISITS = MODEL.streams["visits"]
ORDERS = MODEL.streams["orders"]
TENANTS = ("madrid", "kathmandu", "apia")
START = parse_instant("2011-12-20T00:00:00Z")  # Apia skips the 30th of December
DAYS = 30
_TYPES = {"seconds": pa.float64(), "amount": pa.int64()}


def visit(tenant: str, time: int, visitor: str | None, page: str, country: str | None) -> Event:
    fields = {"visitor": visitor, "page": page, "country": country, "seconds": 1.5}
    return Event(tenant, "visits", time, fields)


def some_visits(count: int, seed: int) -> list[Event]:
    """Visits of few people over a month, some of them at one instant."""
    dice = random.Random(seed)
    return [
        visit(
            dice.choice(TENANTS),
            START + dice.randrange(DAYS * 96) * (DAY // 96) + dice.choice([0, 0, 1, 7_000_000]),
            dice.choice([None, *(f"v{at}" for at in range(40))]),
            dice.choice(["home", "book", "cart"]),
            dice.choice(["ES", "NP", None]),
        )
        for _ in range(count)
    ]


def appended(events: Sequence[Event], first_id: int = 0) -> Append:
    """The events of both streams as one commit."""
    rows = []
    for stream in (VISITS, ORDERS):
        mine = [event for event in events if event.stream == stream.name]
        columns: dict[str, pa.Array] = {
            "tenant": pa.array([event.tenant for event in mine], pa.string()),
            "id": pa.array([f"{stream.name}{first_id + at}" for at in range(len(mine))], pa.string()),
            "time": pa.array([event.time for event in mine], pa.timestamp("us")),
            "untimed": pa.array([False] * len(mine), pa.bool_()),
        }
        for name in stream.fields:
            columns[name] = pa.array([event.fields[name] for event in mine], _TYPES.get(name, pa.string()))
        rows.append(StreamRows(stream, pa.table(columns)))
    return Append(tuple(each for each in rows if each.rows.num_rows), (), START + 400 * DAY)


Fits = Callable[[Event], bool]


def people(events: Iterable[Event], start: int, end: int, fits: Fits = lambda _: True) -> set[object]:
    """Whoever has an event in the time that fits."""
    found = {
        event.fields["visitor"]
        for event in events
        if event.stream == "visits" and start <= event.time < end and fits(event)
    }
    return found - {None}


def cohorts(
    events: Sequence[Event], periods: Sequence[Bucket], joins: Fits, returns: Fits, fits: Fits
) -> list[tuple[int, list[int]]]:
    """Sizes and who was back, by the first time each person fits `joins` at all."""
    table = []
    for at, period in enumerate(periods):
        before = people(events, 0, period.start, joins)
        here = people(events, period.start, period.end, lambda event: joins(event) and fits(event))
        cohort = here - before
        later = [
            len(cohort & people(events, each.start, each.end, lambda event: returns(event) and fits(event)))
            for each in periods[at:]
        ]
        table.append((len(cohort), later))
    return table


def paths(
    events: Iterable[tuple[object, int, frozenset[int]]], steps: int, within: int | None
) -> tuple[int, ...]:
    """By trying every choice of events: how many have a chain of events of rising times up to each step."""
    by_entity: dict[object, list[tuple[int, frozenset[int]]]] = {}
    for entity, time, these in events:
        by_entity.setdefault(entity, []).append((time, these))
    return tuple(
        sum(_has_chain(mine, step + 1, within) for mine in by_entity.values()) for step in range(steps)
    )


def _has_chain(events: Sequence[tuple[int, frozenset[int]]], length: int, within: int | None) -> bool:
    choices = [[time for time, these in events if step in these] for step in range(length)]
    return any(
        all(a < b for a, b in pairwise(chain)) and (within is None or chain[-1] - chain[0] <= within)
        for chain in product(*choices)
    )
