"""`aforo backfill`: folds windows of a stream again, in batches that can be paused and found again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from aforo.cli.output import Format, err, write
from aforo.cli.session import Session

backfill = typer.Typer(
    name="backfill",
    no_args_is_help=True,
    add_completion=False,
    help="Fold windows of a stream again: plan, run, watch, pause, resume and cancel.",
)
PLAN_COLUMNS = ("tenant", "from", "to", "slots", "events", "sealedBefore")
COLUMNS = ("id", "stream", "state", "progress", "slots", "slotsDone", "events", "eventsDone", "createdAt")
PART_COLUMNS = (
    "tenant",
    "from",
    "to",
    "doneFrom",
    "slots",
    "slotsDone",
    "events",
    "eventsDone",
    "sealedBefore",
)

Stream = Annotated[str, typer.Argument(metavar="STREAM", help="Whose rollups are folded again.")]
Tenant = Annotated[
    list[str] | None, typer.Option(metavar="TENANT", help="Whose events; without it, everyone's.")
]
From = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="First day or instant; 90 days back by default.")
]
To = Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day, included; now by default.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The backfill's id, as status tells it.")]


@backfill.command()
def plan(
    context: typer.Context, stream: Stream, tenant: Tenant = None, from_: From = None, to: To = None
) -> None:
    """Tell what a backfill would fold again and about how long that takes; nothing is done."""
    session: Session = context.obj
    with session.reaching() as reached:
        reply: Mapping[str, Any] = reached.plan_backfill(_asked(stream, tenant, from_, to))
    write(reply, session.format, PLAN_COLUMNS, reply["tenants"])
    if session.format is Format.TABLE:
        said = f"{reply['slots']:,} slots with {reply['events']:,} events, about {reply['seconds']:,.1f} s"
        err().print(said, style="dim", soft_wrap=True)


@backfill.command()
def run(
    context: typer.Context, stream: Stream, tenant: Tenant = None, from_: From = None, to: To = None
) -> None:
    """Begin a backfill: to its end where this process holds the data, else in the server."""
    asked = _asked(stream, tenant, from_, to)
    session: Session = context.obj
    with session.reaching() as reached:
        reply = _watched(lambda told: reached.run_backfill(asked, told))
    _write(session, reply)


@backfill.command()
def resume(context: typer.Context, id_: Id) -> None:
    """Go on with a backfill that was paused or that a process has left."""
    session: Session = context.obj
    with session.reaching() as reached:
        reply = _watched(lambda told: reached.resume_backfill(id_, told))
    _write(session, reply)


@backfill.command()
def status(
    context: typer.Context,
    id_: Annotated[str | None, typer.Argument(metavar="ID", help="One backfill; without it, all.")] = None,
    limit: Annotated[int | None, typer.Option(help="Most lines, 1 to 1000.", show_default="100")] = None,
    cursor: Annotated[str | None, typer.Option(help="Where the page before has ended.")] = None,
) -> None:
    """List the backfills, the newest first, or tell where one stands."""
    session: Session = context.obj
    with session.controlling() as controlled:
        reply: Mapping[str, Any] = (
            controlled.backfills(limit, cursor) if id_ is None else controlled.backfill(id_)
        )
    if id_ is not None:
        _write(session, reply)
        return
    write(reply, session.format, COLUMNS, reply["backfills"])
    if session.format is Format.TABLE and reply["nextCursor"] is not None:
        err().print(f"there is more: --cursor {reply['nextCursor']}", style="dim", soft_wrap=True)


@backfill.command()
def pause(context: typer.Context, id_: Id) -> None:
    """Mark no more slots of a backfill until it is resumed."""
    session: Session = context.obj
    with session.controlling() as controlled:
        reply = controlled.pause_backfill(id_)
    _write(session, reply)


@backfill.command()
def cancel(context: typer.Context, id_: Id) -> None:
    """End a backfill for good; what it has folded stays."""
    session: Session = context.obj
    with session.controlling() as controlled:
        reply = controlled.cancel_backfill(id_)
    _write(session, reply)


def _asked(stream: str, tenants: list[str] | None, from_: str | None, to: str | None) -> dict[str, object]:
    given = {"stream": stream, "tenants": tenants, "from": from_, "to": to}
    return {name: value for name, value in given.items() if value}


def _watched(work: Callable[[Callable[[float], None]], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Works with a bar that shows how far it is."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    with Progress(TextColumn("backfill"), BarColumn(), TaskProgressColumn(), console=err()) as progress:
        task = progress.add_task("backfill", total=1.0)
        return work(lambda share: progress.update(task, completed=share))


def _write(session: Session, reply: Mapping[str, Any]) -> None:
    if session.format is not Format.TABLE:
        write(reply, session.format, COLUMNS, [reply])
        return
    write(reply, session.format, COLUMNS, [reply])
    write(reply, session.format, PART_COLUMNS, reply["tenants"])
