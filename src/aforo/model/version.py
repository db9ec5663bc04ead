"""Hashes over meaning: what an answer depends on, and never a label, an owner or a description.

Canonical JSON (sorted keys, no spaces) through BLAKE2b. The order of what has no order (conditions, values of
`in`, measures of a rollup) is sorted away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Generic, TypeAlias, TypeVar

from aforo.model.condition import Condition
from aforo.model.derivation import Derivation
from aforo.model.field import Field, FieldType
from aforo.model.formula import Binary, Distribution, Formula, Negative, Number, Percentile, Ref, Sighted
from aforo.model.measure import Measure
from aforo.model.metric import Metric
from aforo.model.rollup import Rollup
from aforo.model.stream import Stream

T = TypeVar("T")
Json: TypeAlias = str | int | float | bool | list["Json"] | dict[str, "Json"] | None


def measure_hash(stream: Stream, measure: Measure) -> str:
    """16 hex digits over what the measure's state means; its name is a label."""
    read = dict.fromkeys(condition.field for condition in measure.where)
    return _measure_hash(measure, stream.measured(measure), tuple(stream.fields[name] for name in read))


@lru_cache(maxsize=4_096)  # every question names the columns of what it reads by them
def _measure_hash(measure: Measure, measured: Field | None, fields: tuple[Field, ...]) -> str:
    return _digest(_measure(measure, measured, {field.name: field for field in fields}), 8)


def rollup_hash(stream: Stream, rollup: Rollup) -> str:
    """16 hex digits over stream, dimensions, grain and measures' meaning; the rollup's name is a label.

    What stands in for a rollup that is being built is what it was kept as.
    """
    if rollup.aside is not None and rollup.aside.hash:
        return rollup.aside.hash
    return _rollup_hash(_Same(stream), _Same(rollup))


@dataclass(frozen=True, slots=True, eq=False)
class _Same(Generic[T]):
    """An object that equals itself alone: to be compared, mappings would be gone through each time."""

    it: T

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.it is other.it

    def __hash__(self) -> int:
        return id(self.it)


@lru_cache(maxsize=1_024)  # every proof names the rollups that were read by it
def _rollup_hash(same_stream: _Same[Stream], same_rollup: _Same[Rollup]) -> str:
    stream, rollup = same_stream.it, same_rollup.it
    dimensions: list[Json] = [[name, stream.fields[name].type.value] for name in sorted(rollup.dimensions)]
    measures: list[Json] = []
    measures += sorted(measure_hash(stream, stream.measures[name]) for name in rollup.measures)
    return _digest([stream.name, dimensions, rollup.grain.value, measures], 8)


def derivation_hash(source: Stream, derivation: Derivation) -> str:
    """16 hex digits over which derived events follow from the source's, and what they say."""
    return _digest(_derivation(source, derivation), 8)


def model_version(streams: Mapping[str, Stream], metrics: Mapping[str, Metric]) -> str:
    """12 hex digits over what every event, rollup and metric means; tenants are not part of it."""
    meaning: Json = {
        "streams": {name: _stream(stream, streams) for name, stream in streams.items()},
        "metrics": {name: [metric.stream, _formula(metric.formula)] for name, metric in metrics.items()},
    }
    return _digest(meaning, 6)


def _digest(meaning: Json, size: int) -> str:
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return blake2b(text.encode("ascii"), digest_size=size).hexdigest()


def _stream(stream: Stream, streams: Mapping[str, Stream]) -> Json:
    meaning: dict[str, Json] = {
        "fields": {name: _field(field) for name, field in stream.fields.items()},
        "id": list(stream.id),
        "extra": stream.extra.value,
        "entities": {name: entity.field for name, entity in stream.entities.items()},
        "measures": {
            name: _measure(measure, stream.measured(measure), stream.fields)
            for name, measure in stream.measures.items()
        },
        "rollups": {name: rollup_hash(stream, rollup) for name, rollup in stream.rollups.items()},
    }
    if stream.derivation is not None:
        meaning["derive"] = _derivation(streams[stream.derivation.source], stream.derivation)
    return meaning


def _derivation(source: Stream, derivation: Derivation) -> Json:
    return {
        "kind": derivation.kind.value,
        "from": derivation.source,
        "by": [derivation.entity, derivation.field, source.fields[derivation.field].type.value],
        "gap_minutes": derivation.gap_minutes,
        "where": _conditions(source.fields, derivation.where),
        "takes": {
            name: [take.kind.value, take.field, _conditions(source.fields, take.where)]
            for name, take in derivation.takes.items()
        },
    }


def _field(field: Field) -> Json:
    return {
        "type": field.type.value,
        "required": field.required,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "max_length": field.max_length,
        "scale": field.scale,
    }


def _measure(measure: Measure, field: Field | None, fields: Mapping[str, Field]) -> Json:
    return {
        "kind": measure.kind.value,
        "field": None if field is None else [field.name, field.type.value, field.scale],
        "entity": measure.entity,
        "where": _conditions(fields, measure.where),
    }


def _conditions(fields: Mapping[str, Field], conditions: tuple[Condition, ...]) -> Json:
    written: dict[str, Json] = {}
    for condition in conditions:
        field = fields[condition.field]
        listed = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        number = field.type is FieldType.NUMBER  # 1 and 1.0 are one number
        values: list[Json] = []
        values += sorted({float(v) if number and v is not None else v for v in listed}, key=repr)
        meaning: Json = [field.name, field.type.value, condition.op.value, values]
        written[json.dumps(meaning)] = meaning
    return [written[key] for key in sorted(written)]


def _formula(formula: Formula) -> Json:
    match formula:
        case Number(value):
            return ["number", str(value)]
        case Ref(measure):
            return ["measure", measure]
        case Percentile(measure, p):
            return ["percentile", measure, p]
        case Distribution(measure, most):
            return ["distribution", measure, most]
        case Sighted(sighting, measure):
            return [sighting.value, measure]
        case Negative(of):
            return ["-", _formula(of)]
        case Binary(op, left, right):
            return [op.value, _formula(left), _formula(right)]
