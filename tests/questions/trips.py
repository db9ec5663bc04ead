"""A small model for questions: trips of a tenant that keeps New York's days and of one that keeps Nepal's."""

from __future__ import annotations

from datetime import datetime

from tests.reference_engine import Event

from aforo.model import condition, formula
from aforo.model.field import Field, FieldType
from aforo.model.measure import Measure, MeasureKind
from aforo.model.metric import Metric
from aforo.model.model import Model
from aforo.model.rollup import Rollup, RollupGrain
from aforo.model.stream import Entity, Stream
from aforo.model.tenant import Tenant

MEASURES = (
    Measure(name="all_trips", kind=MeasureKind.COUNT),
    Measure(name="lost", kind=MeasureKind.COUNT, where=condition.parse("delay is null")),
    Measure(name="delays_known", kind=MeasureKind.COUNT, where=condition.parse("delay is not null")),
    Measure(name="delay_sum", kind=MeasureKind.SUM, field="delay"),
    Measure(name="delays", kind=MeasureKind.HISTOGRAM, field="delay"),
    Measure(name="cars", kind=MeasureKind.DISTINCT, entity="car", field="plate"),
    Measure(name="metres", kind=MeasureKind.SUM, field="length"),
    Measure(name="longest", kind=MeasureKind.MAXIMUM, field="length"),
)
NAMES = tuple(measure.name for measure in MEASURES)

TRIPS = Stream(
    name="trips",
    fields={
        each.name: each
        for each in (
            Field(name="city", type=FieldType.STRING),
            Field(name="line", type=FieldType.INTEGER),
            Field(name="plate", type=FieldType.STRING),
            Field(name="night", type=FieldType.BOOLEAN),
            Field(name="delay", type=FieldType.NUMBER, unit="minutes"),
            Field(name="length", type=FieldType.INTEGER, unit="m"),
            Field(name="ordered", type=FieldType.TIMESTAMP),
        )
    },
    entities={"car": Entity(name="car", field="plate")},
    measures={measure.name: measure for measure in MEASURES},
    rollups={
        each.name: each
        for each in (
            Rollup(name="whole", dimensions=(), measures=NAMES),
            Rollup(name="cities", dimensions=("city",), measures=NAMES),
            Rollup(name="lines", dimensions=("city", "line"), measures=NAMES, grain=RollupGrain.DAY),
            Rollup(name="nights", dimensions=("night",), measures=("all_trips", "lost")),
        )
    },
)
STOPS = Stream(
    name="stops",
    fields={
        name: Field(name=name, type=FieldType.STRING)  # `line` is a number of trips
        for name in ("platform", "city", "line")
    },
    entities={},
    measures={"all_stops": Measure(name="all_stops", kind=MeasureKind.COUNT)},
    rollups={},
)


def _metric(name: str, text: str, stream: str = "trips", unit: str = "") -> Metric:
    parsed = formula.parse(text)
    return Metric(
        name=name, stream=stream, formula=parsed, text=text, unit=unit, measures=formula.measures(parsed)
    )


MODEL = Model(
    streams={"trips": TRIPS, "stops": STOPS},
    metrics={
        each.name: each
        for each in (
            _metric("trips", "all_trips"),
            _metric("lost_share", "lost / all_trips"),
            _metric("delay_avg", "delay_sum / delays_known", unit="minutes"),
            _metric("delay_total", "delay_sum", unit="minutes"),
            _metric("delay_p95", "percentile(delays, 95)", unit="minutes"),
            _metric("delay_hours_p5", "-percentile(delays, 5) / 60"),
            _metric("delay_spread", "percentile(delays, 95) - percentile(delays, 5)"),
            _metric("delay_bins", "distribution(delays)"),
            _metric("delay_few_bins", "distribution(delays, 10)"),
            _metric("cars", "cars"),
            _metric("distance", "metres"),
            _metric("longest", "longest"),
            _metric("stops", "all_stops", "stops"),
        )
    },
    tenants={
        "nyc": Tenant(name="nyc", timezone="America/New_York"),
        "ktm": Tenant(name="ktm", timezone="Asia/Kathmandu", week_start="sunday"),
        "utc": Tenant(name="utc"),
    },
)


def trip(time: str, tenant: str = "nyc", **fields: object) -> Event:
    """A trip at an instant; what is not said is null."""
    return Event(tenant, "trips", at(time), {name: fields.get(name) for name in TRIPS.fields})


def at(text: str) -> int:
    """Microseconds of an instant."""
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000
