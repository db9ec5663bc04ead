"""Making room for a model: tables of streams, entities and rollups, and what must be built anew."""

from __future__ import annotations

from collections.abc import Iterator

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
from aforo.engines.embedded.catalog import Catalog
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

STREAMS = "SELECT stream FROM streams"

TENANTS = "SELECT name, timezone, week_start, declared FROM tenants"

KEPT_ROLLUPS = "SELECT hash FROM rollups"


def apply_model(cursor: Cursor, model: Model, hashes: Hashes) -> None:
    """Brings the tables to the model; raises `ModelConflict`, and then nothing was changed.

    What the model asks for is looked for in what is there, each time: only what is missing costs more.
    """
    hashes.exist(cursor)  # whose key is lost hears of it before anything comes
    catalog = Catalog(cursor)
    catalog.make("seals", sealing.CREATE)
    catalog.make("rezoned", rezoning.CREATE)
    catalog.make("births", births.CREATE)
    catalog.make("held", held.CREATE)
    streams = {row[0] for row in cursor.execute(STREAMS).fetchall()}
    for stream in model.streams.values():
        for entity in stream.entities:
            dictionary.make(catalog, entity)
        _make_events(cursor, catalog, stream, hashes)
        if stream.name not in streams:
            cursor.execute("INSERT INTO streams VALUES ($stream)", {"stream": stream.name})
    derive_marks.keep_derivations(cursor, catalog, model)
    # Before any is made: one that means the same as one that went begins anew.
    births.forget_dropped(cursor)
    periods.make_room(cursor, catalog, (layout for _, layout in _layouts(model)))
    _keep_rollups(cursor, catalog, model)
    kept = {row[0]: row[1:] for row in cursor.execute(TENANTS).fetchall()} if model.tenants else {}
    for tenant in model.tenants.values():
        _declare_tenant(cursor, tenant, kept.get(tenant.name))


def _make_events(cursor: Cursor, catalog: Catalog, stream: Stream, hashes: Hashes) -> None:
    name, table = f"{EVENTS}{stream.name}", events_table(stream.name)
    wanted = {field.name: SQL_TYPES[field.type] for field in stream.fields.values()}
    if name not in catalog.found:
        numbers = {ordinal_column(each.name, each.field): "UINTEGER" for each in stream.entities.values()}
        own = {quoted(column): type_ for column, type_ in wanted.items()} | numbers
        more = "".join(f", {column} {type_}" for column, type_ in own.items())
        catalog.make(
            name,
            f"CREATE TABLE {table} (tenant VARCHAR NOT NULL, id VARCHAR NOT NULL, "
            f'time TIMESTAMP NOT NULL, untimed BOOLEAN NOT NULL, "commit" BIGINT NOT NULL{more})',
        )
        return
    have = dict(cursor.execute(COLUMNS_OF, {"table": name}).fetchall())
    for column, type_ in wanted.items():
        kept = have.get(column)
        if kept is None:
            cursor.execute(f"ALTER TABLE {table} ADD COLUMN {quoted(column)} {type_}")
        elif kept != type_:
            raise ModelConflict(
                f"field {column} of stream {stream.name} was kept as {kept} and is now "
                f"{stream.fields[column].type}",
                hint="give the field of the new type another name",
            )
    _keep_ordinals(cursor, stream, [column for column in have if column.startswith(ORDINALS)], hashes)


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


def _keep_rollups(cursor: Cursor, catalog: Catalog, model: Model) -> None:
    if not {"builds", "build_marks"} <= catalog.found:
        building.make_room(cursor)
    catalog.make("rollup_meanings", meanings.CREATE)
    kept = {row[0] for row in cursor.execute(KEPT_ROLLUPS).fetchall()}
    wanted = {layout.hash: (stream, layout) for stream, layout in _layouts(model)}
    if upgrading.is_due(catalog):
        _upgrade(cursor, catalog, model)
    new = [made for hash_, made in wanted.items() if hash_ not in kept]
    if new:
        _make_rollups(cursor, catalog, new)
    gone = kept - set(wanted)
    if gone:
        for hash_ in sorted(gone - serving.needed(cursor, model, gone)):
            building.drop(cursor, hash_)
    meanings.remember(cursor, model)


def _layouts(model: Model) -> Iterator[tuple[Stream, RollupLayout]]:
    for stream in model.streams.values():
        yield from ((stream, RollupLayout.of(stream, rollup)) for rollup in stream.rollups.values())


def _upgrade(cursor: Cursor, catalog: Catalog, model: Model) -> None:
    """Brings the rows of every rollup whose meaning is known to what they are now."""
    earlier = (each for _, each in meanings.known(cursor, model).values())
    layouts = [RollupLayout.of(each.stream, each.rollup) for each in earlier]
    layouts += [layout for _, layout in _layouts(model)]
    known = {layout.hash: layout for layout in layouts}
    upgrading.join_parts(cursor, catalog, known.values())
    upgrading.tell_gaps(cursor, catalog, known.values())


def _make_rollups(cursor: Cursor, catalog: Catalog, new: list[tuple[Stream, RollupLayout]]) -> None:
    commit = last_commit(cursor)
    cursor.execute(
        "INSERT INTO rollups SELECT unnest($hashes), unnest($streams), unnest($names)",
        {
            "hashes": [layout.hash for _, layout in new],
            "streams": [stream.name for stream, _ in new],
            "names": [layout.rollup.name for _, layout in new],
        },
    )
    for stream, layout in new:
        has_events = not catalog.is_new(EVENTS + stream.name)
        if has_events:
            fitting.refuse_unfit(cursor, stream, layout.measures)
        for period in layout.periods:
            if not catalog.is_new(layout.table_name(period)):
                cursor.execute(f"CREATE TABLE {layout.table(period)} ({layout.columns_sql})")
        if has_events:
            births.born(cursor, stream, layout)
            building.begin(cursor, stream, layout, commit)


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
