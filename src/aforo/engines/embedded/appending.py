"""One commit: events not seen before, what they dirtied, and what became of everything that arrived."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.embedded import counting, sampling
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import entity_table, events_table, ordinal_column, quoted
from aforo.engines.embedded.modelling import last_commit, new_entities_sql
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.engine import Append, Commit, StreamRows
from aforo.engines.outcomes import attributed, outcomes_of
from aforo.engines.refused import SampleLimits, newest
from aforo.model.stream import Stream
from aforo.model.tenant import Tenant

STAGE = "stage"


def append(
    cursor: Cursor,
    append: Append,
    default_tenant: Tenant,
    untimed_id_seconds: int,
    known: Callable[[str], bool],
    limits: SampleLimits,
) -> Commit:
    """Keeps the fresh rows, marks the ledger and counts every outcome, all under the next number.

    `known` tells whether a tenant has been named before.
    """
    number = last_commit(cursor) + 1
    fresh = tuple(_keep(cursor, rows, number, append.arrival, untimed_id_seconds) for rows in append.rows)
    named = tenants_of(append.rows)
    of_known = partial(attributed, known=lambda name: name in named or known(name))
    counting.count(cursor, outcomes_of(append, fresh, of_known), number, append.arrival)
    sampling.keep(cursor, newest(append.samples, limits, of_known), number, append.arrival, limits)
    _name_tenants(cursor, [name for name in named if not known(name)], default_tenant)
    cursor.execute(
        "INSERT INTO commits VALUES ($commit, $at)", {"commit": number, "at": timestamp(append.arrival)}
    )
    return Commit(number, fresh, _dirty_from(cursor, append.rows))


def _keep(
    cursor: Cursor, given: StreamRows, number: int, arrival: int, untimed_id_seconds: int
) -> npt.NDArray[np.bool_]:
    stage = given.rows.append_column("__seq", pa.array(np.arange(given.rows.num_rows)))
    cursor.register(STAGE, stage)
    try:
        fresh = np.zeros(stage.num_rows, bool)
        fresh[_fresh_timed(cursor, given.stream, stage)] = True
        fresh[_fresh_untimed(cursor, given.stream, stage, arrival, untimed_id_seconds)] = True
        if not fresh.all():
            cursor.register(STAGE, stage.filter(pa.array(fresh)))
        if fresh.any():
            _insert(cursor, given.stream, stage.column_names, number)
    finally:
        cursor.unregister(STAGE)
    return fresh


def _fresh_timed(cursor: Cursor, stream: Stream, stage: pa.Table) -> npt.NDArray[np.int64]:
    span = pc.min_max(stage["time"]).as_py()
    return _sequence(
        cursor,
        f"""
        -- Rows named by (tenant, id, time) that neither an earlier row nor the stream has.
        WITH first AS (
            SELECT tenant, id, time, min(__seq) AS __seq
            FROM {STAGE} WHERE NOT untimed GROUP BY tenant, id, time
        )
        SELECT f.__seq FROM first AS f
        ANTI JOIN (
            SELECT tenant, id, time FROM {events_table(stream.name)}
            WHERE time BETWEEN $earliest AND $latest AND NOT untimed
        ) AS e ON e.tenant = f.tenant AND e.id = f.id AND e.time = f.time
        """,
        {"earliest": span["min"], "latest": span["max"]},
    )


def _fresh_untimed(
    cursor: Cursor, stream: Stream, stage: pa.Table, arrival: int, untimed_id_seconds: int
) -> npt.NDArray[np.int64]:
    if not pc.any(stage["untimed"]).as_py():
        return np.empty(0, np.int64)
    reach = untimed_id_seconds * 1_000_000
    return _sequence(
        cursor,
        f"""
        -- Rows that came without a time are recognised by their id for a while, on both sides of their
        -- arrival, since a clock may have been set back in between.
        WITH first AS (
            SELECT tenant, id, min(__seq) AS __seq FROM {STAGE} WHERE untimed GROUP BY tenant, id
        )
        SELECT f.__seq FROM first AS f
        ANTI JOIN (
            SELECT tenant, id FROM {events_table(stream.name)}
            WHERE time BETWEEN $earliest AND $latest AND untimed
        ) AS e ON e.tenant = f.tenant AND e.id = f.id
        """,
        {"earliest": timestamp(arrival - reach), "latest": timestamp(arrival + reach)},
    )


def _sequence(cursor: Cursor, sql: str, parameters: dict[str, object]) -> npt.NDArray[np.int64]:
    found = cursor.execute(sql, parameters).fetchnumpy()["__seq"]
    return np.asarray(found, np.int64)


def _insert(cursor: Cursor, stream: Stream, staged: list[str], number: int) -> None:
    for entity in stream.entities.values():
        if entity.field in staged:
            cursor.execute(new_entities_sql(stream, entity, source=STAGE))
    fields = [name for name in stream.fields if name in staged]
    entities = [entity for entity in stream.entities.values() if entity.field in staged]
    columns = [
        *("tenant", "id", "time", "untimed", '"commit"'),
        *map(quoted, fields),
        *(ordinal_column(entity.name, entity.field) for entity in entities),
    ]
    picked = [
        *("s.tenant", "s.id", "s.time", "s.untimed", "$commit"),
        *(f"s.{quoted(name)}" for name in fields),
        *(f"d{at}.ordinal" for at in range(len(entities))),
    ]
    joins = "".join(
        f" LEFT JOIN {entity_table(entity.name)} AS d{at}"
        f" ON d{at}.tenant = s.tenant AND d{at}.value = s.{quoted(entity.field)}::VARCHAR"
        for at, entity in enumerate(entities)
    )
    cursor.execute(
        f"INSERT INTO {events_table(stream.name)} ({', '.join(columns)}) "
        f"SELECT {', '.join(picked)} FROM {STAGE} AS s{joins} ORDER BY s.time",
        {"commit": number},
    )
    cursor.execute(
        f"""
        -- The slots that these rows dirtied.
        INSERT INTO ledger
        SELECT $stream, tenant, time_bucket(INTERVAL 15 MINUTES, time), $commit, count(*)
        FROM {STAGE} GROUP BY ALL
        """,
        {"stream": stream.name, "commit": number},
    )


def _dirty_from(cursor: Cursor, rows: tuple[StreamRows, ...]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for given in rows:
        waiting = cursor.execute(
            """
            -- The earliest slot that waits for a fold, by tenant.
            SELECT tenant, epoch_us(min(slot)) FROM ledger
            WHERE stream = $stream AND list_contains($tenants, tenant) GROUP BY tenant
            """,
            {"stream": given.stream.name, "tenants": pc.unique(given.rows["tenant"]).to_pylist()},
        ).fetchall()
        found.update({(given.stream.name, tenant): slot for tenant, slot in waiting})
    return found


def tenants_of(rows: tuple[StreamRows, ...]) -> list[str]:
    """The names of all tenants that rows are of."""
    return sorted({name for given in rows for name in pc.unique(given.rows["tenant"]).to_pylist()})


def _name_tenants(cursor: Cursor, names: list[str], default: Tenant) -> None:
    """Tenants that only events name count in the default's zone from their first event on."""
    for name in names:
        cursor.execute(
            "INSERT OR IGNORE INTO tenants VALUES ($name, $timezone, $week_start, false)",
            {"name": name, "timezone": default.timezone, "week_start": default.week_start},
        )
