"""What a raw question would read, told before it is: how many events, and how wide each is."""

from __future__ import annotations

from collections.abc import Collection

from aforo.engines.embedded.database import Cursor, only_row
from aforo.engines.embedded.layout import events_table, quoted
from aforo.engines.embedded.parameters import timestamp
from aforo.model.stream import FieldType, Stream
from aforo.windows import Window

SAMPLED_EVENTS = 2_000
"""Of so many events the texts are measured: those that lie first in the table, of the window."""

TIME_BYTES = 8
WIDTHS = {
    FieldType.INTEGER: 8,
    FieldType.NUMBER: 8,
    FieldType.BOOLEAN: 1,
    FieldType.TIMESTAMP: 8,
}
"""Bytes of a value, uncompressed, for all types but texts."""

_OF_WINDOW = "WHERE tenant = $tenant AND time >= $start AND time < $end"


def events(cursor: Cursor, stream: str, tenant: str, window: Window) -> int:
    """How many events of a tenant there are in a window."""
    sql = f"SELECT count(*) FROM {events_table(stream)} {_OF_WINDOW}"
    return int(only_row(cursor, sql, _parameters(tenant, window))[0])


def event_bytes(
    cursor: Cursor, stream: Stream, tenant: str, window: Window, fields: Collection[str]
) -> float:
    """About how many bytes such an event has in its tenant, its time and some fields, uncompressed."""
    types = {name: stream.fields[name].type for name in sorted(fields)}
    fixed = sum(WIDTHS.get(type_, 0) for type_ in types.values())
    texts = [quoted(name) for name, type_ in types.items() if type_ not in WIDTHS]
    return TIME_BYTES + len(tenant.encode()) + fixed + _text_bytes(cursor, stream.name, tenant, window, texts)


def _text_bytes(cursor: Cursor, stream: str, tenant: str, window: Window, columns: list[str]) -> float:
    """The average length of texts together, of the sampled events; 0 where there are none."""
    if not columns:
        return 0.0
    lengths = " + ".join(f"coalesce(strlen({column}), 0)" for column in columns)
    (length,) = only_row(
        cursor,
        f"""
        -- How long the texts of some events are.
        SELECT avg(length) FROM (
            SELECT {lengths} AS length FROM {events_table(stream)} {_OF_WINDOW} LIMIT {SAMPLED_EVENTS}
        )
        """,
        _parameters(tenant, window),
    )
    return 0.0 if length is None else float(length)


def _parameters(tenant: str, window: Window) -> dict[str, object]:
    return {"tenant": tenant, "start": timestamp(window.start), "end": timestamp(window.end)}
