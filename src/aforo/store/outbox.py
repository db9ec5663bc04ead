"""Messages on their way out: kept in the transaction that makes them necessary, sent after it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, insert, select, update

from aforo.store.later import LATER
from aforo.store.metadata import DETAIL_LENGTH
from aforo.store.run import OutboxState, Outgoing, RunState
from aforo.store.run_tables import metric_runs, outbox

COLUMNS = tuple(column for column in outbox.c if column.name not in ("run_id", "attempt", "due_at"))
ADD = insert(outbox).inline().execution_options(**{LATER: True})
_waits = outbox.c.state == str(OutboxState.WAITING)
# The first that are due; what another process has in hand is passed over.
DUE = (
    select(*COLUMNS)
    .where(_waits, outbox.c.due_at <= bindparam("now"))
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
# What is set is named by the values given.
CHANGE = update(outbox).where(outbox.c.id.in_(bindparam("ids", expanding=True)))
# Requests of attempts that are over: nobody is to begin with them any more.
OVERTAKE = (
    update(outbox)
    .where(
        outbox.c.id.in_(bindparam("ids", expanding=True)),
        ~exists().where(
            and_(
                metric_runs.c.id == outbox.c.run_id,
                metric_runs.c.attempt == outbox.c.attempt,
                metric_runs.c.state == str(RunState.REQUESTED),
            )
        ),
    )
    .values(state=str(OutboxState.OVERTAKEN))
    .returning(outbox.c.id)
)

OLD = (
    select(outbox.c.id)
    .where(
        outbox.c.state.in_([str(OutboxState.SENT), str(OutboxState.OVERTAKEN)]),
        func.coalesce(outbox.c.sent_at, outbox.c.created_at) < bindparam("before"),
    )
    .limit(bindparam("most"))
)
FORGET = delete(outbox).where(outbox.c.id.in_(bindparam("ids", expanding=True)))


def add(
    connection: Connection,
    *,
    tenant: str,
    topic: str,
    group: str,
    dedup: str,
    run_id: str,
    attempt: int,
    body: str,
    at: int,
) -> None:
    """A message that is to be sent."""
    connection.execute(
        ADD,
        {
            "tenant": tenant,
            "topic": topic,
            "group": group,
            "dedup": dedup,
            "run_id": run_id,
            "attempt": attempt,
            "body": body,
            "state": str(OutboxState.WAITING),
            "tries": 0,
            "due_at": at,
            "created_at": at,
            "reason": "",
        },
    )


def claim(connection: Connection, now: int, until: int, most: int) -> list[Outgoing]:
    """The first that are due, which nobody else gets before `until`; those overtaken are set aside."""
    due = [_outgoing(row) for row in connection.execute(DUE, {"now": now, "most": most})]
    if not due:
        return []
    ids = [each.id for each in due]
    overtaken = set(connection.execute(OVERTAKE, {"ids": ids}).scalars())
    kept = [each for each in due if each.id not in overtaken]
    _change(connection, [each.id for each in kept], due_at=until)
    return kept


def sent(connection: Connection, ids: Collection[int], at: int) -> None:
    """The bus has them for good."""
    _change(connection, ids, state=str(OutboxState.SENT), sent_at=at, reason="")


def put_off(connection: Connection, message: Outgoing, until: int, reason: str, *, tries: int) -> None:
    """It could not be sent, and is tried again then."""
    _change(connection, [message.id], due_at=until, tries=tries, reason=reason[:DETAIL_LENGTH])


def bury(connection: Connection, message: Outgoing, reason: str, *, tries: int) -> None:
    """It is not tried again by itself."""
    _change(connection, [message.id], state=str(OutboxState.DEAD), tries=tries, reason=reason[:DETAIL_LENGTH])


def revive(connection: Connection, at: int, most: int) -> int:
    """Has those that are dead tried again; how many these are."""
    dead = select(outbox.c.id).where(outbox.c.state == str(OutboxState.DEAD)).order_by(outbox.c.id)
    ids = list(connection.execute(dead.limit(most)).scalars())
    _change(connection, ids, state=str(OutboxState.WAITING), tries=0, due_at=at)
    return len(ids)


def next_due(connection: Connection) -> int | None:
    """When the first of those that wait is due."""
    found: int | None = connection.execute(
        select(outbox.c.due_at).where(_waits).order_by(outbox.c.due_at).limit(1)
    ).scalar()
    return found


def count(connection: Connection) -> tuple[int, int]:
    """How many wait, and how many are dead."""
    states = (OutboxState.WAITING, OutboxState.DEAD)
    wanted = (
        select(outbox.c.state, func.count())
        .where(outbox.c.state.in_([str(state) for state in states]))
        .group_by(outbox.c.state)
    )
    found: dict[str, int] = {row[0]: row[1] for row in connection.execute(wanted)}
    return found.get(OutboxState.WAITING, 0), found.get(OutboxState.DEAD, 0)


def old(connection: Connection, before: int, most: int) -> list[int]:
    """Messages that were sent, or made and overtaken, before then."""
    return list(connection.execute(OLD, {"before": before, "most": most}).scalars())


def forget(connection: Connection, ids: Sequence[int]) -> int:
    """Lets go of some that are over; how many there still were."""
    return connection.execute(FORGET, {"ids": list(ids)}).rowcount


def of_run(connection: Connection, run_id: str) -> list[Outgoing]:
    """The messages of a run, oldest first."""
    wanted = select(*COLUMNS).where(outbox.c.run_id == run_id).order_by(outbox.c.id)
    return [_outgoing(row) for row in connection.execute(wanted)]


def dead(connection: Connection, limit: int) -> list[Outgoing]:
    """Messages that the bus would not take, oldest first."""
    wanted = select(*COLUMNS).where(outbox.c.state == str(OutboxState.DEAD))
    return [_outgoing(row) for row in connection.execute(wanted.order_by(outbox.c.id).limit(limit))]


def _change(connection: Connection, ids: Collection[int], **values: Any) -> None:
    if ids:
        connection.execute(CHANGE, {"ids": sorted(ids), **values})


def _outgoing(row: Any) -> Outgoing:
    return Outgoing(**{**row._mapping, "state": OutboxState(row._mapping["state"])})
