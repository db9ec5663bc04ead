"""Ids that came back with another time: law 2 counts them again, and this is how they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from aforo.engines.drifted import Returned, ReturnedId
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import events_table
from aforo.engines.embedded.parameters import microseconds
from aforo.windows import Window

TIMES = 5
"""Of an id so many of its times are told."""
PORTION_ROWS = 2_000_000
"""Ids that are looked at together: some 200 MB, which DuckDB puts on disk where memory is less."""

DAYS = "drift_days"


def returned(cursor: Cursor, stream: str, tenant: str, limit: int) -> Returned:
    """All ids of a tenant that stand under more than one time; `limit` of them are named."""
    total, named = 0, list[ReturnedId]()
    portions = 1 + _rows_of(cursor, stream, tenant) // PORTION_ROWS
    for portion in range(portions):
        chosen = {"portions": portions, "portion": portion}
        part = _returned(
            cursor, stream, tenant, limit - len(named), "hash(id) % $portions = $portion", chosen
        )
        total += part.found
        named += part.ids
    return Returned(total, tuple(named))


def returned_of(cursor: Cursor, stream: str, tenant: str, days: Sequence[Window], limit: int) -> Returned:
    """The ids of some days' events that stand under another time too, whenever that is."""
    edges = {"from": [day.start for day in days], "to": [day.end for day in days]}
    cursor.register(
        DAYS,
        pa.table({name: pa.array(np.array(at)).cast(pa.timestamp("us")) for name, at in edges.items()}),
    )
    of_days = f"""id IN (
        SELECT e.id FROM {events_table(stream)} AS e
        JOIN {DAYS} AS d ON e.time >= d."from" AND e.time < d."to" WHERE e.tenant = $tenant
    )"""
    found = _returned(cursor, stream, tenant, limit, of_days, {})
    cursor.unregister(DAYS)
    return found


def _rows_of(cursor: Cursor, stream: str, tenant: str) -> int:
    counted = cursor.execute(
        f"SELECT count(*) FROM {events_table(stream)} WHERE tenant = $tenant", {"tenant": tenant}
    ).fetchall()
    return int(counted[0][0])


def _returned(
    cursor: Cursor, stream: str, tenant: str, limit: int, chosen: str, values: Mapping[str, object]
) -> Returned:
    found = cursor.execute(
        f"""
        -- Ids that stand under more than one time: how many, and the first few of them.
        WITH back AS (
            SELECT id, count(*) AS events, min(time) AS first FROM {events_table(stream)}
            WHERE tenant = $tenant AND {chosen} GROUP BY id HAVING min(time) <> max(time)
        )
        SELECT count(*), list(struct_pack(id := id, events := events) ORDER BY first, id)[:$limit] FROM back
        """,
        {"tenant": tenant, "limit": limit, **values},
    ).fetchall()
    count, first = found[0]
    if not first:
        return Returned(count, ())
    times = _times(cursor, stream, tenant, [each["id"] for each in first])
    return Returned(
        count,
        tuple(ReturnedId(stream, tenant, each["id"], each["events"], times[each["id"]]) for each in first),
    )


def _times(cursor: Cursor, stream: str, tenant: str, ids: list[str]) -> dict[str, tuple[int, ...]]:
    rows = cursor.execute(
        f"""
        -- The first times of some ids.
        SELECT id, list(time ORDER BY time)[:$times] FROM {events_table(stream)}
        WHERE tenant = $tenant AND list_contains($ids, id) GROUP BY id
        """,
        {"tenant": tenant, "ids": ids, "times": TIMES},
    ).fetchall()
    return {id_: tuple(microseconds(time) for time in times) for id_, times in rows}
