"""Runs, datasets and metrics as they are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from aforo.http.reply import Shape, instant
from aforo.store.run import (
    Cause,
    Dataset,
    DatasetKind,
    ExpressionType,
    LogKind,
    Metric,
    Run,
    RunState,
    Said,
    Series,
    Version,
)


class RunErrorReply(Shape, frozen=True):
    """Why a run failed."""

    code: str
    message: str


class RunReply(Shape, frozen=True):
    """A run: its state and attempt, and why there is one (`cause`).

    `followUp` says that versions came which it could not take in, so that one more run follows it. `pinned`
    runs read the exact versions of an earlier one.
    """

    id: str
    tenant: str
    metric: str
    state: RunState
    cause: Cause
    attempt: int
    pinned: bool
    follow_up: bool
    triggered_at: str | None
    created_at: str
    created_by: str
    requested_at: str | None
    started_at: str | None
    finished_at: str | None
    expires_at: str | None
    not_before: str | None
    worker: str | None
    manifest_uri: str | None
    row_count: int | None
    error: RunErrorReply | None
    reason: str


class VersionReply(Shape, frozen=True):
    """The exact version of a dataset."""

    dataset_id: str
    update_id: str
    manifest_uri: str
    updated_at: str


class MissingReply(Shape, frozen=True):
    """A dataset that is waited for, and how old its version may be."""

    dataset_id: str
    needed_since: str | None


class LeaseReply(Shape, frozen=True):
    """Until when something has to be heard of an attempt, and how far it is, 0 to 1."""

    until: str
    heard_at: str | None
    progress: float | None


class SaidReply(Shape, frozen=True):
    """A line of the log of updates and runs."""

    id: str
    at: str
    kind: LogKind
    metric: str | None
    run_id: str | None
    attempt: int | None
    dataset_id: str | None
    update_id: str | None
    detail: str


class SeriesReply(Shape, frozen=True):
    """A series, and the column of which dataset it is."""

    tenant: str
    code: str
    name: str
    unit: str | None
    dataset_id: str
    column: str


class DatasetReply(Shape, frozen=True):
    """A dataset, and its newest version."""

    id: str
    tenant: str
    kind: DatasetKind
    name: str
    prefix: str
    newest: VersionReply | None
    created_at: str
    changed_at: str


class RunMetricReply(Shape, frozen=True):
    """A metric as it is defined, and the series it reads; `version` grows when its meaning changes."""

    tenant: str
    code: str
    name: str
    expression_type: ExpressionType
    expression_json: msgspec.Raw
    unit: str | None
    required_days: int | None
    version: int
    reads: tuple[str, ...]
    created_at: str
    changed_at: str


def run_shown(run: Run) -> RunReply:
    """A run as it is told."""
    failed = run.error_code is not None
    return RunReply(
        id=run.id,
        tenant=run.tenant,
        metric=run.metric_code,
        state=run.state,
        cause=run.cause,
        attempt=run.attempt,
        pinned=run.pinned,
        follow_up=run.follow_up,
        triggered_at=instant(run.triggered_at or None),
        created_at=at(run.created_at),
        created_by=run.created_by,
        requested_at=instant(run.requested_at),
        started_at=instant(run.started_at),
        finished_at=instant(run.finished_at),
        expires_at=instant(run.expires_at),
        not_before=instant(run.not_before),
        worker=run.worker,
        manifest_uri=run.manifest_uri,
        row_count=run.row_count,
        error=RunErrorReply(run.error_code or "", run.error_message or "") if failed else None,
        reason=run.reason,
    )


def version_shown(version: Version) -> VersionReply:
    """A version as it is told."""
    return VersionReply(
        dataset_id=version.dataset_id,
        update_id=str(version.id),
        manifest_uri=version.manifest_uri,
        updated_at=at(version.updated_at),
    )


def missing_shown(missing: Mapping[str, int | None]) -> tuple[MissingReply, ...]:
    """What is waited for, as it is told."""
    return tuple(MissingReply(dataset_id, instant(since)) for dataset_id, since in sorted(missing.items()))


def said_shown(said: Iterable[Said]) -> tuple[SaidReply, ...]:
    """Lines of the log as they are told."""
    return tuple(
        SaidReply(
            id=str(each.id),
            at=at(each.at),
            kind=each.kind,
            metric=each.metric_code,
            run_id=each.run_id,
            attempt=each.attempt,
            dataset_id=each.dataset_id,
            update_id=None if each.update_id is None else str(each.update_id),
            detail=each.detail,
        )
        for each in said
    )


def series_shown(series: Iterable[Series]) -> tuple[SeriesReply, ...]:
    """Series as they are told."""
    return tuple(
        SeriesReply(each.tenant, each.code, each.name, each.unit, each.dataset_id, each.column)
        for each in series
    )


def dataset_shown(dataset: Dataset, newest: Version | None) -> DatasetReply:
    """A dataset as it is told."""
    return DatasetReply(
        id=dataset.id,
        tenant=dataset.tenant,
        kind=dataset.kind,
        name=dataset.name,
        prefix=dataset.prefix,
        newest=None if newest is None else version_shown(newest),
        created_at=at(dataset.created_at),
        changed_at=at(dataset.changed_at),
    )


def metric_shown(metric: Metric, reads: Iterable[str]) -> RunMetricReply:
    """A metric as it is told."""
    return RunMetricReply(
        tenant=metric.tenant,
        code=metric.code,
        name=metric.name,
        expression_type=metric.expression_type,
        expression_json=msgspec.Raw(metric.expression.encode()),
        unit=metric.unit,
        required_days=metric.required_days,
        version=metric.version,
        reads=tuple(sorted(reads)),
        created_at=at(metric.created_at),
        changed_at=at(metric.changed_at),
    )


def at(time: int) -> str:
    """A moment that is always there."""
    return instant(time) or ""
