"""Runs as they are kept. Whoever moves one holds its metric: a move is made from the state that was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update
from sqlalchemy.sql import Select

from aforo.store.later import LATER
from aforo.store.run import GOING, MOVES, WAITING, Cause, Lease, Run, RunState, Version
from aforo.store.run_tables import (
    IS_GOING,
    IS_WAITING,
    dataset_updates,
    metric_run_pending_datasets,
    metric_runs,
    run_dataset_updates,
    run_leases,
)

COLUMNS = tuple(column for column in metric_runs.c if column.name != "moved_from")
OPEN = select(*COLUMNS).where(
    metric_runs.c.tenant == bindparam("tenant"),
    metric_runs.c.metric_id == bindparam("metric_id"),
    # Two conditions that each have an index of their own.
    or_(IS_WAITING, IS_GOING),
)
ONE = select(*COLUMNS).where(metric_runs.c.id == bindparam("run_id"))
ADD = insert(metric_runs).execution_options(**{LATER: True})
# What is set is named by the values given.
CHANGE = update(metric_runs).where(metric_runs.c.id == bindparam("of_run")).execution_options(**{LATER: True})
MISSING = select(metric_run_pending_datasets.c.dataset_id, metric_run_pending_datasets.c.needed_since).where(
    metric_run_pending_datasets.c.run_id == bindparam("run_id")
)
ADD_MISSING = insert(metric_run_pending_datasets).execution_options(**{LATER: True})
DROP_MISSING = (
    delete(metric_run_pending_datasets)
    .where(metric_run_pending_datasets.c.run_id == bindparam("of_run"))
    .execution_options(**{LATER: True})
)
VERSIONS = (
    select(
        dataset_updates.c.id,
        dataset_updates.c.dataset_id,
        dataset_updates.c.manifest_uri,
        dataset_updates.c.updated_at,
    )
    .join(run_dataset_updates, run_dataset_updates.c.update_id == dataset_updates.c.id)
    .where(run_dataset_updates.c.run_id == bindparam("run_id"))
    .order_by(dataset_updates.c.dataset_id)
)
ADD_VERSIONS = insert(run_dataset_updates).execution_options(**{LATER: True})
DROP_VERSIONS = (
    delete(run_dataset_updates)
    .where(run_dataset_updates.c.run_id == bindparam("of_run"))
    .execution_options(**{LATER: True})
)
LEASE = insert(run_leases).execution_options(**{LATER: True})
HEARD = update(run_leases).where(
    run_leases.c.run_id == bindparam("of_run"), run_leases.c.attempt == bindparam("of_attempt")
)
RELEASE = (
    delete(run_leases).where(run_leases.c.run_id == bindparam("of_run")).execution_options(**{LATER: True})
)
# Attempts nothing was heard of in time, the longest silent first.
SILENT = (
    select(metric_runs.c.id, metric_runs.c.metric_id)
    .join(run_leases, run_leases.c.run_id == metric_runs.c.id)
    .where(run_leases.c.until <= bindparam("now"))
    .order_by(run_leases.c.until)
    .limit(bindparam("most"))
)
# Lost runs whose time to be asked for again has come.
TO_ASK_AGAIN = (
    select(metric_runs.c.id, metric_runs.c.metric_id)
    .where(metric_runs.c.state == str(RunState.LOST), metric_runs.c.not_before <= bindparam("now"))
    .order_by(metric_runs.c.not_before)
    .limit(bindparam("most"))
)
# Runs whose missing datasets did not come in time.
TO_EXPIRE = (
    select(metric_runs.c.id, metric_runs.c.metric_id)
    .where(metric_runs.c.state == str(RunState.PENDING), metric_runs.c.expires_at <= bindparam("now"))
    .order_by(metric_runs.c.expires_at)
    .limit(bindparam("most"))
)


def open_runs(connection: Connection, tenant: str, metric_id: int) -> tuple[Run | None, Run | None]:
    """The run of a metric that waits and the one that goes on, where there are."""
    found = [_run(row) for row in connection.execute(OPEN, {"tenant": tenant, "metric_id": metric_id})]
    waiting = next((run for run in found if run.state in WAITING), None)
    return waiting, next((run for run in found if run.state in GOING), None)


def get(connection: Connection, run_id: str) -> Run | None:
    """The run of an id."""
    row = connection.execute(ONE, {"run_id": run_id}).first()
    return None if row is None else _run(row)


def add(connection: Connection, run: Run) -> None:
    """A new run. It waits, or has been asked for in the same breath."""
    assert run.state in WAITING, "a run begins by waiting"
    values = _values(run)
    values["moved_from"] = None if run.state is RunState.PENDING else str(RunState.PENDING)
    connection.execute(ADD, values)


def move(connection: Connection, run: Run, to: RunState, at: int, **changes: Any) -> Run:
    """The run in another state. The table refuses a move that MOVES does not have."""
    assert to in MOVES[run.state], f"{run.id} cannot go from {run.state} to {to}"
    return _changed(connection, run, state=to, moved_from=str(run.state), changed_at=at, **changes)


def change(connection: Connection, run: Run, at: int, **changes: Any) -> Run:
    """The run with other values in the state it is in."""
    return _changed(connection, run, changed_at=at, **changes)


def missing(connection: Connection, run_id: str) -> dict[str, int | None]:
    """The datasets a run waits for, with the oldest version that would do."""
    rows = connection.execute(MISSING, {"run_id": run_id})
    return {row.dataset_id: row.needed_since for row in rows}


def set_missing(
    connection: Connection, run_id: str, wanted: Mapping[str, int | None], *, anew: bool = False
) -> None:
    """What a run waits for, in place of what it waited for before; `anew` where it is new."""
    if not anew:
        connection.execute(DROP_MISSING, {"of_run": run_id})
    if wanted:
        rows = [
            {"run_id": run_id, "dataset_id": dataset_id, "needed_since": since}
            for dataset_id, since in sorted(wanted.items())
        ]
        connection.execute(ADD_MISSING, rows)


def versions(connection: Connection, run_id: str) -> list[Version]:
    """The exact versions a run reads, by dataset."""
    return [Version(**row._mapping) for row in connection.execute(VERSIONS, {"run_id": run_id})]


def set_versions(
    connection: Connection, run_id: str, found: Sequence[Version], *, anew: bool = False
) -> None:
    """The versions a run reads, in place of those before; `anew` where it is new."""
    if not anew:
        connection.execute(DROP_VERSIONS, {"of_run": run_id})
    if found:
        rows = [
            {"run_id": run_id, "dataset_id": version.dataset_id, "update_id": version.id} for version in found
        ]
        connection.execute(ADD_VERSIONS, rows)


def lease(connection: Connection, run_id: str, attempt: int, until: int) -> None:
    """An attempt that has to be heard of until then."""
    connection.execute(LEASE, {"run_id": run_id, "attempt": attempt, "until": until})


def heard(
    connection: Connection, run_id: str, attempt: int, *, at: int, until: int, progress: float | None
) -> bool:
    """Whether the attempt has a lease, which lasts longer now."""
    values = {"of_run": run_id, "of_attempt": attempt, "heard_at": at, "until": until}
    if progress is not None:
        values["progress"] = progress
    return connection.execute(HEARD, values).rowcount == 1


def lease_of(connection: Connection, run_id: str) -> Lease | None:
    """The lease of a run, where one is asked for or goes on."""
    row = connection.execute(select(run_leases).where(run_leases.c.run_id == run_id)).first()
    return None if row is None else Lease(**row._mapping)


def release(connection: Connection, run_id: str) -> None:
    """Nothing more is to be heard of a run."""
    connection.execute(RELEASE, {"of_run": run_id})


def due(connection: Connection, which: Select[Any], now: int, most: int) -> list[tuple[str, int]]:
    """Runs of SILENT, TO_ASK_AGAIN or TO_EXPIRE, with their metrics."""
    return [(row.id, row.metric_id) for row in connection.execute(which, {"now": now, "most": most})]


def page(
    connection: Connection,
    tenants: frozenset[str] | None,
    limit: int,
    *,
    states: frozenset[RunState] = frozenset(),
    metric_code: str | None = None,
    start: int | None = None,
    end: int | None = None,
    after: tuple[int, str] | None = None,
) -> list[Run]:
    """At most so many, newest first, of those after one named by when it was made and its id.

    `tenants` None: of all. Those made in [start, end).
    """
    table = metric_runs.c
    wanted = select(*COLUMNS).order_by(table.created_at.desc(), table.id.desc()).limit(limit)
    if tenants is not None:
        wanted = wanted.where(table.tenant.in_(sorted(tenants)))
    if states:
        wanted = wanted.where(table.state.in_(sorted(states)))
    if metric_code is not None:
        wanted = wanted.where(table.metric_code == metric_code)
    if start is not None:
        wanted = wanted.where(table.created_at >= start)
    if end is not None:
        wanted = wanted.where(table.created_at < end)
    if after is not None:
        at, run_id = after
        wanted = wanted.where(or_(table.created_at < at, (table.created_at == at) & (table.id < run_id)))
    return [_run(row) for row in connection.execute(wanted)]


def _changed(connection: Connection, run: Run, **changes: Any) -> Run:
    values = {**_values(run), **changes}
    told = {name: str(value) if isinstance(value, RunState) else value for name, value in changes.items()}
    connection.execute(CHANGE, {"of_run": run.id, **told})
    values.pop("moved_from", None)
    return Run(**{**values, "state": RunState(values["state"]), "cause": Cause(values["cause"])})


def _values(run: Run) -> dict[str, Any]:
    values = {name: getattr(run, name) for name in Run.__slots__}
    return {**values, "state": str(run.state), "cause": str(run.cause)}


def _run(row: Any) -> Run:
    values = row._mapping
    return Run(**{**values, "state": RunState(values["state"]), "cause": Cause(values["cause"])})
