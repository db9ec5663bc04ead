"""The audit: rows are added and read, never changed."""

from __future__ import annotations

from sqlalchemy import Connection, Row, insert, select

from aforo.clock import Clock
from aforo.store import tables
from aforo.store.act import Act, Action, Actor
from aforo.store.connect import Store
from aforo.store.metadata import ACTOR_LENGTH, ADDRESS_LENGTH, DETAIL_LENGTH, SUBJECT_LENGTH


class Audit:
    """Acts in the order they were done."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def record(self, action: Action, actor: Actor, subject: str, detail: str = "") -> None:
        """Keeps one act; it is durable when this returns. Raises StorageError."""
        with self._store.writing() as connection:
            add(connection, self._clock.now(), action, actor, subject, detail)

    def page(self, limit: int, before: int | None = None) -> list[Act]:
        """At most so many acts, the newest first, of those older than the row `before`."""
        table = tables.audit
        wanted = select(table).order_by(table.c.id.desc()).limit(limit)
        if before is not None:
            wanted = wanted.where(table.c.id < before)
        with self._store.reading() as connection:
            return [_act(row) for row in connection.execute(wanted)]


def add(connection: Connection, at: int, action: Action, actor: Actor, subject: str, detail: str) -> None:
    """Adds a row in a transaction that does what the row tells."""
    connection.execute(
        insert(tables.audit),
        {
            "at": at,
            "action": str(action),
            "actor": _fitting(actor.name, ACTOR_LENGTH),
            "address": None if actor.address is None else _fitting(actor.address, ADDRESS_LENGTH),
            "subject": _fitting(subject, SUBJECT_LENGTH),
            "detail": _fitting(detail, DETAIL_LENGTH),
        },
    )


def _fitting(text: str, length: int) -> str:
    """A text that came from outside, printable and as long as its column at most."""
    printable = "".join(each if each.isprintable() else "?" for each in text)
    return printable if len(printable) <= length else printable[: length - 1] + "…"


def _act(row: Row[tuple[object, ...]]) -> Act:
    found = row._mapping
    return Act(
        id=found["id"],
        at=found["at"],
        action=Action(found["action"]),
        actor=Actor(found["actor"], found["address"]),
        subject=found["subject"],
        detail=found["detail"],
    )
