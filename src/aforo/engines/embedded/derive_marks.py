"""What waits to be derived: slots of a source whose events have changed, for each stream derived from it."""

from __future__ import annotations

from collections.abc import Sequence

from aforo.engines.embedded.catalog import Catalog
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.layout import events_table, ordinal_column
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.record import Mark
from aforo.errors import ModelConflict
from aforo.model.model import Model
from aforo.model.stream import Stream
from aforo.model.version import derivation_hash

WHOLE = 0
"""As the commit from which on events are new: anything of the slot may have changed, also by going."""

CREATE = (
    """
    -- The streams whose events are derived, from which, and what that means; what is derived no more is kept,
    -- to be known again.
    CREATE TABLE IF NOT EXISTS derivations (
        stream VARCHAR NOT NULL, source VARCHAR NOT NULL, hash VARCHAR NOT NULL, active BOOLEAN NOT NULL
    )
    """,
    """
    -- Slots of the source in which events of commits from `since` on are new to a derived stream. Numbers
    -- ascend, so that who has read some marks can tell those that came later.
    CREATE TABLE IF NOT EXISTS derive_marks (
        stream VARCHAR NOT NULL, tenant VARCHAR NOT NULL, slot TIMESTAMP NOT NULL,
        since BIGINT NOT NULL, events BIGINT NOT NULL, number BIGINT NOT NULL
    )
    """,
)

SOURCES = """
-- Which streams something is derived from.
SELECT DISTINCT source FROM derivations WHERE active
"""

NEXT_NUMBER = "(SELECT coalesce(max(number), 0) + 1 FROM derive_marks)"

MARK = f"""
-- What is derived from these slots has to be derived again.
INSERT INTO derive_marks
SELECT d.stream, m.tenant, m.slot, m.since, m.events, {NEXT_NUMBER}
FROM (
    SELECT unnest($sources) AS source, unnest($tenants) AS tenant, unnest($slots) AS slot,
        unnest($since) AS since, unnest($events) AS events
) AS m JOIN derivations AS d ON d.source = m.source AND d.active
"""

KEPT = "SELECT stream, hash, active FROM derivations"

FORGET = "DELETE FROM derivations WHERE stream = $stream"

KEEP = "INSERT INTO derivations VALUES ($stream, $source, $hash, true)"

LET_GO = """
-- Streams that are not derived by this model; what waited for them waits no more.
UPDATE derivations SET active = false WHERE NOT list_contains($streams, stream)
"""

SWEEP = "DELETE FROM derive_marks WHERE stream NOT IN (SELECT stream FROM derivations WHERE active)"


class DeriveMarks:
    """Writes the marks of commits, with what is derived from what at hand; within write transactions only."""

    def __init__(self) -> None:
        self._sources: frozenset[str] | None = None

    def forget(self) -> None:
        """Reads again what is derived from what."""
        self._sources = None

    def mark(self, cursor: Cursor, numbered: Sequence[tuple[int, Mark]]) -> None:
        """Marks what commits have touched, for the streams that are derived from it."""
        if self._sources is None:
            make_room(cursor)
            self._sources = frozenset(source for (source,) in cursor.execute(SOURCES).fetchall())
        mine = [(number, mark) for number, mark in numbered if mark.stream in self._sources]
        if mine:
            _write(cursor, mine)


def mark_whole(cursor: Cursor, source: str, tenant: str, slots: Sequence[int]) -> None:
    """Has everything derived again from slots that lost events, or whose events became others."""
    make_room(cursor)
    _write(cursor, [(WHOLE, Mark(source, tenant, slot, 1)) for slot in slots])


def mark_all(cursor: Cursor, source: str, tenant: str) -> None:
    """Has everything of a tenant derived again: its days are others now."""
    cursor.execute(
        f"""
        -- Every slot of a tenant's source.
        INSERT INTO derive_marks
        SELECT d.stream, s.tenant, s.slot, {WHOLE}, s.events, {NEXT_NUMBER}
        FROM (
            SELECT tenant, time_bucket(INTERVAL 15 MINUTES, time) AS slot, count(*) AS events
            FROM {events_table(source)} WHERE tenant = $tenant GROUP BY ALL
        ) AS s JOIN derivations AS d ON d.source = $source AND d.active
        """,
        {"source": source, "tenant": tenant},
    )


