"""What has to be true of updates and runs once all has come to rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from sqlalchemy import Connection, select
from tests.runs.desk import TENANT, Desk

from aforo.runs.readiness import readiness
from aforo.store import catalog, runs, updates
from aforo.store.run import ENDED, LogKind, Metric, OutboxState, Run, RunState
from aforo.store.run_tables import dataset_updates, event_log, outbox, run_leases

TAKEN = (LogKind.UPDATE_TAKEN, LogKind.UPDATE_OLDER, LogKind.UPDATE_UNUSED)
TERMINAL = (
    LogKind.RUN_SUCCEEDED,
    LogKind.RUN_FAILED,
    LogKind.RUN_CANCELLED,
    LogKind.RUN_EXPIRED,
    LogKind.RUN_ABSORBED,
)


def judge(desk: Desk, sent: Collection[str]) -> None:
    """Raises AssertionError with what is not as it should be; `sent` are the keys of all updates."""
    every = desk.all()
    with desk.store.reading() as connection:
        _each_update_once(connection, sent, every)
        _each_run_once(connection, every)
        for metric in catalog.all_metrics(connection, frozenset({TENANT})):
            mine = [run for run in every if run.metric_id == metric.id]
            _one_at_a_time(mine)
            _newest_computed(connection, metric, mine)


def all_sent(desk: Desk) -> None:
    """Raises AssertionError where a request is left in the outbox, of those that relays saw to."""
    with desk.store.reading() as connection:
        states = set(connection.execute(select(outbox.c.state)).scalars())
    assert states <= {OutboxState.SENT, OutboxState.OVERTAKEN}, f"requests that are {states}"


def _each_update_once(connection: Connection, sent: Collection[str], every: list[Run]) -> None:
    """None lost, none twice, and one effect each; every success is one version of its metric."""
    kept = Counter(connection.execute(select(dataset_updates.c.event_key)).scalars())
    succeeded = [f"{run.id}:{run.attempt}" for run in every if run.state is RunState.SUCCEEDED]
    assert kept == Counter([*sent, *succeeded]), "updates that were lost, or taken twice"
    told = select(event_log.c.update_id).where(event_log.c.kind.in_(map(str, TAKEN)))
    effects = Counter(connection.execute(told).scalars())
    assert effects == Counter(connection.execute(select(dataset_updates.c.id)).scalars()), "effects"


def _each_run_once(connection: Connection, every: list[Run]) -> None:
    """Each ended at most once, with no lease left; each attempt was asked for once, and nothing waits."""
    ends = Counter(
        connection.execute(
            select(event_log.c.run_id).where(event_log.c.kind.in_(map(str, TERMINAL)))
        ).scalars()
    )
    assert ends == Counter(run.id for run in every if run.state in ENDED), "runs that ended twice, or untold"
    assert not connection.execute(select(run_leases.c.run_id)).all(), "leases of what has ended"
    requests = Counter(connection.execute(select(outbox.c.dedup)).scalars())
    asked = Counter(f"{run.id}:{number}" for run in every for number in range(1, run.attempt + 1))
    assert requests == asked, "attempts that were not asked for, or twice"


def _one_at_a_time(mine: list[Run]) -> None:
    """At rest only one that waits for what never came is left."""
    left = [run for run in mine if run.state not in ENDED]
    assert len(left) <= 1, f"more than one is open: {left}"
    assert all(run.state is RunState.PENDING for run in left), f"stranded: {left}"


def _newest_computed(connection: Connection, metric: Metric, mine: list[Run]) -> None:
    """The newest versions, if they serve, were all computed from, or a person has ended the run over them."""
    required = catalog.required(connection, metric.id)
    newest = updates.newest_of(connection, required)
    if not readiness(required, newest, metric.required_days).ready:
        return
    wanted = {version.id for version in newest.values()}
    told = select(event_log.c.run_id).where(event_log.c.kind == str(LogKind.RUN_ABSORBED))
    absorbed = set(connection.execute(told).scalars())
    over = [run.id for run in mine if run.state in ENDED and run.id not in absorbed]
    read = ({version.id for version in runs.versions(connection, run_id)} for run_id in reversed(over))
    assert any(versions == wanted for versions in read), f"{metric.code}: nothing was computed of {newest}"
