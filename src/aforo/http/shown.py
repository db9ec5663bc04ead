"""A model as it is shown to whoever may ask it."""

from __future__ import annotations

from aforo.http.reply import Shape
from aforo.model.condition import text_of
from aforo.model.derivation import Derivation, DerivationKind
from aforo.model.field import Field
from aforo.model.measure import Measure
from aforo.model.metric import Metric
from aforo.model.model import Model
from aforo.model.rollup import Rollup
from aforo.model.stream import Stream
from aforo.model.version import measure_hash, rollup_hash


class FieldReply(Shape, frozen=True):
    """A field; `minimum` and `maximum` are allowed, `maxLength` counts characters."""

    name: str
    type: str
    required: bool
    unit: str | None
    minimum: int | float | None
    maximum: int | float | None
    max_length: int | None
    description: str


class MeasureReply(Shape, frozen=True):
    """A measure: what is kept (`kind`) of which field, of the events for which `where` holds."""

    name: str
    kind: str
    field: str | None
    entity: str | None
    where: str
    hash: str


class RollupReply(Shape, frozen=True):
    """Measures kept by some dimensions, for each time of `grain` and longer."""

    name: str
    dimensions: tuple[str, ...]
    grain: str
    measures: tuple[str, ...]
    hash: str


class TakeReply(Shape, frozen=True):
    """What a field of a derived event says: the `first` or `last` of a field, a `count` or the `duration`."""

    name: str
    kind: str
    field: str | None
    where: str


class DerivedReply(Shape, frozen=True):
    """What a stream follows from: an event for each run (`sessions`) or the first (`firsts`) of an entity.

    Of the events of `source` for which `where` holds; a session ends `gapMinutes` after its last.
    """

    kind: str
    source: str
    entity: str
    field: str
    gap_minutes: int | None
    where: str
    takes: tuple[TakeReply, ...]


class StreamReply(Shape, frozen=True):
    """A stream; `dimensions` are what some rollup is kept by, `id` the fields that make an event's id.

    `derived` is null for streams that events are sent to.
    """

    name: str
    description: str
    id: tuple[str, ...]
    extra: str
    derived: DerivedReply | None
    fields: tuple[FieldReply, ...]
    dimensions: tuple[str, ...]
    measures: tuple[MeasureReply, ...]
    rollups: tuple[RollupReply, ...]


class MetricReply(Shape, frozen=True):
    """A metric: a formula over measures of one stream."""

    name: str
    stream: str
    formula: str
    unit: str
    format: str
    owner: str
    description: str


class ModelReply(Shape, frozen=True):
    """Everything that can be asked; `version` is a hash over its meaning."""

    version: str
    streams: tuple[StreamReply, ...]
    metrics: tuple[MetricReply, ...]


class MetricDefinition(MetricReply, frozen=True):
    """A metric with its measures, and the rollups that keep all of them."""

    measures: tuple[MeasureReply, ...]
    rollups: tuple[RollupReply, ...]
    model_version: str


def model_of(model: Model) -> ModelReply:
    """The model without its tenants."""
    return ModelReply(
        version=model.version,
        streams=tuple(_stream(stream) for stream in model.asked_streams.values()),
        metrics=tuple(_metric(metric) for metric in model.asked_metrics.values()),
    )


def definition_of(model: Model, metric: Metric) -> MetricDefinition:
    """One metric with what is behind it."""
    stream = model.asked_stream(metric.stream)
    keeping = [each for each in stream.rollups.values() if set(metric.measures) <= set(each.measures)]
    shown = _metric(metric)
    return MetricDefinition(
        **{name: getattr(shown, name) for name in shown.__struct_fields__},
        measures=tuple(_measure(stream, stream.measures[name]) for name in metric.measures),
        rollups=tuple(_rollup(stream, rollup) for rollup in keeping),
        model_version=model.version,
    )


def _stream(stream: Stream) -> StreamReply:
    return StreamReply(
        name=stream.name,
        description=stream.description,
        id=stream.id,
        extra=str(stream.extra),
        derived=None if stream.derivation is None else _derived(stream.derivation),
        fields=tuple(_field(field) for field in stream.fields.values()),
        dimensions=stream.dimensions(),
        measures=tuple(_measure(stream, measure) for measure in stream.measures.values()),
        rollups=tuple(_rollup(stream, rollup) for rollup in stream.rollups.values()),
    )


def _derived(derivation: Derivation) -> DerivedReply:
    runs = derivation.kind is DerivationKind.SESSIONS
    return DerivedReply(
        kind=str(derivation.kind),
        source=derivation.source,
        entity=derivation.entity,
        field=derivation.field,
        gap_minutes=derivation.gap_minutes if runs else None,
        where=text_of(derivation.where),
        takes=tuple(
            TakeReply(name, str(take.kind), take.field, text_of(take.where))
            for name, take in derivation.takes.items()
        ),
    )


def _field(field: Field) -> FieldReply:
    return FieldReply(
        name=field.name,
        type=str(field.type),
        required=field.required,
        unit=field.unit,
        minimum=field.minimum,
        maximum=field.maximum,
        max_length=field.max_length,
        description=field.description,
    )


def _measure(stream: Stream, measure: Measure) -> MeasureReply:
    return MeasureReply(
        name=measure.name,
        kind=str(measure.kind),
        field=measure.field,
        entity=measure.entity,
        where=text_of(measure.where),
        hash=measure_hash(stream, measure),
    )


def _rollup(stream: Stream, rollup: Rollup) -> RollupReply:
    return RollupReply(
        name=rollup.name,
        dimensions=rollup.dimensions,
        grain=str(rollup.grain),
        measures=rollup.measures,
        hash=rollup_hash(stream, rollup),
    )


def _metric(metric: Metric) -> MetricReply:
    return MetricReply(
        name=metric.name,
        stream=metric.stream,
        formula=metric.text,
        unit=metric.unit,
        format=str(metric.format),
        owner=metric.owner,
        description=metric.description,
    )
