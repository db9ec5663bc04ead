"""What workers have said and was taken: the same message has one effect however often it comes."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from aforo.store.run_tables import consumed

TAKE = {
    "sqlite": sqlite.insert(consumed).on_conflict_do_nothing().returning(consumed.c.key),
    "postgresql": postgresql.insert(consumed).on_conflict_do_nothing().returning(consumed.c.key),
}
KNOWN = select(consumed.c.at).where(consumed.c.kind == bindparam("kind"), consumed.c.key == bindparam("key"))
FORGET = delete(consumed).where(consumed.c.at < bindparam("before"))


def take(connection: Connection, kind: str, key: str, at: int) -> bool:
    """Whether this is the first time."""
    values = {"kind": kind, "key": key, "at": at}
    return connection.execute(TAKE[connection.dialect.name], values).scalar() is not None


def is_taken(connection: Connection, kind: str, key: str) -> bool:
    """Whether it came before."""
    return connection.execute(KNOWN, {"kind": kind, "key": key}).scalar() is not None


def forget(connection: Connection, before: int) -> int:
    """Lets go of what is older than any queue keeps a message; how many these were."""
    return connection.execute(FORGET, {"before": before}).rowcount
