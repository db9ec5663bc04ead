"""Series, datasets and metrics as they are kept, and which of them read which."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from aforo.store.run import Dataset, DatasetKind, ExpressionType, Metric, Series
from aforo.store.run_tables import dataset_series, datasets, metric_dependencies, metrics, series

DATASET = select(datasets).where(datasets.c.id == bindparam("dataset_id"))
# Holds the metrics that read a dataset, in one order everywhere, so that two never wait for each other.
HOLD_READERS = (
    select(metrics)
    .where(
        metrics.c.id.in_(
            select(metric_dependencies.c.metric_id)
            .join(dataset_series, dataset_series.c.series_id == metric_dependencies.c.series_id)
            .where(dataset_series.c.dataset_id == bindparam("dataset_id"))
        )
    )
    .order_by(metrics.c.id)
    .with_for_update()
)
HOLD = (
    select(metrics)
    .where(metrics.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(metrics.c.id)
    .with_for_update()
)
READERS = (
    select(metric_dependencies.c.metric_id)
    .join(dataset_series, dataset_series.c.series_id == metric_dependencies.c.series_id)
    .where(dataset_series.c.dataset_id == bindparam("dataset_id"))
    .distinct()
)
SERIES_OF = (
    select(series.c.tenant, series.c.code, series.c.name, series.c.unit, dataset_series.c.dataset_id,
           dataset_series.c.column)
    .join(dataset_series, dataset_series.c.series_id == series.c.id)
)  # fmt: skip
READ_BY = (
    SERIES_OF.join(metric_dependencies, metric_dependencies.c.series_id == series.c.id)
    .where(metric_dependencies.c.metric_id == bindparam("metric_id"))
    .order_by(series.c.code)
)
REQUIRED = (
    select(dataset_series.c.dataset_id)
    .join(metric_dependencies, metric_dependencies.c.series_id == dataset_series.c.series_id)
    .where(metric_dependencies.c.metric_id == bindparam("metric_id"))
    .distinct()
)


def dataset(connection: Connection, dataset_id: str) -> Dataset | None:
    """The dataset of an id."""
    row = connection.execute(DATASET, {"dataset_id": dataset_id}).first()
    return None if row is None else _dataset(row)


def hold_readers(connection: Connection, dataset_id: str) -> list[Metric]:
    """The metrics that read a dataset; nobody else moves their runs until this transaction ends."""
    return [_metric(row) for row in connection.execute(HOLD_READERS, {"dataset_id": dataset_id})]


def hold(connection: Connection, ids: Collection[int]) -> dict[int, Metric]:
    """Some metrics by number, held in the same way."""
    rows = connection.execute(HOLD, {"ids": sorted(ids)})
    return {row.id: _metric(row) for row in rows}


def hold_with_readers(connection: Connection, metric_id: int, dataset_id: str) -> dict[int, Metric]:
    """A metric and those that read a dataset, held in the same way."""
    readers = connection.execute(READERS, {"dataset_id": dataset_id}).scalars()
    return hold(connection, {metric_id, *readers})


def required(connection: Connection, metric_id: int) -> frozenset[str]:
    """The datasets a metric reads."""
    return frozenset(connection.execute(REQUIRED, {"metric_id": metric_id}).scalars())


def read_by(connection: Connection, metric_id: int) -> list[Series]:
    """The series a metric reads, by code."""
    rows = connection.execute(READ_BY, {"metric_id": metric_id})
    return [Series(**row._mapping) for row in rows]


def metric(connection: Connection, tenant: str, code: str) -> Metric | None:
    """The metric of a code."""
    wanted = select(metrics).where(metrics.c.tenant == tenant, metrics.c.code == code)
    row = connection.execute(wanted).first()
    return None if row is None else _metric(row)


def all_metrics(
    connection: Connection,
    tenants: frozenset[str] | None,
    limit: int | None = None,
    after: tuple[str, str] | None = None,
) -> list[Metric]:
    """Metrics by tenant and code, those after one of them; `tenants` None: of all."""
    wanted = _of(select(metrics), metrics, tenants).order_by(metrics.c.tenant, metrics.c.code).limit(limit)
    return [
        _metric(row) for row in connection.execute(_after(wanted, metrics.c.tenant, metrics.c.code, after))
    ]


def all_series(
    connection: Connection,
    tenants: frozenset[str] | None,
    limit: int | None = None,
    after: tuple[str, str] | None = None,
) -> list[Series]:
    """Series by tenant and code, those after one of them; `tenants` None: of all."""
    wanted = _of(SERIES_OF, series, tenants).order_by(series.c.tenant, series.c.code).limit(limit)
    rows = connection.execute(_after(wanted, series.c.tenant, series.c.code, after))
    return [Series(**row._mapping) for row in rows]


def all_datasets(
    connection: Connection,
    tenants: frozenset[str] | None,
    limit: int | None = None,
    after: tuple[str, str] | None = None,
) -> list[Dataset]:
    """Datasets by tenant and id, those after one of them; `tenants` None: of all."""
    wanted = _of(select(datasets), datasets, tenants).order_by(datasets.c.tenant, datasets.c.id).limit(limit)
    rows = connection.execute(_after(wanted, datasets.c.tenant, datasets.c.id, after))
    return [_dataset(row) for row in rows]


def series_in(connection: Connection, dataset_id: str) -> list[Series]:
    """The series of a dataset, by code."""
    wanted = SERIES_OF.where(dataset_series.c.dataset_id == dataset_id).order_by(series.c.code)
    return [Series(**row._mapping) for row in connection.execute(wanted)]


def put_dataset(
    connection: Connection,
    at: int,
    *,
    dataset_id: str,
    tenant: str,
    kind: DatasetKind,
    name: str,
    prefix: str,
) -> None:
    """A dataset as it is to be, whether the tenant had it or not. IntegrityError where another has it."""
    values = {"name": name, "prefix": prefix, "changed_at": at}
    mine = (datasets.c.id == dataset_id, datasets.c.tenant == tenant)
    there = connection.execute(update(datasets).where(*mine).values(values)).rowcount
    if not there:
        new = {"id": dataset_id, "tenant": tenant, "kind": str(kind), "created_at": at, **values}
        connection.execute(insert(datasets), new)


def put_series(connection: Connection, at: int, wanted: Series) -> None:
    """A series as it is to be, in the dataset it is to be in."""
    mine = (series.c.tenant == wanted.tenant, series.c.code == wanted.code)
    values = {"name": wanted.name, "unit": wanted.unit, "changed_at": at}
    if not connection.execute(update(series).where(*mine).values(values)).rowcount:
        new = {"tenant": wanted.tenant, "code": wanted.code, "created_at": at, **values}
        connection.execute(insert(series), new)
    number = connection.execute(select(series.c.id).where(*mine)).scalar_one()
    placed = {"dataset_id": wanted.dataset_id, "column": wanted.column}
    where = dataset_series.c.series_id == number
    if not connection.execute(update(dataset_series).where(where).values(placed)).rowcount:
        connection.execute(insert(dataset_series), {"series_id": number, **placed})


def put_metric(
    connection: Connection,
    at: int,
    *,
    tenant: str,
    code: str,
    meaning: Mapping[str, Any],
    name: str,
    reads: Sequence[str],
) -> Metric:
    """A metric as it is to be. Its version grows where its meaning is another, and only then."""
    found = metric(connection, tenant, code)
    values = {**meaning, "expression_type": str(meaning["expression_type"]), "name": name, "changed_at": at}
    if found is None:
        new = {"tenant": tenant, "code": code, "version": 1, "created_at": at, **values}
        connection.execute(insert(metrics), new)
    else:
        if any(getattr(found, each) != value for each, value in meaning.items()):
            values["version"] = found.version + 1
        connection.execute(update(metrics).where(metrics.c.id == found.id).values(values))
    kept = metric(connection, tenant, code)
    assert kept is not None, "it was written in this transaction"
    numbers = select(series.c.id).where(series.c.tenant == tenant, series.c.code.in_(sorted(reads)))
    connection.execute(delete(metric_dependencies).where(metric_dependencies.c.metric_id == kept.id))
    rows = [{"metric_id": kept.id, "series_id": number} for number in connection.execute(numbers).scalars()]
    if rows:
        connection.execute(insert(metric_dependencies), rows)
    return kept


def uses(connection: Connection, tenant: str) -> dict[str, frozenset[str]]:
    """The series that each metric of a tenant reads."""
    wanted = (
        select(metrics.c.code, series.c.code.label("reads"))
        .join(metric_dependencies, metric_dependencies.c.metric_id == metrics.c.id)
        .join(series, series.c.id == metric_dependencies.c.series_id)
        .where(metrics.c.tenant == tenant)
    )
    found: dict[str, set[str]] = {}
    for row in connection.execute(wanted):
        found.setdefault(row.code, set()).add(row.reads)
    return {code: frozenset(reads) for code, reads in found.items()}


def _of(wanted: Any, table: Any, tenants: frozenset[str] | None) -> Any:
    return wanted if tenants is None else wanted.where(table.c.tenant.in_(sorted(tenants)))


def _after(wanted: Any, first: Any, second: Any, after: tuple[str, str] | None) -> Any:
    if after is None:
        return wanted
    return wanted.where((first > after[0]) | ((first == after[0]) & (second > after[1])))


def _dataset(row: Any) -> Dataset:
    return Dataset(**{**row._mapping, "kind": DatasetKind(row._mapping["kind"])})


def _metric(row: Any) -> Metric:
    return Metric(**{**row._mapping, "expression_type": ExpressionType(row._mapping["expression_type"])})
