"""The reactive side as it is kept: metrics, datasets and their versions, runs and what moves them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class ExpressionType(StrEnum):
    """What kind of computation a metric is."""

    ARITHMETIC = "arithmetic"
    RATIO = "ratio"
    GROWTH = "growth"
    ROLLING = "rolling"
    RESAMPLE = "resample"
    WEIGHTED_SUM = "weighted_sum"


class DatasetKind(StrEnum):
    """Who makes a dataset's versions."""

    OUTSIDE = "outside"  # another system, which tells by ProjectionUpdateEvent
    METRIC = "metric"  # the runs of a metric: its result
    ROLLUP = "rollup"  # the folds of one of our own streams


class RunState(StrEnum):
    """Where a run stands; the last four are for good."""

    PENDING = "PENDING"  # waits for versions of datasets, or for the run before it
    REQUESTED = "REQUESTED"  # the request is in the outbox, or on its way
    RUNNING = "RUNNING"  # a worker has said so
    LOST = "LOST"  # nothing was heard within the lease; asked for again after a while
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"  # what it waited for did not come in time


MOVES: Mapping[RunState, frozenset[RunState]] = MappingProxyType(
    {
        RunState.PENDING: frozenset({RunState.REQUESTED, RunState.CANCELLED, RunState.EXPIRED}),
        # A completion may overtake its start.
        RunState.REQUESTED: frozenset(
            {RunState.RUNNING, RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.LOST}
        ),
        RunState.RUNNING: frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.LOST}),
        RunState.LOST: frozenset({RunState.REQUESTED, RunState.FAILED, RunState.CANCELLED}),
        RunState.SUCCEEDED: frozenset(),
        RunState.FAILED: frozenset(),
        RunState.CANCELLED: frozenset(),
        RunState.EXPIRED: frozenset(),
    }
)
"""Into which states a run may go from each; the table of runs holds it by a CHECK."""

WAITING = frozenset({RunState.PENDING, RunState.REQUESTED})
"""At most one run of a metric is in these."""
GOING = frozenset({RunState.RUNNING, RunState.LOST})
"""At most one run of a metric is in these."""
LEASED = frozenset({RunState.REQUESTED, RunState.RUNNING})
"""What is in these has a lease, and nothing else has."""
ENDED = frozenset(state for state, onward in MOVES.items() if not onward)


class Cause(StrEnum):
    """Why there is a run."""

    UPDATE = "update"  # a dataset has a new version
    FOLLOW_UP = "follow_up"  # one came while the run before could not take it in any more
    BY_HAND = "by_hand"  # a person asked; versions of any age will do
    RERUN = "rerun"  # a person asked for the exact versions of an earlier run


class LogKind(StrEnum):
    """Everything that is told of updates and runs."""

    UPDATE_TAKEN = "update_taken"
    UPDATE_OLDER = "update_older"  # than the version there is: kept, and nothing else
    UPDATE_UNUSED = "update_unused"  # no metric reads the dataset
    UPDATE_JOINED = "update_joined"  # the run that waits takes it in
    UPDATE_NOTED = "update_noted"  # the run under way cannot; one more follows
    RUN_WAITS = "run_waits"  # made, and something is missing
    RUN_REQUESTED = "run_requested"
    RUN_STARTED = "run_started"
    RUN_SUCCEEDED = "run_succeeded"
    RUN_FAILED = "run_failed"
    RUN_LOST = "run_lost"
    RUN_CANCELLED = "run_cancelled"
    RUN_EXPIRED = "run_expired"
    RUN_ABSORBED = "run_absorbed"  # by the lost run before it, which is asked for again
    MESSAGE_STALE = "message_stale"  # of an attempt that is over


class OutboxState(StrEnum):
    """Where a message on its way out stands."""

    WAITING = "waiting"
    SENT = "sent"
    OVERTAKEN = "overtaken"  # its attempt was over before it could be sent
    DEAD = "dead"  # the bus will not take it; a person may have it tried again


class UpkeepWork(StrEnum):
    """What follows the log of runs, and has come through it so far."""

    LEFTOVERS = "leftovers"  # files of attempts that were not taken are removed


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series: the column of a dataset that holds it, and the unit of its values."""

    tenant: str
    code: str
    name: str
    unit: str | None
    dataset_id: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One dataset; URIs of its versions begin with `prefix`. Times in microseconds, as all here."""

    id: str
    tenant: str
    kind: DatasetKind
    name: str
    prefix: str
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric as it was defined last; `version` grows with each change of what it means.

    `required_days` is how much older than the newest its other datasets may be; None: any age.
    """

    id: int
    tenant: str
    code: str
    name: str
    expression_type: ExpressionType
    expression: str
    unit: str | None
    required_days: int | None
    version: int
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One update of a dataset, as a run reads it."""

    id: int
    dataset_id: str
    manifest_uri: str
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One computation of a metric. The attempt is its token: what is said of another one is stale."""

    id: str
    tenant: str
    metric_id: int
    metric_code: str
    cause: Cause
    state: RunState
    attempt: int
    pinned: bool  # its versions are those of an earlier run and do not change
    follow_up: bool  # versions came that it did not take in
    triggered_at: int  # the newest `updated_at` of its versions
    expires_at: int | None  # while something is missing
    not_before: int | None  # while it is lost
    requested_at: int | None
    started_at: int | None
    finished_at: int | None
    worker: str | None
    manifest_uri: str | None
    row_count: int | None
    error_code: str | None
    error_message: str | None
    reason: str
    created_by: str
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Until when something is to be heard of an attempt."""

    run_id: str
    attempt: int
    until: int
    heard_at: int | None = None
    progress: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One line of the log of updates and runs."""

    id: int
    tenant: str
    at: int
    kind: LogKind
    metric_code: str | None
    run_id: str | None
    attempt: int | None
    dataset_id: str | None
    update_id: int | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message on its way out."""

    id: int
    tenant: str
    topic: str
    group: str
    dedup: str
    body: str = field(repr=False)
    state: OutboxState
    tries: int
    created_at: int
    sent_at: int | None
    reason: str


def new_id() -> str:
    """The name by which a run is spoken of."""
    return "run_" + secrets.token_hex(8)


def result_dataset(tenant: str, code: str) -> str:
    """The dataset that the runs of a metric make."""
    return f"metric:{tenant}:{code}"


def rollup_dataset(stream: str, tenant: str) -> str:
    """The dataset that the folds of a stream make for a tenant."""
    return f"rollup:{stream}:{tenant}"
