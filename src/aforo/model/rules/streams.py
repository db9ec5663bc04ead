"""Rules on a stream's id and entities."""

from __future__ import annotations

from collections.abc import Iterator

from aforo.model.field import FieldType
from aforo.model.findings import FaultCode, Finding, no_such
from aforo.model.sheet import Sheet

LONGEST_RETENTION_DAYS = 36_500
LONGEST_SAME_CONTENT_MINUTES = 1_440


def ids_are_of_required_fields(sheet: Sheet) -> Iterator[Finding]:
    """Every field of the id exists and is required: without it an event would have no id."""
    for stream in sheet.streams.values():
        path = f"streams.{stream.name}.id"
        for name in stream.id:
            field = stream.fields.get(name)
            if field is None:
                yield path, FaultCode.UNKNOWN_NAME, no_such("field", name, stream.fields)
            elif not field.required and sheet.sound(f"streams.{stream.name}.fields.{name}"):
                message = f"{name!r} is part of the id, so it must say required: true"
                yield f"streams.{stream.name}.fields.{name}", FaultCode.CONTRADICTION, message


def equal_content_is_the_same_for_a_while(sheet: Sheet) -> Iterator[Finding]:
    """Equal content is one event for a day at most, and only where no field makes the id of it."""
    for stream in sheet.streams.values():
        path, minutes = f"streams.{stream.name}.same_content_minutes", stream.same_content_minutes
        if minutes is None:
            continue
        if not 1 <= minutes <= LONGEST_SAME_CONTENT_MINUTES:
            message = f"it is {minutes}; it is 1 to {LONGEST_SAME_CONTENT_MINUTES} minutes"
            yield path, FaultCode.BAD_VALUE, message
        if stream.id:
            message = "an event's id is made of its fields, so that its content is never looked at"
            yield path, FaultCode.CONTRADICTION, message


def slots_outlive_events(sheet: Sheet) -> Iterator[Finding]:
    """Retention is of sensible days, and slots stay at least as long as events: a day is folded from them."""
    for stream in sheet.streams.values():
        path, kept = f"streams.{stream.name}.retention", stream.retention
        bad = False
        for key, days in (("events_days", kept.events_days), ("slots_days", kept.slots_days)):
            if days is not None and not 1 <= days <= LONGEST_RETENTION_DAYS:
                bad = True
                message = f"{key} is {days}; it is 1 to {LONGEST_RETENTION_DAYS} days"
                yield f"{path}.{key}", FaultCode.BAD_VALUE, message
        if bad or kept.slots_days is None or not sheet.sound(path):
            continue
        if kept.events_days is None or kept.events_days > kept.slots_days:
            events = "for good" if kept.events_days is None else f"{kept.events_days} days"
            message = (
                f"slots are kept for {kept.slots_days} days and events {events}; slots stay at least as long"
            )
            yield f"{path}.slots_days", FaultCode.CONTRADICTION, message


def entities_are_over_fields(sheet: Sheet) -> Iterator[Finding]:
    """An entity is identified by a string or an integer."""
    for stream in sheet.streams.values():
        for entity in stream.entities.values():
            path = f"streams.{stream.name}.entities.{entity.name}"
            field = stream.fields.get(entity.field)
            if not sheet.sound(path):
                continue
            if field is None:
                yield path, FaultCode.UNKNOWN_NAME, no_such("field", entity.field, stream.fields)
            elif field.type not in (FieldType.STRING, FieldType.INTEGER) and sheet.sound(
                f"streams.{stream.name}.fields.{field.name}"
            ):
                message = f"{field.name} is of type {field.type}; an entity is a string or an integer"
                yield path, FaultCode.WRONG_FIELD, message
