"""Rules on streams whose events are derived from another's."""

from __future__ import annotations

from collections.abc import Iterator

from aforo.model.condition import Condition, check
from aforo.model.derivation import Derivation, DerivationKind, TakeKind
from aforo.model.field import FieldType
from aforo.model.findings import FaultCode, Finding, no_such
from aforo.model.sheet import Sheet
from aforo.model.stream import Stream

LONGEST_GAP_MINUTES = 24 * 60


def sources_are_sent(sheet: Sheet) -> Iterator[Finding]:
    """Events are derived from those of a stream that takes events, and of an entity it has."""
    for path, _, derivation in _derivations(sheet):
        source = sheet.streams.get(derivation.source)
        sent = [stream.name for stream in sheet.streams.values() if stream.derivation is None]
        if not derivation.source:
            continue
        if source is None:
            yield f"{path}.from", FaultCode.UNKNOWN_NAME, no_such("stream", derivation.source, sent)
        elif source.derivation is not None:
            message = f"{source.name!r} is derived itself; events are derived from those that were sent"
            yield f"{path}.from", FaultCode.CONTRADICTION, message
        elif derivation.entity and derivation.entity not in source.entities:
            message = no_such(f"entity of {source.name}", derivation.entity, source.entities)
            yield f"{path}.entity", FaultCode.UNKNOWN_NAME, message


def gaps_are_sensible(sheet: Sheet) -> Iterator[Finding]:
    """A session ends within its day, so that a gap is at most a day."""
    for path, _, derivation in _derivations(sheet):
        if not 1 <= derivation.gap_minutes <= LONGEST_GAP_MINUTES:
            message = f"gap_minutes is {derivation.gap_minutes}; it is 1 to {LONGEST_GAP_MINUTES} minutes"
            yield f"{path}.gap_minutes", FaultCode.BAD_VALUE, message


def taken_fields_are_known(sheet: Sheet) -> Iterator[Finding]:
    """What is taken of an event is a field of its stream, and of that field's type."""
    for _, stream, derivation in _derivations(sheet):
        source = sheet.streams.get(derivation.source)
        for name, take in derivation.takes.items():
            path = f"streams.{stream.name}.fields.{name}"
            field = stream.fields.get(name)
            if field is None or source is None or source.derivation is not None or not sheet.sound(path):
                continue
            if take.kind is TakeKind.COUNT:
                wanted = FieldType.INTEGER
            elif take.kind is TakeKind.DURATION:
                wanted = FieldType.NUMBER
            elif take.field is None or take.field not in source.fields:
                message = no_such(f"field of {source.name}", take.field or "", source.fields)
                yield f"{path}.{take.kind}", FaultCode.UNKNOWN_NAME, message
                continue
            else:
                wanted = source.fields[take.field].type
            if field.type is not wanted:
                message = f"{name} is of type {field.type}, but what it takes is of type {wanted}"
                yield f"{path}.type", FaultCode.WRONG_FIELD, message


def source_conditions_fit(sheet: Sheet) -> Iterator[Finding]:
    """The conditions of a derivation and of its counts are on the source's fields."""
    for path, stream, derivation in _derivations(sheet):
        source = sheet.streams.get(derivation.source)
        if source is None:
            continue
        yield from _conditions(sheet, f"{path}.where", source, derivation.where)
        for name, take in derivation.takes.items():
            yield from _conditions(sheet, f"streams.{stream.name}.fields.{name}.where", source, take.where)


def firsts_are_kept(sheet: Sheet) -> Iterator[Finding]:
    """First sightings are never purged: who was forgotten would be seen for the first time again."""
    for _, stream, derivation in _derivations(sheet):
        kept = stream.retention
        if derivation.kind is DerivationKind.FIRSTS and (kept.events_days or kept.slots_days):
            message = "first sightings are kept for good, or old friends would come for the first time again"
            yield f"streams.{stream.name}.retention", FaultCode.CONTRADICTION, message


def _conditions(
    sheet: Sheet, path: str, source: Stream, conditions: tuple[Condition, ...]
) -> Iterator[Finding]:
    for condition in conditions:
        field = source.fields.get(condition.field)
        if field is None:
            message = no_such(f"field of {source.name}", condition.field, source.fields)
            yield path, FaultCode.UNKNOWN_NAME, message
        elif sheet.sound(f"streams.{source.name}.fields.{field.name}"):
            problem = check(condition, field)
            if problem is not None:
                yield path, FaultCode.BAD_CONDITION, problem


def _derivations(sheet: Sheet) -> Iterator[tuple[str, Stream, Derivation]]:
    for stream in sheet.streams.values():
        if stream.derivation is not None:
            yield f"streams.{stream.name}.derive.{stream.derivation.kind}", stream, stream.derivation
