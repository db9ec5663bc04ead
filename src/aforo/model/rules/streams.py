"""Rules on a stream's id and entities."""

from __future__ import annotations

from collections.abc import Iterator

from aforo.model.field import FieldType
from aforo.model.findings import FaultCode, Finding, no_such
from aforo.model.sheet import Sheet


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
