"""`aforo funnel`: how many came how far."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from aforo.cli.output import Format, Json, out, table_of, write
from aforo.cli.proofs import proof_lines
from aforo.cli.session import Session

_COLUMNS = ("step", "name", "count", "share", "shareOfPrevious")


def funnel(
    context: typer.Context,
    steps: Annotated[
        list[str],
        typer.Argument(
            metavar="STEP...",
            help="What must hold of an event, with its stream before a colon: 'views: path = \"/\"'",
        ),
    ],
    tenant: Annotated[str, typer.Option(help="Whose events.")],
    entity: Annotated[str, typer.Option(help="What comes how far, such as visitor.")],
    stream: Annotated[str | None, typer.Option(help="The stream of steps that name none.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day, or an instant.")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="DATE", help="Last day, included, or an instant.")] = None,
    within: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="From the first step to the last at most: 30m, 24h, 7d."),
    ] = None,
    any_order: Annotated[bool, typer.Option("--any-order", help="All steps, in whatever order.")] = False,
    timezone: Annotated[
        str | None, typer.Option(metavar="Z", help="Zone of the days; the tenant's own.")
    ] = None,
) -> None:
    """Ask how many of an entity went through up to 8 steps."""
    session: Session = context.obj
    told = {"stream": stream, "from": from_, "to": to, "within": within, "timezone": timezone}
    question = {
        "tenant": tenant,
        "entity": entity,
        "steps": [_step(text) for text in steps],
        "ordered": not any_order,
        **{key: value for key, value in told.items() if value},
    }
    with session.reaching() as reached:
        reply: Json = reached.funnel(question)
    if session.format is not Format.TABLE:
        write(reply, session.format, _COLUMNS, reply["steps"])
        return
    console = out()
    console.print(table_of(_COLUMNS, reply["steps"]))
    console.print()
    for line in proof_lines(reply["proof"]):
        console.print(line, style="dim", markup=False)


def _step(text: str) -> dict[str, object]:
    """The stream before a colon, and the conditions; either may be missing."""
    named = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*:(.*)", text, re.DOTALL)
    return {"where": text} if named is None else {"stream": named[1], "where": named[2].strip()}
