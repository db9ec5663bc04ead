"""`aforo runs`: runs are watched, explained and asked for by hand, and their queues looked at."""

from __future__ import annotations

from typing import Annotated

import typer

from aforo.cli import run_sources
from aforo.cli.output import Format, write
from aforo.cli.run_replies import (
    RUN_COLUMNS,
    VERSION_COLUMNS,
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

MISSING_COLUMNS = ("datasetId", "neededSince")
SAID_COLUMNS = ("at", "kind", "runId", "attempt", "datasetId", "updateId", "detail")
QUEUE_COLUMNS = ("name", "waiting", "inHand", "buried")
BURIED_COLUMNS = ("reason", "body")
REDRIVEN_COLUMNS = ("name", "redriven")

Code = Annotated[str, typer.Argument(metavar="METRIC", help="Code of the metric.")]
Id = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, as list tells it.")]


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
    wanted = asked(
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
        reply: Json = running.runs(wanted)
    page(session, reply, RUN_COLUMNS, flat(reply["runs"]))


def show(context: typer.Context, run: Id) -> None:
    """Show where a run stands, the exact versions it reads, and what it waits for."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.run(run)
    write(reply, session.format, RUN_COLUMNS, flat([reply["run"]]))
    if session.format is Format.TABLE:
        write(reply, session.format, VERSION_COLUMNS, reply["versions"])
        if reply["missing"]:
            write(reply, session.format, MISSING_COLUMNS, reply["missing"])
        for name in ("manifestUri", "reason"):
            if reply["run"][name]:
                note(f"{name}: {reply['run'][name]}")


def log(context: typer.Context, run: Id, limit: Limit = None, cursor: Cursor = None) -> None:
    """Read everything that was told of a run, the oldest first."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.log(run, asked(limit=limit, cursor=cursor))
    page(session, reply, SAID_COLUMNS, reply["log"])


def why(context: typer.Context, metric: Code, tenant: Tenant = None) -> None:
    """Tell why a metric did or did not run."""
    session: Session = context.obj
    with session.running() as running:
        reply: Json = running.why(metric, asked(tenant=tenant))
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


def start(context: typer.Context, metric: Code, tenant: Tenant = None) -> None:
    """Compute a metric over the newest versions there are, however old."""
    session: Session = context.obj
    with session.running() as running:
        reply = running.start(metric, asked(tenant=tenant))
    write(reply, session.format, RUN_COLUMNS, flat([reply]))


def again(context: typer.Context, run: Id) -> None:
    """Run once more over the exact versions of a run that has ended."""
    session: Session = context.obj
    with session.running() as running:
        reply = running.again(run)
    write(reply, session.format, RUN_COLUMNS, flat([reply]))


def cancel(context: typer.Context, run: Id) -> None:
    """End a run that waits, goes on or is lost."""
    session: Session = context.obj
    with session.running() as running:
        reply = running.cancel(run)
    write(reply, session.format, RUN_COLUMNS, flat([reply]))


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


def redrive(
    context: typer.Context,
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="The queue's name, or outbox.")],
    limit: Annotated[int | None, typer.Option(help="Most messages, 1 to 1000.", show_default="100")] = None,
) -> None:
    """Try messages again that were given up, the oldest first."""
    session: Session = context.obj
    with session.running() as running:
        reply = running.redrive(queue, asked(limit=limit))
    write(reply, session.format, REDRIVEN_COLUMNS, [reply])


runs = typer.Typer(
    name="runs",
    no_args_is_help=True,
    add_completion=False,
    help="Metrics over datasets: define them, tell of new versions, and see what was computed and why.",
)
for change in (run_sources.define, run_sources.update):
    runs.command()(change)
runs.command(name="list")(list_)
for verb in (show, log, why, start, again, cancel):
    runs.command()(verb)
for known in (run_sources.datasets, run_sources.series, run_sources.metrics, run_sources.lineage):
    runs.command()(known)
for queue_verb in (queues, redrive):
    runs.command()(queue_verb)
