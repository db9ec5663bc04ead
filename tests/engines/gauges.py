"""Readings of river gauges, and a bench that sets an engine beside the plain reference.

The model has a measure of every kind, dimensions of every type, and fields named like what engines keep of
their own.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from tests.reference_engine import Event, ReferenceEngine

from aforo.engines.appends import Append, Commit, OutcomeCount, StreamRows
from aforo.engines.engine import Engine
from aforo.engines.folds import Period
from aforo.engines.reads import Segment, States, StatesRequest
from aforo.model.condition import Condition
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.model.rollup import Rollup, RollupGrain
from aforo.model.stream import FieldType, Stream
from aforo.model.tenant import Tenant
from aforo.windows import DAY, SLOT, Grain, Window, Zone, parse_instant, slot_of

YAML = """
tenants:
  river: {timezone: America/New_York}
  hills: {timezone: Asia/Kathmandu, week_start: sunday}
  plain: {timezone: UTC}
streams:
  readings:
    fields:
      station: {type: string}
      gate: {type: integer}
      wet: {type: boolean}
      level: {type: number, scale: 2}
      flow: {type: integer}
      seen: {type: timestamp}
      probe: {type: string}
      crew: {type: integer}
    entities: {probe: probe, crew: crew}
    measures:
      all_readings: count
      dry: {count: true, where: "wet = false"}
      level_sum: {sum: level}
      flow_sum: {sum: flow}
      lowest: {minimum: level}
      highest: {maximum: flow}
      levels: {histogram: level}
      wet_flows: {histogram: flow, where: "wet = true and flow is not null"}
      probes: {distinct: probe}
      north_crews: {distinct: crew, where: 'station = "north"'}
    rollups:
      whole: {by: []}
      gates: {by: [station, gate, wet]}
      wide: {by: [station, gate, probe], grain: day}
  visits:
    fields: {probe: {type: string}, station: {type: string}}
    entities: {probe: probe}
    measures: {all_visits: count, probes_seen: {distinct: probe}}
    rollups: {each: {by: [station]}}
"""
MODEL = read_model(YAML, source="gauges.yaml")
READINGS = MODEL.streams["readings"]
VISITS = MODEL.streams["visits"]
DEFAULT = Tenant(name="", timezone="America/New_York", week_start="monday")
NOON = parse_instant("2013-03-09T17:00:00Z")  # noon in New York, the day before its clocks go forward
ARROW = {
    FieldType.STRING: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.TIMESTAMP: pa.timestamp("us"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An event on its way; `time` in microseconds, `fields` without those that are null."""

    tenant: str = "river"
    id: str
    time: int = NOON
    untimed: bool = False
    fields: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> tuple[str, str, int]:
        """What it counts once by."""
        return (self.tenant, self.id, self.time)


def stream_rows(stream: Stream, events: Sequence[Sent]) -> StreamRows:
    """The events as columns."""
    columns: dict[str, pa.Array] = {
        "tenant": pa.array([event.tenant for event in events], pa.string()),
        "id": pa.array([event.id for event in events], pa.string()),
        "time": pa.array([event.time for event in events], pa.int64()).cast(pa.timestamp("us")),
        "untimed": pa.array([event.untimed for event in events], pa.bool_()),
    }
    for each in stream.fields.values():
        columns[each.name] = pa.array([event.fields.get(each.name) for event in events], ARROW[each.type])
    return StreamRows(stream, pa.table(columns))


def some_readings(
    count: int, *, seed: int = 0, tenant: str = "river", around: int = NOON, spread: int = 3 * DAY
) -> list[Sent]:
    """Readings with every kind of value and plenty of nulls, at times on both sides of `around`."""
    dice = random.Random(seed)
    return [
        Sent(
            tenant=tenant,
            id=f"{seed}-{number}",
            time=around + dice.randrange(-spread, spread),
            fields={
                name: value
                for name, value in {
                    "station": dice.choice(["north", "south", "nörd; --", "", None]),
                    "gate": dice.choice([1, 2, -(2**62), None]),
                    "wet": dice.choice([True, False, None]),
                    "level": dice.choice([0.0, -0.125, 1e-12, 7.005, dice.uniform(-50, 500), None]),
                    "flow": dice.choice([0, -3, 2**62, dice.randrange(-1000, 1000), None]),
                    "seen": dice.choice([NOON + number * SLOT, None]),
                    "probe": dice.choice([f"probe {dice.randrange(12)}", None]),
                    "crew": dice.choice([dice.randrange(5), None]),
                }.items()
                if value is not None
            },
        )
        for number in range(count)
    ]


