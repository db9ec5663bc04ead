"""Of `aforo runs`: datasets, series and metrics, which are defined, told of new versions and looked up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aforo.cli.output import Format, write
from aforo.cli.run_replies import (
    RUN_COLUMNS,
    Cursor,
    Json,
    Limit,
    OfTenant,
    Tenant,
    asked,
    flat,
    note,
    page,
)
from aforo.cli.session import Session

METRIC_COLUMNS = ("tenant", "code", "name", "expressionType", "reads", "unit", "requiredDays", "version")
DATASET_COLUMNS = ("tenant", "id", "kind", "name", "updatedAt", "manifestUri")
UPDATE_COLUMNS = ("updateId", "updatedAt", "receivedAt", "rowCount", "manifestUri", "eventKey")
SERIES_COLUMNS = ("tenant", "code", "name", "unit", "datasetId", "column")
USED_COLUMNS = ("way", "code", "isMetric", "datasetId")
DEFINED_COLUMNS = ("tenant", "datasets", "series", "metrics")


def define(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Datasets and metrics in YAML or JSON.", exists=True, dir_okay=False
        ),
    ],
    tenant: Tenant = None,
) -> None:
    """Define datasets, series and metrics beside those there are: all of a file, or nothing of it."""
    from aforo.assembly import definitions_in

    session: Session = context.obj
    definitions = definitions_in(file)
    with session.running() as running:
        reply = running.define(definitions, asked(tenant=tenant))
    write(reply, session.format, DEFINED_COLUMNS, [reply])


def update(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Id of the dataset.")],
    manifest: Annotated[str, typer.Option(metavar="URI", help="Where the version's manifest, or file, is.")],
    at: Annotated[str, typer.Option(metavar="INSTANT", help="When it was made: 2013-01-31T08:00:00Z.")],
    key: Annotated[
        str | None, typer.Option(help="What the same update is known by again, instead of all it says.")
    ] = None,
    rows: Annotated[int | None, typer.Option(help="How many rows it has.")] = None,
) -> None:
    """Tell of a new version of a dataset; metrics that read it consider it at once."""
    told = {"manifestUri": manifest, "updatedAt": at, "eventId": key, "rowCount": rows}
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.update(
            dataset, {name: value for name, value in told.items() if value is not None}
        )
    write(reply, session.format, RUN_COLUMNS, flat(reply["runs"]))
    if session.format is Format.TABLE:
        note(_came_to(reply))


def datasets(
    context: typer.Context,
    dataset: Annotated[
        str | None, typer.Argument(metavar="DATASET", help="One, with its versions; without it, all.")
    ] = None,
    tenant: OfTenant = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> None:
    """List datasets with their newest versions, or one with its last ones."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = (
            running.datasets(asked(tenant=tenant, limit=limit, cursor=cursor))
            if dataset is None
            else running.dataset(dataset)
        )
    if dataset is not None:
        write(reply, session.format, UPDATE_COLUMNS, reply["versions"])
        return
    page(session, reply, DATASET_COLUMNS, [{**each, **(each["newest"] or {})} for each in reply["datasets"]])


def series(
    context: typer.Context, tenant: OfTenant = None, limit: Limit = None, cursor: Cursor = None
) -> None:
    """List series, and which column of which dataset each is."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.series(asked(tenant=tenant, limit=limit, cursor=cursor))
    page(session, reply, SERIES_COLUMNS, reply["series"])


def metrics(
    context: typer.Context, tenant: OfTenant = None, limit: Limit = None, cursor: Cursor = None
) -> None:
    """List the metrics that runs compute, with the series they read."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.metrics(asked(tenant=tenant, limit=limit, cursor=cursor))
    rows = [{**each, "reads": ", ".join(each["reads"])} for each in reply["metrics"]]
    page(session, reply, METRIC_COLUMNS, rows)


def lineage(
    context: typer.Context,
    code: Annotated[str, typer.Argument(metavar="CODE", help="Code of a metric or a series.")],
    tenant: Tenant = None,
) -> None:
    """Tell what a metric is made from, and what is made from it."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.lineage(code, asked(tenant=tenant))
    rows = [
        *({**each, "way": "made from"} for each in reply["madeFrom"]),
        *({**each, "way": "used by"} for each in reply["usedBy"]),
    ]
    write(reply, session.format, USED_COLUMNS, rows)


def _came_to(reply: Json) -> str:
    if reply["repeated"]:
        return f"update {reply['updateId']} was taken before; nothing has changed"
    if reply["older"]:
        return f"update {reply['updateId']} is older than the newest version; it is kept and starts nothing"
    return f"update {reply['updateId']} is taken"
