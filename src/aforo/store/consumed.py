"""What workers have said and was taken: the same message has one effect however often it comes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from aforo.store.run_tables import consumed

TAKE = {
    "sqlite": sqlite.insert(consumed).on_conflict_do_nothing().returning(consumed.c.key),
    "postgresql": postgresql.insert(consumed).on_conflict_do_nothing().returning(consumed.c.key),
}
KNOWN = select(consumed.c.at).where(consumed.c.kind == bindparam("kind"), consumed.c.key == bindparam("key"))
_named = (consumed.c.kind, consumed.c.key)
OLD = (
    select(*_named)
    .where(consumed.c.at < bindparam("before"))
    .order_by(consumed.c.at)
    .limit(bindparam("most"))
)
FORGET = delete(consumed).where(tuple_(*_named).in_(bindparam("those", expanding=True)))


def take(connection: Connection, kind: str, key: str, at: int) -> bool:
    """Whether this is the first time."""
    values = {"kind": kind, "key": key, "at": at}
    return connection.execute(TAKE[connection.dialect.name], values).scalar() is not None


def is_taken(connection: Connection, kind: str, key: str) -> bool:
    """Whether it came before."""
    return connection.execute(KNOWN, {"kind": kind, "key": key}).scalar() is not None


def old(connection: Connection, before: int, most: int) -> list[tuple[str, str]]:
    """The oldest of what came before then, by kind and key."""
    return [(row.kind, row.key) for row in connection.execute(OLD, {"before": before, "most": most})]


def forget(connection: Connection, those: Sequence[tuple[str, str]]) -> int:
    """Lets go of some that came; how many were still known."""
    return connection.execute(FORGET, {"those": list(those)}).rowcount
