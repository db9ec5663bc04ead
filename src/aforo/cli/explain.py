"""`aforo explain`: one number with everything that is behind it."""

from __future__ import annotations

from typing import Annotated

import typer

from aforo.cli.explained import in_a_cell, tell_number
from aforo.cli.output import Format, Json, write
from aforo.cli.session import Session


def explain(
    context: typer.Context,
    metric: Annotated[str, typer.Argument(metavar="METRIC", help="Whose value is explained.")],
    tenant: Annotated[str, typer.Option(help="Whose number.")],
    day: Annotated[str, typer.Option(metavar="DATE", help="A day of the tenant's own time zone.")],
) -> None:
    """Tell what is behind a metric's value on one day: formula, states, rollups, SQL, folds, raw events."""
    session: Session = context.obj
    with session.reaching() as reached:
        reply: Json = reached.explain(metric, {"tenant": tenant, "day": day})
    if session.format is not Format.TABLE:
        states = [{"name": each["name"], "state": in_a_cell(each)} for each in reply["states"]]
        write(reply, session.format, ("name", "state"), states)
        return
    tell_number(reply)
