"""Values that nothing may hold any more: those of events that were deleted, until they are looked at."""

from __future__ import annotations

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import ENTITY, EVENTS, ORDINALS, quoted

LAST_COMMIT = '(SELECT coalesce(max("commit"), 0) FROM commits)'

NUMBERED = """
-- Where events are kept by the numbers of an entity.
SELECT table_name, column_name FROM information_schema.columns
WHERE starts_with(table_name, $events) AND starts_with(column_name, $column) ORDER BY ALL
"""

COLUMNS = """
-- Where a table of events has the numbers of entities.
SELECT column_name FROM information_schema.columns
WHERE table_name = $table AND starts_with(column_name, $ordinals) ORDER BY column_name
"""

ENTITIES = """
-- The entities that values are kept of.
SELECT table_name FROM information_schema.tables WHERE starts_with(table_name, $prefix) ORDER BY table_name
"""


def numbered(cursor: Cursor, entity: str) -> list[tuple[str, str]]:
    """Tables of events and their columns of an entity's numbers, also of streams the model left out."""
    found: list[tuple[str, str]] = cursor.execute(
        NUMBERED, {"events": EVENTS, "column": f"{ORDINALS}{entity}."}
    ).fetchall()
    return found


def note(cursor: Cursor, table: str, condition: str, parameters: dict[str, object]) -> None:
    """Notes every value of the events that meet a condition, before they are deleted."""
    columns = cursor.execute(COLUMNS, {"table": table, "ordinals": ORDINALS}).fetchall()
    for (column,) in columns:
        note_column(cursor, table, column, condition, parameters)


def note_column(
    cursor: Cursor, table: str, column: str, condition: str, parameters: dict[str, object]
) -> None:
    """Notes the values of one entity of the events that meet a condition."""
    cursor.execute(
        f"""
        -- What these events held, nothing may hold without them.
        INSERT INTO unheld SELECT DISTINCT $entity, tenant, {quoted(column)}, {LAST_COMMIT}
        FROM {quoted(table)} WHERE {condition} AND {quoted(column)} IS NOT NULL
        """,
        {**parameters, "entity": entity_of(column)},
    )


def note_underived(cursor: Cursor, entity: str, column: str) -> None:
    """Notes of whom something is derived no more; `gone` and `fresh` are registered.

    A session that has grown longer goes and comes in one exchange: that is nothing to look at.
    """
    cursor.execute(
        f"""
        -- Those of whom derived events went and none came.
        INSERT INTO unheld SELECT DISTINCT $entity, g.tenant, g.{column}, {LAST_COMMIT}
        FROM gone AS g ANTI JOIN fresh AS f ON f.tenant = g.tenant AND f.{column} = g.{column}
        """,
        {"entity": entity},
    )


def note_nameless(cursor: Cursor) -> None:
    """Notes everybody that only sets hold, where some of the sets went."""
    for (table,) in cursor.execute(ENTITIES, {"prefix": ENTITY}).fetchall():
        cursor.execute(
            f"""
            -- Without a rollup's sets, nothing may hold what no event does.
            INSERT INTO unheld SELECT $entity, tenant, ordinal, {LAST_COMMIT}
            FROM {quoted(table)} WHERE starts_with(value, chr(0))
            """,
            {"entity": table.removeprefix(ENTITY)},
        )


def entity_of(column: str) -> str:
    """Whose numbers are in a column of events."""
    return column.removeprefix(ORDINALS).partition(".")[0]
