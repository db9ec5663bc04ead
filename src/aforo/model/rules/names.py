"""Rules on names: they are columns and addresses, and must not be taken for one another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aforo.model import ingest
from aforo.model.findings import FaultCode, Finding
from aforo.model.sheet import Sheet

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

# An event's envelope, and the columns of raw rows, rollup rows and answers.
RESERVED = frozenset(
    ("tenant", "id", "time", "stream", "commit", "untimed", "bucket", "start", "partial"),
)


def names_are_well_formed(sheet: Sheet) -> Iterator[Finding]:
    """Lower case letters, digits and underscores, from a letter, at most 63."""
    for path, name in _all(sheet):
        if _NAME.fullmatch(name) is None and not name.startswith("__"):
            better = re.sub(r"[^a-z0-9_]+", "_", name.casefold()).strip("_0123456789")[:63].rstrip("_")
            hint = f"; {better!r} would do" if _NAME.fullmatch(better) and better != name else ""
            wanted = "lower case letters, digits and _, a letter first, at most 63"
            yield path, FaultCode.BAD_NAME, f"{name!r} is not a name; wanted are {wanted}{hint}"


def names_are_not_reserved(sheet: Sheet) -> Iterator[Finding]:
    """No field, measure or metric bears a name that rows have of their own."""
    for path, name in _columns(sheet):
        if name in RESERVED:
            yield path, FaultCode.RESERVED_NAME, f"{name!r} is a name that every row has already"
    for path, name in _all(sheet):
        if name.startswith("__"):
            yield path, FaultCode.RESERVED_NAME, f"{name!r}: names beginning with __ are Aforo's own"


def names_are_not_built_in(sheet: Sheet) -> Iterator[Finding]:
    """No stream or metric bears the name of one that every model has."""
    for section, kind, declared, known in (
        ("streams", "stream", sheet.streams, ingest.STREAMS),
        ("metrics", "metric", sheet.metrics, ingest.METRICS),
    ):
        for name in declared:
            if name in known:
                message = f"{name!r} is a {kind} that is built in; give yours another name"
                yield f"{section}.{name}", FaultCode.RESERVED_NAME, message


def columns_do_not_meet(sheet: Sheet) -> Iterator[Finding]:
    """A measure or metric is not named like a dimension that stands beside it in a row."""
    for stream in sheet.streams.values():
        for name in stream.dimensions():
            if name in stream.measures:
                path = f"streams.{stream.name}.measures.{name}"
                yield path, FaultCode.DUPLICATE, f"{name!r} is a dimension of {stream.name} too"
    for metric in sheet.metrics.values():
        for stream in sheet.streams_of(metric):
            taken = {f"{metric.name}{ending}" for ending in ("", "_compared", "_delta")}
            for name in sorted(taken.intersection(stream.dimensions())):
                message = f"an answer's column {name!r} would be a dimension of {stream.name} too"
                yield f"metrics.{metric.name}", FaultCode.DUPLICATE, message


def _columns(sheet: Sheet) -> Iterator[tuple[str, str]]:
    for stream in sheet.streams.values():
        for name in stream.fields:
            yield f"streams.{stream.name}.fields.{name}", name
        for name in stream.measures:
            yield f"streams.{stream.name}.measures.{name}", name
    for name in sheet.metrics:
        yield f"metrics.{name}", name


def _all(sheet: Sheet) -> Iterator[tuple[str, str]]:
    yield from _columns(sheet)
    for stream in sheet.streams.values():
        yield f"streams.{stream.name}", stream.name
        for section, names in (("entities", stream.entities), ("rollups", stream.rollups)):
            for name in names:
                yield f"streams.{stream.name}.{section}.{name}", name
    for name in sheet.tenants:
        yield f"tenants.{name}", name
