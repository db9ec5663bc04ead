"""Derived events as SQL: sessions and first sightings of the entities that something happened to."""

from __future__ import annotations

from collections.abc import Iterable

from aforo.engines.embedded.calendar import Span
from aforo.engines.embedded.layout import events_table, ordinal_column, quoted
from aforo.engines.embedded.parameters import Parameters, conditions_sql
from aforo.model.derivation import Derivation, Take, TakeKind
from aforo.model.stream import Stream

KEYS = ("tenant", "id", "time")


def touched_sql(stream: Stream, derivation: Derivation, spans: list[Span], parameters: Parameters) -> str:
    """The entities with new events in dirty slots, by day; in whole days also those that had derived ones."""
    column = ordinal_column(derivation.entity, derivation.field)
    return f"""
        -- Whose events of which days changed.
        SELECT DISTINCT e.tenant AS __tenant, e.{column} AS __entity, c.__day
        FROM ({_spans_sql(derivation.source, spans, parameters)}) AS e
        JOIN dirty AS d ON d.__tenant = e.tenant AND d.__slot = time_bucket(INTERVAL 15 MINUTES, e.time)
        JOIN calendar AS c ON c.__tenant = e.tenant AND c.__slot = d.__slot
        WHERE e."commit" >= d.__since AND e.{column} IS NOT NULL
        UNION
        SELECT DISTINCT k.tenant, k.{column}, c.__day
        FROM {events_table(stream.name)} AS k
        JOIN calendar AS c ON c.__tenant = k.tenant AND c.__slot = time_bucket(INTERVAL 15 MINUTES, k.time)
        WHERE (c.__tenant, c.__day) IN (
            SELECT w.__tenant, w.__day FROM calendar AS w
            JOIN dirty AS d ON d.__tenant = w.__tenant AND d.__slot = w.__slot WHERE d.__since = 0
        )
    """


def sessions_sql(source: Stream, derivation: Derivation, spans: list[Span], parameters: Parameters) -> str:
    """Every session of the touched entities in the touched days."""
    column = ordinal_column(derivation.entity, derivation.field)
    gap = parameters.bind(derivation.gap_minutes)
    where = _where(source, derivation, parameters)
    fields = "".join(
        f", {_session_take(source, take, parameters)} AS {quoted(name)}"
        for name, take in derivation.takes.items()
    )
    return f"""
        -- Runs of an entity's events in one day, none longer after the one before than the gap.
        WITH own AS (
            SELECT e.*, c.__day, e.{column} AS __entity, lag(e.time) OVER run AS __before,
                lead(e.time) OVER run AS __after
            FROM ({_spans_sql(source.name, spans, parameters)}) AS e
            JOIN calendar AS c
                ON c.__tenant = e.tenant AND c.__slot = time_bucket(INTERVAL 15 MINUTES, e.time)
            JOIN touched AS t
                ON t.__tenant = e.tenant AND t.__entity = e.{column} AND t.__day = c.__day
            {where}
            WINDOW run AS (PARTITION BY e.tenant, e.{column}, c.__day ORDER BY e.time, e.id)
        ), cut AS (
            SELECT *, __before IS NULL OR time - __before >= to_minutes({gap}) AS __first,
                __after IS NULL OR __after - time >= to_minutes({gap}) AS __last
            FROM own
        ), numbered AS (
            SELECT *, sum(__first::INTEGER) OVER (
                PARTITION BY tenant, __entity, __day ORDER BY time, id
            ) AS __number
            FROM cut
        )
        SELECT tenant, {_id_sql(derivation, "min(time)")} AS id, min(time) AS time, __entity AS {column},
            any_value({quoted(derivation.field)}) AS {quoted(derivation.field)}{fields}
        FROM numbered GROUP BY tenant, __entity, __day, __number
    """


def firsts_sql(
    source: Stream, derivation: Derivation, spans: list[Span] | None, parameters: Parameters
) -> str:
    """The earliest event of each touched entity, among those of some stretches of time or among all."""
    column = ordinal_column(derivation.entity, derivation.field)
    events = events_table(source.name) if spans is None else _spans_sql(source.name, spans, parameters)
    fields = "".join(f", {_first(take.field)} AS {quoted(name)}" for name, take in derivation.takes.items())
    return f"""
        -- The earliest event of each entity; of two at one time the one with the lower id.
        WITH own AS (
            SELECT e.*, e.{column} AS __entity, row_number() OVER (
                PARTITION BY e.tenant, e.{column} ORDER BY e.time, e.id
            ) = 1 AS __first
            FROM {events if spans is None else f"({events})"} AS e
            SEMI JOIN touched AS t ON t.__tenant = e.tenant AND t.__entity = e.{column}
            {_where(source, derivation, parameters)}
        )
        SELECT tenant, {_id_sql(derivation, "min(time)")} AS id, min(time) AS time, __entity AS {column},
            any_value({quoted(derivation.field)}) AS {quoted(derivation.field)}{fields}
        FROM own WHERE __first GROUP BY tenant, __entity
    """


