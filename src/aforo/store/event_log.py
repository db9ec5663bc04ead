"""The log of updates and runs: rows are added in the transaction that does what they tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from aforo.store.later import LATER
from aforo.store.metadata import DETAIL_LENGTH
from aforo.store.run import LogKind, Run, Said
from aforo.store.run_tables import event_log

ADD = insert(event_log).inline().execution_options(**{LATER: True})
# Lines are numbered as they come: who wants the old ones reads the first, and no index of times is kept.
_first = select(event_log.c.id, event_log.c.at).order_by(event_log.c.id).limit(bindparam("most")).subquery()
OLD = select(_first.c.id).where(_first.c.at < bindparam("before"))
SINCE = (
    select(event_log)
    .where(event_log.c.id > bindparam("after"))
    .order_by(event_log.c.id)
    .limit(bindparam("most"))
)
FORGET = delete(event_log).where(event_log.c.id.in_(bindparam("ids", expanding=True)))


def line(
    at: int,
    kind: LogKind,
    *,
    tenant: str,
    run: Run | None = None,
    dataset_id: str | None = None,
    update_id: int | None = None,
    detail: str = "",
) -> dict[str, object]:
    """A line as it is added; one of a run is one of its metric too."""
    return {
        "tenant": tenant,
        "at": at,
        "kind": str(kind),
        "metric_code": None if run is None else run.metric_code,
        "run_id": None if run is None else run.id,
        "attempt": None if run is None else run.attempt,
        "dataset_id": dataset_id,
        "update_id": update_id,
        "detail": detail if len(detail) <= DETAIL_LENGTH else detail[: DETAIL_LENGTH - 1] + "…",
    }


def add(connection: Connection, lines: Sequence[Mapping[str, object]]) -> None:
    """Adds lines, in their order."""
    if lines:
        connection.execute(ADD, lines)


def of_run(connection: Connection, run_id: str, limit: int, after: int = 0) -> list[Said]:
    """What is told of a run, oldest first, of those after the line `after`."""
    wanted = select(event_log).where(event_log.c.run_id == run_id, event_log.c.id > after)
    return _read(connection, wanted.order_by(event_log.c.id).limit(limit))


def of_metric(connection: Connection, tenant: str, code: str, limit: int) -> list[Said]:
    """What was told last of a metric, newest first."""
    wanted = select(event_log).where(event_log.c.tenant == tenant, event_log.c.metric_code == code)
    return _read(connection, wanted.order_by(event_log.c.id.desc()).limit(limit))


def told(connection: Connection, after: int, before: int, most: int) -> list[Said]:
    """What comes after a line, oldest first, up to the first that was told later than that."""
    found = _read(connection, SINCE, {"after": after, "most": most})
    return list(takewhile(lambda said: said.at < before, found))


def old(connection: Connection, before: int, most: int) -> list[int]:
    """Those of the first lines that were told before then; fewer than so many where there are no more."""
    return list(connection.execute(OLD, {"before": before, "most": most}).scalars())


def forget(connection: Connection, ids: Sequence[int]) -> int:
    """Lets go of some lines; how many there still were."""
    return connection.execute(FORGET, {"ids": list(ids)}).rowcount


def _read(connection: Connection, wanted: Any, given: Mapping[str, int] | None = None) -> list[Said]:
    rows = connection.execute(wanted, given or {})
    return [Said(**{**row._mapping, "kind": LogKind(row._mapping["kind"])}) for row in rows]