class Bench:
    """One engine, and the reference that takes the same events."""

    def __init__(self, engine: Engine, model: Model = MODEL) -> None:
        self.engine = engine
        self.reference = ReferenceEngine(model)
        self._names: set[tuple[str, str, str, int]] = set()

    def send(
        self,
        *events: Sent,
        stream: Stream = READINGS,
        arrival: int = NOON,
        refused: tuple[OutcomeCount, ...] = (),
    ) -> Commit:
        """One append of one stream's events; the reference takes those whose name is new."""
        commit = self.engine.append(Append((stream_rows(stream, events),), refused, arrival))
        fresh = []
        for event in events:
            name = (stream.name, *event.name)
            if name not in self._names:
                self._names.add(name)
                fresh.append(as_reference(event, stream))
        self.reference.take(fresh, arrival)
        return commit

    def fold(self, max_rows: int = 10**6) -> int:
        """Folds until nothing is dirty; how many folds that took."""
        folds = 0
        while fold_once(self.engine, max_rows):
            folds += 1
        self.reference.fold()
        return folds

    def check(self, request: StatesRequest) -> Answer:
        """The engine's answer, which must be the reference's."""
        answer = answered(self.engine.read_states(request, time_limit_seconds=60))
        assert answer == answered(self.reference.read_states(request, time_limit_seconds=60))
        return answer

    def check_everything(self, tenant: str = "river", stream: Stream = READINGS) -> None:
        """Every rollup by its dimensions at its finest grain, and by day as a whole."""
        extent = self.engine.extent(stream.name, tenant)
        assert extent is not None
        zone = self.engine.zone(tenant)
        for rollup in stream.rollups.values():
            finest = Grain.SLOT if rollup.grain is RollupGrain.SLOT else Grain.DAY
            asked = {(rollup.dimensions, finest), ((), Grain.DAY)}
            for by, grain in asked:
                self.check(ask(stream, rollup, tenant=tenant, by=by, zone=zone, window=extent, grain=grain))


Answer = dict[tuple[int, tuple[object, ...]], dict[str, object]]


def answered(states: States) -> Answer:
    """States by key, in no order; instants as microseconds."""
    keys = [(bucket, tuple(_plain(value) for value in split)) for bucket, split in states.keys]
    assert len(set(keys)) == len(keys), "a group is told once"
    columns = {name: list(values) for name, values in states.values.items()}
    assert all(len(values) == len(keys) for values in columns.values())
    return {key: {name: columns[name][at] for name in columns} for at, key in enumerate(keys)}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return value


def as_reference(event: Sent, stream: Stream = READINGS) -> Event:
    return Event(event.tenant, stream.name, event.time, event.fields)


def fold_once(engine: Engine, max_rows: int = 10**6) -> bool:
    """One claim, fold and replace; whether there was anything to do."""
    claim = engine.claim(max_rows)
    if claim is not None:
        engine.replace(engine.fold(claim))
    return claim is not None or engine.build(max_rows) is not None


def ask(
    stream: Stream,
    rollup: Rollup | None,
    *,
    window: Window,
    zone: Zone,
    tenant: str = "river",
    by: tuple[str, ...] = (),
    where: tuple[Condition, ...] = (),
    grain: Grain = Grain.TOTAL,
    period: Period | None = None,
    measures: Iterable[str] | None = None,
) -> StatesRequest:
    """A question over the whole days that hold the window, of rows as coarse as will do."""
    if period is None:
        fine = grain in (Grain.SLOT, Grain.HOUR)
        period = Period.SLOT if fine or rollup is None else Period.DAY
    first = zone.day_start(zone.date_of(window.start))
    last = zone.days(Window(window.end - 1, window.end))[-1].end
    names = rollup.measures if rollup is not None else tuple(stream.measures)
    return StatesRequest(
        tenant=tenant,
        stream=stream,
        rollup=rollup,
        measures=tuple(stream.measures[name] for name in (names if measures is None else measures)),
        by=by,
        where=where,
        segments=(Segment(period, first, last),),
        edges=tuple(bucket.start for bucket in zone.buckets(Window(first, last), grain)),
    )


def of_events(request: StatesRequest) -> StatesRequest:
    """The same question, asked of the events themselves."""
    segments = tuple(Segment(Period.SLOT, each.start, each.end) for each in request.segments)
    return replace(request, rollup=None, segments=segments)


def slots_of(events: Iterable[Sent]) -> list[int]:
    """The starts of the slots the events are in, ascending."""
    return sorted({slot_of(event.time) for event in events})


def fresh(commit: Commit) -> list[bool]:
    """Which rows of a commit of one stream were new."""
    [rows] = commit.fresh
    assert rows.dtype == np.bool_
    return list(rows.tolist())