def kept_sessions_sql(stream: Stream, derivation: Derivation, _parameters: Parameters) -> str:
    """What is kept of the touched entities in the touched days."""
    return f"""
        -- The sessions that are kept of them.
        SELECT {_columns("k.", columns(stream, derivation))} FROM {events_table(stream.name)} AS k
        JOIN calendar AS c ON c.__tenant = k.tenant AND c.__slot = time_bucket(INTERVAL 15 MINUTES, k.time)
        SEMI JOIN touched AS t ON t.__tenant = k.tenant AND t.__day = c.__day
            AND t.__entity = k.{ordinal_column(derivation.entity, derivation.field)}
    """


def kept_firsts_sql(stream: Stream, derivation: Derivation, _parameters: Parameters) -> str:
    """The first sightings that are kept of the touched entities."""
    return f"""
        -- The first sightings that are kept of them.
        SELECT {_columns("k.", columns(stream, derivation))} FROM {events_table(stream.name)} AS k
        SEMI JOIN touched AS t ON t.__tenant = k.tenant
            AND t.__entity = k.{ordinal_column(derivation.entity, derivation.field)}
    """


def new_firsts_sql(derivation: Derivation, whole: bool, parameters: Parameters) -> str:
    """Candidates that no kept sighting goes before; of all events, none from before the seal goes before."""
    entity = ordinal_column(derivation.entity, derivation.field)
    before = "k.time < coalesce(s.events_from, '-infinity')" if whole else "k.time < c.time"
    return f"""
        -- First sightings that hold against what is kept.
        SELECT c.* FROM candidates AS c ANTI JOIN (
            SELECT c.tenant, c.{entity} FROM candidates AS c
            JOIN all_kept AS k ON k.tenant = c.tenant AND k.{entity} = c.{entity}
            {_seals(derivation, parameters)}
            WHERE {before}
        ) AS b ON b.tenant = c.tenant AND b.{entity} = c.{entity}
    """


def old_firsts_sql(derivation: Derivation, whole: bool, parameters: Parameters) -> str:
    """Kept sightings that candidates take the place of; of all events, all that are not sealed."""
    entity = ordinal_column(derivation.entity, derivation.field)
    challenged = (
        f"SEMI JOIN candidates AS c ON c.tenant = k.tenant AND c.{entity} = k.{entity} AND c.time <= k.time"
    )
    return f"""
        -- Kept first sightings that may have been overtaken.
        SELECT k.* FROM all_kept AS k {_seals(derivation, parameters) if whole else challenged}
        {"WHERE k.time >= coalesce(s.events_from, '-infinity')" if whole else ""}
    """


def _seals(derivation: Derivation, parameters: Parameters) -> str:
    return f"LEFT JOIN seals AS s ON s.stream = {parameters.bind(derivation.source)} AND s.tenant = k.tenant"


def difference_sql(stream: Stream, derivation: Derivation, of: str, without: str) -> str:
    """The rows of one registered table that are not, exactly so, in the other."""
    names = _columns("", columns(stream, derivation))
    return f"""
        -- What of {of} is not in {without}.
        SELECT {names} FROM {of} EXCEPT SELECT {names} FROM {without} ORDER BY tenant, time, id
    """


def columns(stream: Stream, derivation: Derivation) -> tuple[str, ...]:
    """The columns of a derived event, quoted: its keys, the entity's number, its fields."""
    return (*KEYS, ordinal_column(derivation.entity, derivation.field), *map(quoted, stream.fields))


def _columns(prefix: str, names: Iterable[str]) -> str:
    return ", ".join(f"{prefix}{name}" for name in names)


def _session_take(source: Stream, take: Take, parameters: Parameters) -> str:
    if take.kind is TakeKind.FIRST:
        return _first(take.field)
    if take.kind is TakeKind.LAST:
        assert take.field is not None
        return f"max({quoted(take.field)}) FILTER (__last)"
    if take.kind is TakeKind.DURATION:
        return "((epoch_us(max(time)) - epoch_us(min(time))) / 1e6)::DOUBLE"
    if not take.where:
        return "count(*)"
    return f"count(*) FILTER ({conditions_sql(take.where, source, parameters)})"


def _first(field: str | None) -> str:
    """Of exactly one row, so that null stays null."""
    assert field is not None
    return f"max({quoted(field)}) FILTER (__first)"


def _id_sql(derivation: Derivation, time: str) -> str:
    return f"md5(concat(any_value({quoted(derivation.field)}), '@', epoch_us({time})))"


def _where(source: Stream, derivation: Derivation, parameters: Parameters) -> str:
    return f"WHERE {conditions_sql(derivation.where, source, parameters)}" if derivation.where else ""


def _spans_sql(source: str, spans: list[Span], parameters: Parameters) -> str:
    """The source's events of some stretches of time, so that what lies between two is not read."""
    return " UNION ALL ".join(
        f"SELECT * FROM {events_table(source)} "
        f"WHERE time >= {parameters.bind_time(start)} AND time < {parameters.bind_time(end)}"
        for start, end in spans
    )
