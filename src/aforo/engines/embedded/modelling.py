"""Making room for a model: tables of streams, entities and rollups, and what must be built anew."""

from __future__ import annotations

from aforo.engines.embedded import (
    births,
    building,
    derive_marks,
    dictionary,
    fitting,
    held,
    meanings,
    periods,
    rezoning,
    sealing,
    serving,
    unheld,
    upgrading,
)
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.hashes import Hashes
from aforo.engines.embedded.layout import (
    EVENTS,
    ORDINALS,
    SQL_TYPES,
    RollupLayout,
    events_table,
    ordinal_column,
    quoted,
)
from aforo.errors import ModelConflict
from aforo.model.model import Model
from aforo.model.stream import Stream
from aforo.model.tenant import Tenant
from aforo.windows import Zone

LAST_COMMIT = """
-- The number of the last durable append.
SELECT coalesce(max("commit"), 0) FROM commits
"""

COLUMNS_OF = """
-- The columns a table has, with their types; the information schema would make up those of every table.
SELECT name, type FROM pragma_table_info($table)
"""

TENANTS = "SELECT name, timezone, week_start, declared FROM tenants"

KEPT_ROLLUPS = "SELECT hash FROM rollups"


def apply_model(cursor: Cursor, model: Model, hashes: Hashes) -> None:
    """Brings the tables to the model; raises `ModelConflict`, and then nothing was changed."""
    hashes.exist(cursor)  # whose key is lost hears of it before anything comes
    cursor.execute(sealing.CREATE)
    cursor.execute(rezoning.CREATE)
    cursor.execute(births.CREATE)
    cursor.execute(held.CREATE)
    for stream in model.streams.values():
        for entity in stream.entities:
            dictionary.make(cursor, entity)
        _make_events(cursor, stream, hashes)
    derive_marks.keep_derivations(cursor, model)
    _keep_rollups(cursor, model)
    periods.make_room(cursor, model)
    kept = {row[0]: row[1:] for row in cursor.execute(TENANTS).fetchall()} if model.tenants else {}
    for tenant in model.tenants.values():
        _declare_tenant(cursor, tenant, kept.get(tenant.name))


def _make_events(cursor: Cursor, stream: Stream, hashes: Hashes) -> None:
    table = events_table(stream.name)
    cursor.execute(
        f"CREATE TABLE IF NOT EXISTS {table} (tenant VARCHAR NOT NULL, id VARCHAR NOT NULL, "
        'time TIMESTAMP NOT NULL, untimed BOOLEAN NOT NULL, "commit" BIGINT NOT NULL)'
    )
    cursor.execute("INSERT OR IGNORE INTO streams VALUES ($stream)", {"stream": stream.name})
    have = dict(cursor.execute(COLUMNS_OF, {"table": f"events_{stream.name}"}).fetchall())
    for field in stream.fields.values():
        kept = have.get(field.name)
        if kept is None:
            cursor.execute(f"ALTER TABLE {table} ADD COLUMN {quoted(field.name)} {SQL_TYPES[field.type]}")
        elif kept != SQL_TYPES[field.type]:
            raise ModelConflict(
                f"field {field.name} of stream {stream.name} was kept as {kept} and is now {field.type}",
                hint="give the field of the new type another name",
            )
    _keep_ordinals(cursor, stream, [name for name in have if name.startswith(ORDINALS)], hashes)


def _keep_ordinals(cursor: Cursor, stream: Stream, kept: list[str], hashes: Hashes) -> None:
    """A column for every entity. One that no entity has now would miss what comes until it has again."""
    wanted = {ordinal_column(each.name, each.field): each for each in stream.entities.values()}
    for column in sorted(name for name in kept if quoted(name) not in wanted):
        unheld.note_column(cursor, EVENTS + stream.name, column, "true", {})
        cursor.execute(f"ALTER TABLE {events_table(stream.name)} DROP COLUMN {quoted(column)}")
    for column, entity in wanted.items():
        if column not in map(quoted, kept):
            cursor.execute(f"ALTER TABLE {events_table(stream.name)} ADD COLUMN {column} UINTEGER")
            dictionary.number_events(cursor, stream, entity, hashes)


def _keep_rollups(cursor: Cursor, model: Model) -> None:
    building.make_room(cursor)
    meanings.make_room(cursor)
    kept = {row[0] for row in cursor.execute(KEPT_ROLLUPS).fetchall()}
    wanted = {
        layout.hash: (stream, layout)
        for stream in model.streams.values()
        for layout in (RollupLayout.of(stream, rollup) for rollup in stream.rollups.values())
    }
    earlier = [each for _, each in meanings.known(cursor, model).values()]
    known = {each.hash: each for each in (RollupLayout.of(one.stream, one.rollup) for one in earlier)}
    known.update({hash_: layout for hash_, (_, layout) in wanted.items()})
    upgrading.join_parts(cursor, known.values())
    upgrading.tell_gaps(cursor, known.values())
    commit = last_commit(cursor)
    for hash_, (stream, layout) in wanted.items():
        if hash_ not in kept:
            fitting.refuse_unfit(cursor, stream, layout.measures)
            _make_rollup(cursor, stream, layout)
            building.begin(cursor, stream, layout, commit)
    gone = kept - set(wanted)
    for hash_ in sorted(gone - serving.needed(cursor, model, gone)):
        building.drop(cursor, hash_)
    meanings.remember(cursor, model)


def _make_rollup(cursor: Cursor, stream: Stream, layout: RollupLayout) -> None:
    for period in layout.periods:
        cursor.execute(f"CREATE TABLE {layout.table(period)} ({layout.columns_sql})")
    cursor.execute(
        "INSERT INTO rollups VALUES ($hash, $stream, $name)",
        {"hash": layout.hash, "stream": stream.name, "name": layout.rollup.name},
    )
    births.born(cursor, stream, layout)


def last_commit(cursor: Cursor) -> int:
    """The number of the last durable append that the cursor sees; 0 before the first."""
    found = first_row(cursor, LAST_COMMIT)
    assert found is not None
    return int(found[0])


def _declare_tenant(cursor: Cursor, tenant: Tenant, kept: tuple[str, str, bool] | None) -> None:
    """Writes a tenant that is not `kept` as it is declared: its zone, its week's start and that it is."""
    here = (tenant.timezone, tenant.week_start)
    if kept == (*here, True):
        return
    if kept is not None and kept[:2] != here and _has_events(cursor, tenant.name):
        streams = [row[0] for row in cursor.execute("SELECT stream FROM streams").fetchall()]
        rezoning.move(cursor, tenant, Zone(*kept[:2]), streams, last_commit(cursor))
    cursor.execute(
        "INSERT OR REPLACE INTO tenants VALUES ($name, $timezone, $week_start, true)",
        {"name": tenant.name, "timezone": tenant.timezone, "week_start": tenant.week_start},
    )


def _has_events(cursor: Cursor, tenant: str) -> bool:
    streams = [row[0] for row in cursor.execute("SELECT stream FROM streams").fetchall()]
    return any(
        first_row(
            cursor, f"SELECT 1 FROM {events_table(stream)} WHERE tenant = $tenant LIMIT 1", {"tenant": tenant}
        )
        for stream in streams
    )
