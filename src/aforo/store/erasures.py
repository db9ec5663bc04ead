"""Erasures as they are kept: asked for, moved on step by step, and found again after any end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.sql import Select

from aforo.clock import Clock
from aforo.store import audit, tables
from aforo.store.act import Action, Actor
from aforo.store.connect import Store
from aforo.store.erasure import Erasure, ErasureState, new_id
from aforo.store.metadata import ACTOR_LENGTH


class Erasures:
    """The erasures of one store, from any thread and beside other processes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def request(self, tenant: str, entity: str, value: str, digest: str, actor: Actor) -> Erasure:
        """A new erasure, durable and told in the audit without the value. Raises StorageError."""
        now, erasure_id = self._clock.now(), new_id()
        with self._store.writing() as connection:
            connection.execute(
                insert(tables.erasures),
                {
                    "id": erasure_id,
                    "tenant": tenant,
                    "entity": entity,
                    "value": value,
                    "digest": digest,
                    "state": str(ErasureState.REQUESTED),
                    "requested_by": actor.name[:ACTOR_LENGTH],
                    "requested_at": now,
                    "changed_at": now,
                    "events": 0,
                    "slots": 0,
                },
            )
            told = f"{entity} of {tenant}, digest {digest}"
            audit.add(connection, now, Action.ERASURE_REQUESTED, actor, erasure_id, told)
            return _must(connection, erasure_id)

    def get(self, erasure_id: str) -> Erasure | None:
        """The erasure of an id, if there is one."""
        with self._store.reading() as connection:
            return _one(connection, erasure_id)

    def page(self, limit: int, after: tuple[int, str] | None = None) -> list[Erasure]:
        """At most so many, the newest first, of those after one named by when it was asked for and its id."""
        table = tables.erasures
        wanted = select(table).order_by(table.c.requested_at.desc(), table.c.id.desc()).limit(limit)
        if after is not None:
            at, erasure_id = after
            wanted = wanted.where(
                (table.c.requested_at < at) | ((table.c.requested_at == at) & (table.c.id < erasure_id))
            )
        with self._store.reading() as connection:
            return _read(connection, wanted)

    def unfinished(self) -> list[Erasure]:
        """Those that are not done, the oldest first."""
        table = tables.erasures
        wanted = select(table).where(table.c.state != str(ErasureState.DONE))
        with self._store.reading() as connection:
            return _read(connection, wanted.order_by(table.c.requested_at, table.c.id))

    def unnamed(self, erasure_id: str) -> Erasure:
        """The engine has forgotten the value, and so does the store."""
        return self._change(erasure_id, state=str(ErasureState.UNNAMED), value=None)

    def counted(self, erasure_id: str, events: int, slots: int) -> Erasure:
        """So many more events were deleted, out of so many slots."""
        table = tables.erasures
        return self._change(erasure_id, events=table.c.events + events, slots=table.c.slots + slots)

    def removed(self, erasure_id: str, commit: int) -> Erasure:
        """All events are deleted; what is marked up to a commit waits for a fold."""
        return self._change(erasure_id, state=str(ErasureState.REMOVED), commit=commit)

    def done(self, erasure_id: str) -> Erasure:
        """All is folded."""
        return self._change(erasure_id, state=str(ErasureState.DONE), finished_at=self._clock.now())

    def _change(self, erasure_id: str, **values: Any) -> Erasure:
        table = tables.erasures
        with self._store.writing() as connection:
            changed = update(table).where(table.c.id == erasure_id)
            connection.execute(changed.values(changed_at=self._clock.now(), **values))
            return _must(connection, erasure_id)


def _must(connection: Connection, erasure_id: str) -> Erasure:
    found = _one(connection, erasure_id)
    assert found is not None, "no erasure is ever deleted"
    return found


def _one(connection: Connection, erasure_id: str) -> Erasure | None:
    found = _read(connection, select(tables.erasures).where(tables.erasures.c.id == erasure_id))
    return found[0] if found else None


def _read(connection: Connection, wanted: Select[Any]) -> list[Erasure]:
    return [
        Erasure(**{**row._mapping, "state": ErasureState(row._mapping["state"])})
        for row in connection.execute(wanted)
    ]
