"""The table of an entity's values and their numbers, a tenant's from 0 on; no number is ever given twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aforo.engines.embedded.catalog import Catalog
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.hashes import HASHED, Hashes
from aforo.engines.embedded.layout import ENTITY, entity_table, events_table, ordinal_column, quoted
from aforo.model.stream import Entity, Stream

Row = tuple[str, str, int]
"""A tenant, a value or what stands in its place, and its number."""

ROWS = "dictionary_rows"


@dataclass(frozen=True, slots=True)
class Numbered:
    """New values of a tenant, numbered one after the other from the first."""

    tenant: str
    values: Sequence[str]
    first: int

    def table(self) -> pa.Table:
        size = len(self.values)
        numbers = np.arange(self.first, self.first + size)
        return pa.table(
            {"tenant": pa.repeat(self.tenant, size), "value": pa.array(self.values), "ordinal": numbers}
        )


def make(catalog: Catalog, entity: str) -> None:
    """Makes the table where there is none."""
    catalog.make(
        f"{ENTITY}{entity}",
        f"CREATE TABLE {entity_table(entity)} "
        "(tenant VARCHAR NOT NULL, value VARCHAR NOT NULL, ordinal UINTEGER NOT NULL)",
    )


def size(cursor: Cursor, entity: str) -> int:
    """How many values there are."""
    there = first_row(cursor, f"SELECT count(*) FROM {entity_table(entity)}")
    return 0 if there is None else int(there[0])


def rows(cursor: Cursor, entity: str) -> list[Row]:
    """All of it."""
    there: list[Row] = cursor.execute(f"SELECT tenant, value, ordinal FROM {entity_table(entity)}").fetchall()
    return there


def found(cursor: Cursor, entity: str, tenant: str, values: Iterable[str]) -> list[tuple[str, int]]:
    """Which of these values of a tenant have a number, and which."""
    there: list[tuple[str, int]] = cursor.execute(
        f"""
        -- Which of these values of a tenant have a number already.
        SELECT d.value, d.ordinal FROM {entity_table(entity)} AS d
        SEMI JOIN (SELECT unnest($values) AS value) AS v ON v.value = d.value WHERE d.tenant = $tenant
        """,
        {"tenant": tenant, "values": list(values)},
    ).fetchall()
    return there


def number_of(cursor: Cursor, entity: str, tenant: str, forms: Sequence[str]) -> int | None:
    """The number of a value, which may stand there in one of some forms; None where it has none."""
    there = found(cursor, entity, tenant, forms)
    return there[0][1] if there else None


def next_numbers(cursor: Cursor, entity: str) -> dict[str, int]:
    """The number that each tenant's next value gets; 0 where the tenant is not named."""
    return dict(cursor.execute(_next_sql(entity), {"entity": entity}).fetchall())


def hashed_tenants(cursor: Cursor, entity: str) -> set[str]:
    """Those that have values which stand there as hashes."""
    there = cursor.execute(
        f"SELECT DISTINCT tenant FROM {entity_table(entity)} WHERE starts_with(value, $hashed)",
        {"hashed": HASHED},
    ).fetchall()
    return {tenant for (tenant,) in there}


def add(cursor: Cursor, entity: str, new: Sequence[Numbered]) -> None:
    """Writes values with their numbers."""
    cursor.register(ROWS, pa.concat_tables([each.table() for each in new]))
    cursor.execute(f"INSERT INTO {entity_table(entity)} SELECT tenant, value, ordinal FROM {ROWS}")
    cursor.unregister(ROWS)


def clear_again(cursor: Cursor, entity: str, returned: Sequence[Row]) -> None:
    """Puts values back in the places of their hashes: events hold them again."""
    if not returned:
        return
    table = entity_table(entity)
    _register(cursor, returned)
    cursor.execute(
        f"""
        -- Values that came back.
        UPDATE {table} SET value = r.value FROM {ROWS} AS r
        WHERE {table}.tenant = r.tenant AND {table}.ordinal = r.ordinal
            AND starts_with({table}.value, $hashed)
        """,
        {"hashed": HASHED},
    )
    cursor.unregister(ROWS)


def number_events(cursor: Cursor, stream: Stream, entity: Entity, hashes: Hashes) -> None:
    """Fills a column of numbers that is new for the events that are there already."""
    table, column = events_table(stream.name), ordinal_column(entity.name, entity.field)
    if hashes.exist(cursor):
        clear_again(cursor, entity.name, _returned(cursor, stream, entity, hashes))
    cursor.execute(
        f"""
        -- Values of {stream.name} that have no number get the tenant's next ones.
        INSERT INTO {entity_table(entity.name)}
        SELECT n.tenant, n.value,
            (coalesce(m.next, 0) - 1 + row_number() OVER (PARTITION BY n.tenant ORDER BY n.value))::UINTEGER
        FROM ({_unnumbered_sql(stream, entity)}) AS n
        LEFT JOIN ({_next_sql(entity.name)}) AS m ON m.tenant = n.tenant
        """,
        {"entity": entity.name},
    )
    cursor.execute(
        f"UPDATE {table} AS e SET {column} = d.ordinal FROM {entity_table(entity.name)} AS d "
        f"WHERE d.tenant = e.tenant AND d.value = e.{quoted(entity.field)}::VARCHAR"
    )


def _returned(cursor: Cursor, stream: Stream, entity: Entity, hashes: Hashes) -> list[Row]:
    """Values of a stream's events that stand in the dictionary as hashes."""
    by_hash: dict[str, dict[str, str]] = {}
    for tenant, value in cursor.execute(_unnumbered_sql(stream, entity)).fetchall():
        by_hash.setdefault(tenant, {})[hashes.of(tenant, entity.name, value)] = value
    return [
        (tenant, values[form], number)
        for tenant, values in by_hash.items()
        for form, number in found(cursor, entity.name, tenant, values)
    ]


def _unnumbered_sql(stream: Stream, entity: Entity) -> str:
    return f"""
        SELECT n.tenant, n.value FROM (
            SELECT DISTINCT tenant, {quoted(entity.field)}::VARCHAR AS value
            FROM {events_table(stream.name)} WHERE {quoted(entity.field)} IS NOT NULL
        ) AS n
        ANTI JOIN {entity_table(entity.name)} AS d ON d.tenant = n.tenant AND d.value = n.value
    """


def _next_sql(entity: str) -> str:
    return f"""
        -- The number that each tenant's next {entity} gets.
        SELECT tenant, max(next) AS next FROM (
            SELECT tenant, max(ordinal)::BIGINT + 1 AS next FROM {entity_table(entity)} GROUP BY tenant
            UNION ALL
            SELECT tenant, next FROM numbers_given WHERE entity = $entity
        ) GROUP BY tenant
    """


def _register(cursor: Cursor, rows_: Sequence[Row]) -> None:
    tenants, values, ordinals = zip(*rows_, strict=True)
    cursor.register(ROWS, pa.table({"tenant": tenants, "value": values, "ordinal": pa.array(ordinals)}))
