"""`aforo runs`: metrics over datasets are defined, told of new versions, watched, and asked for by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from aforo.cli.output import Format, err, write
from aforo.cli.session import Session

Json = Mapping[str, Any]

runs = typer.Typer(
    name="runs",
    no_args_is_help=True,
    add_completion=False,
    help="Metrics over datasets: define them, tell of new versions, and see what was computed and why.",
)
RUN_COLUMNS = (
    "id", "metric", "tenant", "state", "cause", "attempt", "triggeredAt", "createdAt", "finishedAt",
    "rowCount", "error",
)  # fmt: skip
METRIC_COLUMNS = ("tenant", "code", "name", "expressionType", "reads", "unit", "requiredDays", "version")
DATASET_COLUMNS = ("tenant", "id", "kind", "name", "updatedAt", "manifestUri")
UPDATE_COLUMNS = ("updateId", "updatedAt", "receivedAt", "rowCount", "manifestUri", "eventKey")
SERIES_COLUMNS = ("tenant", "code", "name", "unit", "datasetId", "column")
VERSION_COLUMNS = ("datasetId", "updateId", "updatedAt", "manifestUri")
MISSING_COLUMNS = ("datasetId", "neededSince")
SAID_COLUMNS = ("at", "kind", "runId", "attempt", "datasetId", "updateId", "detail")
USED_COLUMNS = ("way", "code", "isMetric", "datasetId")
QUEUE_COLUMNS = ("name", "waiting", "inHand", "buried")
BURIED_COLUMNS = ("reason", "body")
DEFINED_COLUMNS = ("tenant", "datasets", "series", "metrics")
REDRIVEN_COLUMNS = ("name", "redriven")

Tenant = Annotated[
    str | None,
    typer.Option(
        metavar="TENANT", help="Whose; the key's only tenant where it has one.", show_default="default"
    ),
]
OfTenant = Annotated[str | None, typer.Option(metavar="TENANT", help="Only this tenant's.")]
Code = Annotated[str, typer.Argument(metavar="METRIC", help="Code of the metric.")]
Id = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, as list tells it.")]
Limit = Annotated[int | None, typer.Option(help="Most lines, 1 to 1000.", show_default="100")]
Cursor = Annotated[str | None, typer.Option(help="Where the page before has ended.")]


@runs.command()
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
        reply = running.define(definitions, _asked(tenant=tenant))
    write(reply, session.format, DEFINED_COLUMNS, [reply])


@runs.command()
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
    write(reply, session.format, RUN_COLUMNS, _flat(reply["runs"]))
    if session.format is Format.TABLE:
        _note(_came_to(reply))


@runs.command(name="list")
def list_(
    context: typer.Context,
    status: Annotated[
        list[str] | None, typer.Option(metavar="STATE", help="Only those in this state, as RUNNING.")
    ] = None,
    metric: Annotated[str | None, typer.Option(metavar="METRIC", help="Only those of this metric.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Only those made since, in UTC.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Only those made up to then, included.")
    ] = None,
    tenant: OfTenant = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> None:
    """List runs, the newest first."""
    asked = _asked(
        tenant=tenant,
        status=",".join(status) if status else None,
        metric=metric,
        to=to,
        limit=limit,
        cursor=cursor,
        **{"from": from_},
    )
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.runs(asked)
    _page(session, reply, RUN_COLUMNS, _flat(reply["runs"]))


@runs.command()
def show(context: typer.Context, run: Id) -> None:
    """Show where a run stands, the exact versions it reads, and what it waits for."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.run(run)
    write(reply, session.format, RUN_COLUMNS, _flat([reply["run"]]))
    if session.format is Format.TABLE:
        write(reply, session.format, VERSION_COLUMNS, reply["versions"])
        if reply["missing"]:
            write(reply, session.format, MISSING_COLUMNS, reply["missing"])
        for name in ("manifestUri", "reason"):
            if reply["run"][name]:
                _note(f"{name}: {reply['run'][name]}")


@runs.command()
def log(context: typer.Context, run: Id, limit: Limit = None, cursor: Cursor = None) -> None:
    """Read everything that was told of a run, the oldest first."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.log(run, _asked(limit=limit, cursor=cursor))
    _page(session, reply, SAID_COLUMNS, reply["log"])


@runs.command()
def why(context: typer.Context, metric: Code, tenant: Tenant = None) -> None:
    """Tell why a metric did or did not run."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.why(metric, _asked(tenant=tenant))
    if session.format is Format.TABLE:
        typer.echo(reply["verdict"])
        standing = [
            *({**each, "standing": "is there"} for each in reply["versions"]),
            *(
                {**each, "standing": "is missing", "updatedAt": f"since {each['neededSince'] or 'ever'}"}
                for each in reply["missing"]
            ),
        ]
        write(reply, session.format, ("standing", *VERSION_COLUMNS), standing)
    write(reply, session.format, SAID_COLUMNS, reply["log"])


