"""Keys as they are kept: made, found by the hash of their secret, listed, revoked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, exists, insert, select, update
from sqlalchemy.sql import Select

from aforo.clock import Clock
from aforo.store import audit, tables
from aforo.store.act import Action, Actor
from aforo.store.connect import Store
from aforo.store.key import (
    Key,
    KeyKind,
    KeyScope,
    NewKey,
    Principal,
    PrincipalKind,
    hash_of,
    new_id,
    new_secret,
)


class Keys:
    """The keys of one store, from any thread."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(self, wanted: NewKey, actor: Actor) -> tuple[Key, str]:
        """A new key and its secret, which nobody can be told again. Raises StorageError."""
        secret, now = new_secret(), self._clock.now()
        key = Key(**{name: getattr(wanted, name) for name in _WANTED}, id=new_id(), created_at=now)
        with self._store.writing() as connection:
            _insert(connection, key, hash_of(secret))
            audit.add(connection, now, Action.KEY_CREATED, actor, key.id, described(key))
        return key, secret

    def revoke(self, key_id: str, actor: Actor) -> Key | None:
        """The key, which opens nothing any more; None if there is none. Doing it again changes nothing."""
        now, table = self._clock.now(), tables.keys
        with self._store.writing() as connection:
            revoking = update(table).where(table.c.id == key_id, table.c.revoked_at.is_(None))
            if connection.execute(revoking.values(revoked_at=now)).rowcount:
                key = _one(connection, table.c.id == key_id)
                assert key is not None
                audit.add(connection, now, Action.KEY_REVOKED, actor, key_id, f"{key.name}")
                return key
            return _one(connection, table.c.id == key_id)

    def by_hash(self, hashed: str) -> Key | None:
        """The key whose secret has this hash, good or not."""
        with self._store.reading() as connection:
            return _one(connection, tables.keys.c.hash == hashed)

    def page(self, limit: int, after: tuple[int, str] | None = None) -> list[Key]:
        """At most so many keys, the newest first, of those after one named by when it was made and its id."""
        table = tables.keys
        wanted = _SELECT.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
        if after is not None:
            at, key_id = after
            wanted = wanted.where(
                (table.c.created_at < at) | ((table.c.created_at == at) & (table.c.id < key_id))
            )
        with self._store.reading() as connection:
            return _read(connection, wanted)

    def any_made(self) -> bool:
        """Whether any key was ever made, good or not."""
        with self._store.reading() as connection:
            return bool(connection.scalar(select(exists(select(tables.keys.c.id)))))

    def any_good(self, scopes: Iterable[KeyScope] = KeyScope) -> bool:
        """Whether a key that opens one of these scopes is good now."""
        keys, scope = tables.keys, tables.key_scopes
        found = (
            select(keys.c.id)
            .join(scope, scope.c.key_id == keys.c.id)
            .where(scope.c.scope.in_([str(each) for each in scopes]), _good(self._clock.now()))
        )
        with self._store.reading() as connection:
            return bool(connection.scalar(select(exists(found))))

    def public_origins(self) -> frozenset[str]:
        """The origins that public keys which are good now may be used from."""
        keys, origin = tables.keys, tables.key_origins
        wanted = select(origin.c.origin).join(keys, keys.c.id == origin.c.key_id)
        with self._store.reading() as connection:
            return frozenset(connection.scalars(wanted.where(_good(self._clock.now()))))

    def mark_used(self, uses: Mapping[str, int]) -> None:
        """Keeps when keys were last used: microseconds by id. An older time changes nothing."""
        if not uses:
            return
        table = tables.keys
        marking = (
            update(table)
            .where(table.c.id == bindparam("key"))
            .where(table.c.last_used_at.is_(None) | (table.c.last_used_at < bindparam("used")))
            .values(last_used_at=bindparam("used"))
        )
        with self._store.writing() as connection:
            connection.execute(marking, [{"key": key_id, "used": at} for key_id, at in uses.items()])


