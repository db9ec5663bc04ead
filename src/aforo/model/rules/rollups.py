"""Rules on what is kept."""

from __future__ import annotations

from collections.abc import Iterator

from aforo.model.field import FieldType
from aforo.model.findings import FaultCode, Finding, no_such
from aforo.model.rollup import Rollup
from aforo.model.sheet import Sheet
from aforo.model.stream import Stream
from aforo.model.version import rollup_hash

_SPLITS = (FieldType.STRING, FieldType.INTEGER, FieldType.BOOLEAN)


def dimensions_are_known(sheet: Sheet) -> Iterator[Finding]:
    """A rollup is by strings, integers and booleans; a number or an instant has as many values as rows."""
    for path, stream, rollup in _rollups(sheet):
        for name in rollup.dimensions:
            field = stream.fields.get(name)
            if field is None:
                yield f"{path}.by", FaultCode.UNKNOWN_NAME, no_such("field", name, stream.fields)
            elif field.type not in _SPLITS and sheet.sound(f"streams.{stream.name}.fields.{name}"):
                message = f"{name} is of type {field.type}; a dimension is one of {', '.join(_SPLITS)}"
                yield f"{path}.by", FaultCode.WRONG_FIELD, message


def kept_measures_are_known(sheet: Sheet) -> Iterator[Finding]:
    """A rollup keeps measures of its stream, and at least one."""
    for path, stream, rollup in _rollups(sheet):
        for name in rollup.measures:
            if name not in stream.measures:
                message = no_such("measure", name, stream.measures)
                yield f"{path}.measures", FaultCode.UNKNOWN_NAME, message
        if not rollup.measures and sheet.sound(path):
            yield path, FaultCode.MISSING, "a rollup keeps at least one measure, but there is none"


def rollups_differ(sheet: Sheet) -> Iterator[Finding]:
    """No two rollups of a stream keep the same: their rows could not be told apart."""
    for stream in sheet.streams.values():
        if not sheet.sound(f"streams.{stream.name}"):
            continue
        first: dict[str, str] = {}
        for rollup in stream.rollups.values():
            same = first.setdefault(rollup_hash(stream, rollup), rollup.name)
            if same != rollup.name:
                path = f"streams.{stream.name}.rollups.{rollup.name}"
                yield path, FaultCode.DUPLICATE, f"{rollup.name!r} keeps the same as {same!r}; leave one out"


def _rollups(sheet: Sheet) -> Iterator[tuple[str, Stream, Rollup]]:
    for stream in sheet.streams.values():
        for rollup in stream.rollups.values():
            yield f"streams.{stream.name}.rollups.{rollup.name}", stream, rollup
