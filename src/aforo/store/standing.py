"""What is decided on for a metric, read at once: its series, their newest versions, whether it has runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, TextClause, bindparam, func, select, true
from sqlalchemy.sql import ColumnElement, FromClause, Select

from aforo.store.run import Series, Version
from aforo.store.run_tables import (
    IS_GOING,
    IS_WAITING,
    dataset_series,
    dataset_updates,
    metric_dependencies,
    metric_runs,
    series,
)
from aforo.store.updates import VERSION


@dataclass(frozen=True, slots=True)
class Standing:
    """The series a metric reads, by code; the newest version of each dataset that has any, by dataset.

    `busy`: a run of it waits or goes on.
    """

    reads: list[Series] = field(default_factory=list)
    newest: dict[str, Version] = field(default_factory=dict)
    busy: bool = True


def _one_in(open_states: TextClause) -> ColumnElement[Any]:
    """A run of the metric that is in one of these states, by the index there is of those in them."""
    return (
        select(metric_runs.c.id)
        .where(
            metric_runs.c.tenant == series.c.tenant,
            metric_runs.c.metric_id == metric_dependencies.c.metric_id,
            open_states,
        )
        .limit(1)  # looked up for each metric: EXISTS may be answered from the runs of all
        .correlate(series, metric_dependencies)
        .scalar_subquery()
    )


# The last one made, and of those made at once the last to come.
_newest_of_dataset = (
    select(*VERSION)
    .where(dataset_updates.c.dataset_id == dataset_series.c.dataset_id)
    .order_by(dataset_updates.c.updated_at.desc(), dataset_updates.c.id.desc())
    .limit(1)
    .correlate(dataset_series)
)
_beside = _newest_of_dataset.lateral("newest")
_by_number = dataset_updates.alias("newest")
_number = _newest_of_dataset.with_only_columns(dataset_updates.c.id).scalar_subquery()


def _standing(newest: FromClause, joined: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            metric_dependencies.c.metric_id,
            series.c.tenant,
            series.c.code,
            series.c.name,
            series.c.unit,
            dataset_series.c.dataset_id,
            dataset_series.c.column,
            newest.c.id.label("update_id"),
            newest.c.manifest_uri,
            newest.c.updated_at,
            func.coalesce(_one_in(IS_WAITING), _one_in(IS_GOING)).label("open_run"),
        )
        .select_from(
            metric_dependencies.join(series, series.c.id == metric_dependencies.c.series_id)
            .join(dataset_series, dataset_series.c.series_id == series.c.id)
            .outerjoin(newest, joined)
        )
        .where(metric_dependencies.c.metric_id.in_(bindparam("metric_ids", expanding=True)))
        .order_by(metric_dependencies.c.metric_id, series.c.code)
    )


# SQLite has no LATERAL, and PostgreSQL may read all updates where a number is to be looked up among them.
STANDING = {
    "sqlite": _standing(_by_number, _by_number.c.id == _number),
    "postgresql": _standing(_beside, true()),
}


def standings(connection: Connection, metric_ids: Collection[int]) -> dict[int, Standing]:
    """How some metrics stand, by number, as far as they read anything."""
    found: dict[int, Standing] = {}
    for row in connection.execute(STANDING[connection.dialect.name], {"metric_ids": sorted(metric_ids)}):
        _take(found.setdefault(row.metric_id, Standing(busy=row.open_run is not None)), row)
    return found


def standing(connection: Connection, metric_id: int) -> Standing:
    """How one metric stands."""
    return standings(connection, {metric_id}).get(metric_id, Standing())


def _take(into: Standing, row: Any) -> None:
    into.reads.append(
        Series(
            tenant=row.tenant,
            code=row.code,
            name=row.name,
            unit=row.unit,
            dataset_id=row.dataset_id,
            column=row.column,
        )
    )
    if row.update_id is not None:
        into.newest[row.dataset_id] = Version(
            id=row.update_id,
            dataset_id=row.dataset_id,
            manifest_uri=row.manifest_uri,
            updated_at=row.updated_at,
        )
