"""Rules on what is measured."""

from __future__ import annotations

from collections.abc import Iterator

from aforo.model.condition import Op, check
from aforo.model.field import TIME, FieldType
from aforo.model.findings import FaultCode, Finding, no_such
from aforo.model.measure import Measure, MeasureKind
from aforo.model.sheet import Sheet
from aforo.model.stream import Stream
from aforo.model.version import measure_hash


def measured_fields_are_known(sheet: Sheet) -> Iterator[Finding]:
    """Sums and histograms are over numeric fields that exist; extremes over instants and `time` too."""
    for path, stream, measure in _measures(sheet):
        if measure.kind in (MeasureKind.COUNT, MeasureKind.DISTINCT) or measure.field is None:
            continue
        place = f"{path}.{measure.kind}"
        extreme = measure.kind in (MeasureKind.MINIMUM, MeasureKind.MAXIMUM)
        field = TIME if measure.field == TIME.name else stream.fields.get(measure.field)
        if field is None:
            yield place, FaultCode.UNKNOWN_NAME, no_such("field", measure.field, stream.fields)
        elif not _fits(field.type, extreme) and sheet.sound(f"streams.{stream.name}.fields.{field.name}"):
            wanted = "integers, numbers and timestamps" if extreme else "integers and numbers"
            message = f"{field.name} is of type {field.type}; {measure.kind} is over {wanted}"
            yield place, FaultCode.WRONG_FIELD, message


def counted_entities_are_known(sheet: Sheet) -> Iterator[Finding]:
    """What is counted distinctly is an entity, and not the field behind it."""
    for path, stream, measure in _measures(sheet):
        if measure.entity is None or measure.entity in stream.entities:
            continue
        behind = [entity.name for entity in stream.entities.values() if entity.field == measure.entity]
        if behind:
            message = f"{measure.entity!r} is a field; the entity over it is {behind[0]!r}"
        elif measure.entity in stream.fields:
            message = f"{measure.entity!r} is a field; declare an entity over it under entities:"
        else:
            message = no_such("entity", measure.entity, stream.entities)
        yield f"{path}.distinct", FaultCode.UNKNOWN_NAME, message


def conditions_fit_their_fields(sheet: Sheet) -> Iterator[Finding]:
    """A condition is over a field that exists, with a value of its type, and can hold."""
    for path, stream, measure in _measures(sheet):
        for condition in measure.where:
            field = stream.fields.get(condition.field)
            if field is None:
                message = no_such("field", condition.field, stream.fields)
                yield f"{path}.where", FaultCode.UNKNOWN_NAME, message
                continue
            if not sheet.sound(f"streams.{stream.name}.fields.{field.name}"):
                continue
            problem = check(condition, field)
            if problem is not None:
                yield f"{path}.where", FaultCode.BAD_CONDITION, problem
            elif condition.op is Op.IS_NULL and field.required:
                message = f"{field.name} is required, so it is never null"
                yield f"{path}.where", FaultCode.CONTRADICTION, message


def measures_differ(sheet: Sheet) -> Iterator[Finding]:
    """No two measures of a stream mean the same: they would be kept twice, and are told apart by meaning."""
    for stream in sheet.streams.values():
        if not sheet.sound(f"streams.{stream.name}"):
            continue
        first: dict[str, str] = {}
        for measure in stream.measures.values():
            same = first.setdefault(measure_hash(stream, measure), measure.name)
            if same != measure.name:
                path = f"streams.{stream.name}.measures.{measure.name}"
                yield path, FaultCode.DUPLICATE, f"{measure.name!r} means the same as {same!r}; use that one"


def _fits(kind: FieldType, extreme: bool) -> bool:
    return kind.ordered if extreme else kind.numeric


def _measures(sheet: Sheet) -> Iterator[tuple[str, Stream, Measure]]:
    for stream in sheet.streams.values():
        for measure in stream.measures.values():
            yield f"streams.{stream.name}.measures.{measure.name}", stream, measure
