"""What a number is made of, from one snapshot: the days' folds, and some of the events themselves."""

from __future__ import annotations

from typing import Any

from aforo.engines.behind import Behind, BehindRequest, DayFolded, ShownEvent
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.inputs import input_columns
from aforo.engines.embedded.layout import events_table, lay_out, quoted
from aforo.engines.embedded.parameters import Parameters, conditions_sql, microseconds, timestamp
from aforo.windows import Zone

FOLDS = """
-- How often the days of a window changed, and what was read of them last, and when.
SELECT day, revision, "commit", folded_at FROM revisions
WHERE stream = $stream AND tenant = $tenant AND day >= $day AND day < $end ORDER BY day
"""


def read(cursor: Cursor, request: BehindRequest, zone: Zone) -> Behind:
    """The events that gave something, and the folds of their days; `zone` is the tenant's."""
    folds = _folds(cursor, request, zone)
    if not request.measures:
        return Behind(0, 0, (), folds)
    parameters = Parameters()
    rows, gives = _rows(request, parameters)
    counted = first_row(
        cursor,
        f"""
        -- How many events there are, and how many of them give something to some of the measures.
        SELECT count(*), count(*) FILTER (WHERE {gives}) FROM ({rows}) AS rows
        """,
        parameters,
    )
    assert counted is not None, "an aggregate without groups gives one row"
    shown = _shown(cursor, request) if request.most_shown else ()
    return Behind(int(counted[0]), int(counted[1]), shown, folds)


def _rows(request: BehindRequest, parameters: Parameters) -> tuple[str, str]:
    """The events of the window with what each gives to every measure, and when that is anything."""
    layouts = lay_out(request.stream, request.measures)
    inputs = [item for each in layouts for item in input_columns(request.stream, each, parameters)]
    tenant = parameters.bind(request.tenant)
    start, end = (parameters.bind_time(time) for time in (request.window.start, request.window.end))
    rows = (
        f"SELECT r.*, {', '.join(inputs)} FROM {events_table(request.stream.name)} AS r "
        f"WHERE r.tenant = {tenant} AND r.time >= {start} AND r.time < {end}"
    )
    if request.where:
        rows += f" AND {conditions_sql(request.where, request.stream, parameters)}"
    return rows, " OR ".join(f"{each.input} IS NOT NULL" for each in layouts)


def _shown(cursor: Cursor, request: BehindRequest) -> tuple[ShownEvent, ...]:
    parameters = Parameters()
    rows, gives = _rows(request, parameters)
    names = tuple(request.stream.fields)
    fields = "".join(f", {quoted(name)}" for name in names)
    found = cursor.execute(
        f"""
        -- Some events that give something, drawn by a hash of their ids: of all hours, each time the same.
        SELECT id, time, "commit"{fields} FROM ({rows}) AS rows WHERE {gives}
        ORDER BY md5(id), id, time LIMIT {parameters.bind(request.most_shown)}
        """,
        parameters,
    ).fetchall()
    return tuple(_event(row, names) for row in found)


def _event(row: tuple[Any, ...], names: tuple[str, ...]) -> ShownEvent:
    id_, time, commit, *values = row
    return ShownEvent(id_, microseconds(time), commit, dict(zip(names, values, strict=True)))


def _folds(cursor: Cursor, request: BehindRequest, zone: Zone) -> tuple[DayFolded, ...]:
    found = cursor.execute(
        FOLDS,
        {
            "stream": request.stream.name,
            "tenant": request.tenant,
            "day": timestamp(zone.day_start(zone.date_of(request.window.start))),
            "end": timestamp(request.window.end),
        },
    ).fetchall()
    return tuple(
        DayFolded(microseconds(day), revision, commit, None if at is None else microseconds(at))
        for day, revision, commit, at in found
    )