@runs.command()
def start(context: typer.Context, metric: Code, tenant: Tenant = None) -> None:
    """Compute a metric over the newest versions there are, however old."""
    session: Session = context.obj
    with session.running() as running:
        reply = running.start(metric, _asked(tenant=tenant))
    write(reply, session.format, RUN_COLUMNS, _flat([reply]))


@runs.command()
def again(context: typer.Context, run: Id) -> None:
    """Run once more over the exact versions of a run that has ended."""
    session: Session = context.obj
    with session.running() as running:
        reply = running.again(run)
    write(reply, session.format, RUN_COLUMNS, _flat([reply]))


@runs.command()
def cancel(context: typer.Context, run: Id) -> None:
    """End a run that waits, goes on or is lost."""
    session: Session = context.obj
    with session.running() as running:
        reply = running.cancel(run)
    write(reply, session.format, RUN_COLUMNS, _flat([reply]))


@runs.command()
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
            running.datasets(_asked(tenant=tenant, limit=limit, cursor=cursor))
            if dataset is None
            else running.dataset(dataset)
        )
    if dataset is not None:
        write(reply, session.format, UPDATE_COLUMNS, reply["versions"])
        return
    _page(session, reply, DATASET_COLUMNS, [{**each, **(each["newest"] or {})} for each in reply["datasets"]])


@runs.command()
def series(
    context: typer.Context, tenant: OfTenant = None, limit: Limit = None, cursor: Cursor = None
) -> None:
    """List series, and which column of which dataset each is."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.series(_asked(tenant=tenant, limit=limit, cursor=cursor))
    _page(session, reply, SERIES_COLUMNS, reply["series"])


@runs.command()
def metrics(
    context: typer.Context, tenant: OfTenant = None, limit: Limit = None, cursor: Cursor = None
) -> None:
    """List the metrics that runs compute, with the series they read."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.metrics(_asked(tenant=tenant, limit=limit, cursor=cursor))
    rows = [{**each, "reads": ", ".join(each["reads"])} for each in reply["metrics"]]
    _page(session, reply, METRIC_COLUMNS, rows)


@runs.command()
def lineage(
    context: typer.Context,
    code: Annotated[str, typer.Argument(metavar="CODE", help="Code of a metric or a series.")],
    tenant: Tenant = None,
) -> None:
    """Tell what a metric is made from, and what is made from it."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.lineage(code, _asked(tenant=tenant))
    rows = [
        *({**each, "way": "made from"} for each in reply["madeFrom"]),
        *({**each, "way": "used by"} for each in reply["usedBy"]),
    ]
    write(reply, session.format, USED_COLUMNS, rows)


@runs.command()
def queues(
    context: typer.Context,
    queue: Annotated[
        str | None,
        typer.Argument(metavar="QUEUE", help="What is buried in this one; without it, all queues."),
    ] = None,
) -> None:
    """Count the messages of each queue, or show what was given up in one and why."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.queues() if queue is None else running.buried(queue)
    if queue is None:
        write(reply, session.format, QUEUE_COLUMNS, reply["queues"])
    else:
        write(reply, session.format, BURIED_COLUMNS, reply["buried"])


@runs.command()
def redrive(
    context: typer.Context,
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="The queue's name, or outbox.")],
    limit: Annotated[int | None, typer.Option(help="Most messages, 1 to 1000.", show_default="100")] = None,
) -> None:
    """Try messages again that were given up, the oldest first."""
    session: Session = context.obj
    with session.running() as running:
        reply = running.redrive(queue, _asked(limit=limit))
    write(reply, session.format, REDRIVEN_COLUMNS, [reply])


def _asked(**given: object) -> dict[str, str]:
    return {name: str(value) for name, value in given.items() if value is not None}


def _flat(runs_: Sequence[Json]) -> list[Json]:
    """Runs with their errors in one cell."""
    return [
        {**each, "error": None if each["error"] is None else "{code}: {message}".format(**each["error"])}
        for each in runs_
    ]


def _page(session: Session, reply: Json, columns: Sequence[str], rows: Sequence[Json]) -> None:
    write(reply, session.format, columns, rows)
    if session.format is Format.TABLE and reply["nextCursor"] is not None:
        _note(f"there is more: --cursor {reply['nextCursor']}")


def _came_to(reply: Json) -> str:
    if reply["repeated"]:
        return f"update {reply['updateId']} was taken before; nothing has changed"
    if reply["older"]:
        return f"update {reply['updateId']} is older than the newest version; it is kept and starts nothing"
    return f"update {reply['updateId']} is taken"


def _note(text: str) -> None:
    err().print(text, style="dim", soft_wrap=True)
