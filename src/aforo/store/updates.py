"""Versions of datasets: each is taken once; the newest is the one made last, whenever it came."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from aforo.store.run import Version
from aforo.store.run_tables import dataset_updates

COLUMNS = dataset_updates.c
VERSION = (COLUMNS.id, COLUMNS.dataset_id, COLUMNS.manifest_uri, COLUMNS.updated_at)

# A new update; nothing where its key is known, which waits for whoever is just taking the same one.
TAKE = {
    "sqlite": sqlite.insert(dataset_updates).on_conflict_do_nothing().returning(COLUMNS.id),
    "postgresql": postgresql.insert(dataset_updates).on_conflict_do_nothing().returning(COLUMNS.id),
}
KNOWN = select(*VERSION).where(COLUMNS.tenant == bindparam("tenant"), COLUMNS.event_key == bindparam("key"))
# The newest version of each of some datasets: the last one made, and of those made at once the last to come.
_ranked = (
    select(
        *VERSION,
        func.row_number()
        .over(partition_by=COLUMNS.dataset_id, order_by=(COLUMNS.updated_at.desc(), COLUMNS.id.desc()))
        .label("place"),
    )
    .where(COLUMNS.dataset_id.in_(bindparam("datasets", expanding=True)))
    .subquery()
)
NEWEST_OF_EACH = select(
    _ranked.c.id, _ranked.c.dataset_id, _ranked.c.manifest_uri, _ranked.c.updated_at
).where(_ranked.c.place == 1)
# However many versions there are, they are all looked at: this is asked where a lost attempt left something.
NAMING = select(COLUMNS.manifest_uri).where(COLUMNS.manifest_uri.contains(bindparam("word")))
NEWEST = (
    select(*VERSION)
    .where(COLUMNS.dataset_id == bindparam("dataset"))
    .order_by(COLUMNS.updated_at.desc(), COLUMNS.id.desc())
    .limit(1)
)


def take(
    connection: Connection,
    *,
    tenant: str,
    dataset_id: str,
    event_key: str,
    manifest_uri: str,
    updated_at: int,
    row_count: int | None,
    series: str | None,
    received_at: int,
) -> int | None:
    """The number of a new update, None where its key was taken before."""
    values = {
        "tenant": tenant,
        "dataset_id": dataset_id,
        "event_key": event_key,
        "manifest_uri": manifest_uri,
        "updated_at": updated_at,
        "row_count": row_count,
        "series": series,
        "received_at": received_at,
    }
    found: int | None = connection.execute(TAKE[connection.dialect.name], values).scalar()
    return found


def known(connection: Connection, tenant: str, event_key: str) -> Version | None:
    """The update of a key."""
    return _one(connection, KNOWN, tenant=tenant, key=event_key)


def newest(connection: Connection, dataset_id: str) -> Version | None:
    """The version of a dataset that runs read now."""
    return _one(connection, NEWEST, dataset=dataset_id)


def newest_of(connection: Connection, dataset_ids: Collection[str]) -> dict[str, Version]:
    """The same for several; those without any are left out."""
    rows = connection.execute(NEWEST_OF_EACH, {"datasets": sorted(dataset_ids)})
    return {row.dataset_id: Version(**row._mapping) for row in rows}


def naming(connection: Connection, word: str) -> list[str]:
    """The manifests of all versions of any dataset whose URIs have a word in them."""
    return list(connection.execute(NAMING, {"word": word}).scalars())


def page(connection: Connection, dataset_id: str, limit: int) -> list[dict[str, Any]]:
    """What came of a dataset last, newest version first."""
    wanted = (
        select(dataset_updates)
        .where(COLUMNS.dataset_id == dataset_id)
        .order_by(COLUMNS.updated_at.desc(), COLUMNS.id.desc())
        .limit(limit)
    )
    return [dict(row._mapping) for row in connection.execute(wanted)]


def _one(connection: Connection, wanted: Any, **values: object) -> Version | None:
    row = connection.execute(wanted, values).first()
    return None if row is None else Version(**row._mapping)
