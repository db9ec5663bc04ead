"""`aforo refusals`: what was refused lately, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from aforo.cli.output import Format, out, write
from aforo.cli.session import Session


def refusals(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="Only of this tenant; ? is who is not known.")] = None,
    stream: Annotated[str | None, typer.Option(help="Only of this stream; ? is what is not known.")] = None,
    code: Annotated[str | None, typer.Option(help="Only with this code.")] = None,
    limit: Annotated[str, typer.Option(metavar="NUMBER", help="Most that are shown, up to 1000.")] = "50",
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
) -> None:
    """Show what was refused, newest first, without the events' values."""
    session: Session = context.obj
    given = (("tenant", tenant), ("stream", stream), ("code", code), ("limit", limit), ("cursor", cursor))
    with session.reaching() as reached:
        reply = reached.refusals({name: value for name, value in given if value is not None})
    found = reply["refusals"]
    assert isinstance(found, list)
    rows = [
        {**each, "names": " ".join(f"{name}:{kind}" for name, kind in each["names"].items())}
        for each in found
    ]
    columns = ("at", "stream", "tenant", "code", "detail", "names")
    write(reply, session.format, columns, rows)
    if session.format is Format.TABLE and reply["nextCursor"] is not None:
        out().print(f"\nolder ones: --cursor {reply['nextCursor']}", style="dim", markup=False)