def make_room(cursor: Cursor) -> None:
    """The tables of marks, in data directories of before there were any too."""
    for statement in CREATE:
        cursor.execute(statement)


def keep_derivations(cursor: Cursor, catalog: Catalog, model: Model) -> None:
    """Marks the whole source of what is derived for the first time, or differently than before.

    Raises `ModelConflict` where events that were sent would have to make room for derived ones.
    """
    if not {"derivations", "derive_marks"} <= catalog.found:
        make_room(cursor)
    derived = {stream.name: stream for stream in model.streams.values() if stream.derivation is not None}
    kept = {name: (hash_, active) for name, hash_, active in cursor.execute(KEPT).fetchall()}
    for stream in derived.values():
        _keep(cursor, stream, model, kept.get(stream.name))
    if any(active and name not in derived for name, (_, active) in kept.items()):
        cursor.execute(LET_GO, {"streams": [*derived]})
        cursor.execute(SWEEP)


def _keep(cursor: Cursor, stream: Stream, model: Model, kept: tuple[str, bool] | None) -> None:
    assert stream.derivation is not None
    source = model.streams[stream.derivation.source]
    now = derivation_hash(source, stream.derivation)
    if kept is None and first_row(cursor, f"SELECT 1 FROM {events_table(stream.name)} LIMIT 1"):
        raise ModelConflict(
            f"stream {stream.name} has events that were sent, and the model says that they are derived",
            hint="give the derived stream another name",
        )
    if kept == (now, True):
        return
    named = {"stream": stream.name}
    _remove_of_others(cursor, stream, source)
    cursor.execute(FORGET, named)
    cursor.execute(KEEP, {**named, "source": source.name, "hash": now})
    cursor.execute(
        f"""
        -- Every slot of a source: what is derived from it means something else now.
        INSERT INTO derive_marks
        SELECT $stream, tenant, time_bucket(INTERVAL 15 MINUTES, time), {WHOLE}, count(*), {NEXT_NUMBER}
        FROM {events_table(source.name)} GROUP BY ALL
        """,
        named,
    )


def _remove_of_others(cursor: Cursor, stream: Stream, source: Stream) -> None:
    """Takes away what was derived for another entity, which nothing would compare any more.

    What was derived from events that have been purged stays.
    """
    assert stream.derivation is not None
    column = ordinal_column(stream.derivation.entity, stream.derivation.field)
    table = events_table(stream.name)
    others = f"""
        {column} IS NULL AND time >= coalesce((
            SELECT max(events_from) FROM seals AS s WHERE s.stream = $source AND s.tenant = {table}.tenant
        ), '-infinity')
    """
    cursor.execute(
        f"""
        -- The slots of what was derived for another entity.
        INSERT INTO ledger
        SELECT $stream, tenant, slot, (SELECT coalesce(max("commit"), 0) FROM commits), unnest([events, 0])
        FROM (
            SELECT tenant, time_bucket(INTERVAL 15 MINUTES, time) AS slot, count(*) AS events
            FROM {table} WHERE {others} GROUP BY ALL
        )
        """,
        {"stream": stream.name, "source": source.name},
    )
    cursor.execute(f"DELETE FROM {table} WHERE {others}", {"source": source.name})


def _write(cursor: Cursor, numbered: Sequence[tuple[int, Mark]]) -> None:
    cursor.execute(
        MARK,
        {
            "sources": [mark.stream for _, mark in numbered],
            "tenants": [mark.tenant for _, mark in numbered],
            "slots": [timestamp(mark.slot) for _, mark in numbered],
            "since": [number for number, _ in numbered],
            "events": [mark.events for _, mark in numbered],
        },
    )
