"""`aforo erase` and `aforo erasures`: what somebody has sent goes, and how far that has come."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from aforo.cli.output import Format, err, write
from aforo.cli.session import Session

COLUMNS = ("id", "state", "tenant", "entity", "digest", "events", "slots", "requestedAt", "finishedAt")


Tenant = Annotated[str, typer.Option("--tenant", metavar="TENANT", help="Whose data it is in.")]
Entity = Annotated[
    str, typer.Option("--entity", metavar="ENTITY", help="What it is a value of, such as visitor.")
]
Value = Annotated[
    str,
    typer.Option(
        "--value", metavar="VALUE", help="The value, as events have it; - reads it from standard input."
    ),
]


def said(value: str) -> str:
    """The value that was given, or the line that is given instead of it."""
    return sys.stdin.readline().rstrip("\r\n") if value == "-" else value


def erase(context: typer.Context, tenant: Tenant, entity: Entity, value: Value) -> None:
    """Erase the events of one value of an entity, and the value: at once, or in the server."""
    session: Session = context.obj
    with session.reaching() as reached:
        reply: Mapping[str, Any] = reached.erase({"tenant": tenant, "entity": entity, "value": said(value)})
    write(reply, session.format, COLUMNS, [reply])
    if session.format is Format.TABLE and reply["state"] != "done":
        note = f"the server goes on by itself: aforo erasures {reply['id']}"
        err().print(note, style="dim", soft_wrap=True)


def erasures(
    context: typer.Context,
    id_: Annotated[str | None, typer.Argument(metavar="ID", help="One erasure; without it, all.")] = None,
    limit: Annotated[int | None, typer.Option(help="Most lines, 1 to 1000.", show_default="100")] = None,
    cursor: Annotated[str | None, typer.Option(help="Where the page before has ended.")] = None,
) -> None:
    """List the erasures without their values, the newest first, or tell how far one has come."""
    session: Session = context.obj
    with session.controlling() as controlled:
        reply: Mapping[str, Any] = (
            controlled.erasures(limit, cursor) if id_ is None else controlled.erasure(id_)
        )
    rows = [reply] if id_ is not None else reply["erasures"]
    write(reply, session.format, COLUMNS, rows)
    if id_ is None and session.format is Format.TABLE and reply["nextCursor"] is not None:
        err().print(f"there is more: --cursor {reply['nextCursor']}", style="dim", soft_wrap=True)