def described(key: Key) -> str:
    """A key in words for the audit, without its secret."""
    tenants = "every tenant" if key.tenants is None else ", ".join(sorted(key.tenants))
    return f"{key.name}: {key.kind}, {', '.join(sorted(key.scopes))}, for {tenants}"


_WANTED = (
    *("name", "principal", "kind", "scopes", "tenants", "origins"),
    *("requests_per_second", "burst_requests", "raw_rows", "raw_bytes", "expires_at"),
)
_SELECT = select(
    tables.keys,
    tables.principals.c.kind.label("principal_kind"),
    tables.principals.c.name.label("principal_name"),
).join(tables.principals, tables.principals.c.id == tables.keys.c.principal_id)


def _good(now: int) -> Any:
    table = tables.keys
    return table.c.revoked_at.is_(None) & (table.c.expires_at.is_(None) | (table.c.expires_at > now))


def _insert(connection: Connection, key: Key, hashed: str) -> None:
    connection.execute(
        insert(tables.keys),
        {
            "id": key.id,
            "name": key.name,
            "principal_id": _principal(connection, key.principal, key.created_at),
            "kind": str(key.kind),
            "hash": hashed,
            "all_tenants": key.tenants is None,
            "requests_per_second": key.requests_per_second,
            "burst_requests": key.burst_requests,
            "raw_rows": key.raw_rows,
            "raw_bytes": key.raw_bytes,
            "created_at": key.created_at,
            "expires_at": key.expires_at,
        },
    )
    for table, column, values in (
        (tables.key_scopes, "scope", [str(scope) for scope in key.scopes]),
        (tables.key_tenants, "tenant", list(key.tenants or ())),
        (tables.key_origins, "origin", list(key.origins)),
    ):
        if values:
            connection.execute(insert(table), [{"key_id": key.id, column: value} for value in sorted(values)])


def _principal(connection: Connection, principal: Principal, now: int) -> int:
    """The number of a principal, who is there from its first key on."""
    table = tables.principals
    same = (table.c.kind == str(principal.kind)) & (table.c.name == principal.name)
    found = connection.scalar(select(table.c.id).where(same))
    if found is not None:
        return int(found)
    made = insert(table).values(kind=str(principal.kind), name=principal.name, created_at=now)
    return int(connection.scalars(made.returning(table.c.id)).one())


def _one(connection: Connection, condition: Any) -> Key | None:
    found = _read(connection, _SELECT.where(condition))
    return found[0] if found else None


def _read(connection: Connection, wanted: Select[Any]) -> list[Key]:
    rows = [row._mapping for row in connection.execute(wanted)]
    ids = [row["id"] for row in rows]
    scopes = _of(connection, tables.key_scopes.c.scope, ids)
    tenants = _of(connection, tables.key_tenants.c.tenant, ids)
    origins = _of(connection, tables.key_origins.c.origin, ids)
    return [
        Key(
            id=row["id"],
            name=row["name"],
            principal=Principal(PrincipalKind(row["principal_kind"]), row["principal_name"]),
            kind=KeyKind(row["kind"]),
            scopes=frozenset(map(KeyScope, scopes[row["id"]])),
            tenants=None if row["all_tenants"] else frozenset(tenants[row["id"]]),
            origins=frozenset(origins[row["id"]]),
            requests_per_second=row["requests_per_second"],
            burst_requests=row["burst_requests"],
            raw_rows=row["raw_rows"],
            raw_bytes=row["raw_bytes"],
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            revoked_at=row["revoked_at"],
            last_used_at=row["last_used_at"],
        )
        for row in rows
    ]


def _of(connection: Connection, column: Any, ids: Sequence[str]) -> dict[str, list[str]]:
    """The values of a table beside `keys`, by key."""
    found: dict[str, list[str]] = {key_id: [] for key_id in ids}
    if ids:
        owner = column.table.c.key_id
        for key_id, value in connection.execute(select(owner, column).where(owner.in_(ids))):
            found[key_id].append(value)
    return found
