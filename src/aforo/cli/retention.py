"""`aforo retention`: who came first when, and who came back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from aforo.cli.output import Format, Json, out, table_of, write
from aforo.cli.proofs import proof_lines
from aforo.cli.session import Session

_COLUMNS = ("cohort", "size", "periods_later", "returned", "share")


def retention(
    context: typer.Context,
    metric: Annotated[
        str, typer.Argument(help="A metric that counts entities; its first sight makes cohorts.")
    ],
    tenant: Annotated[str, typer.Option(help="Whose events.")],
    from_: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day.")] = None,
    to: Annotated[str | None, typer.Option(metavar="DATE", help="Last day, included.")] = None,
    grain: Annotated[str, typer.Option(help="day, week or month.")] = "week",
    returns: Annotated[
        str | None, typer.Option(metavar="METRIC", help="The metric that counts who is back; the same one.")
    ] = None,
    where: Annotated[str, typer.Option(help='Conditions, such as: country = "ES"')] = "",
    timezone: Annotated[
        str | None, typer.Option(metavar="Z", help="Zone of the days; the tenant's own.")
    ] = None,
) -> None:
    """Ask who comes back: cohorts by first day, week or month."""
    session: Session = context.obj
    told = {"from": from_, "to": to, "returns": returns, "where": where, "timezone": timezone}
    question = {"tenant": tenant, "metric": metric, "grain": grain}
    with session.reaching() as reached:
        reply = reached.retention({**question, **{key: value for key, value in told.items() if value}})
    if session.format is not Format.TABLE:
        write(reply, session.format, _COLUMNS, _long(reply))
        return
    width = max((len(cohort["returned"]) for cohort in _cohorts(reply)), default=0)
    later = [f"+{at}" for at in range(width)]
    console = out()
    console.print(table_of(("cohort", "size", *later), [_wide(cohort, later) for cohort in _cohorts(reply)]))
    console.print()
    for line in proof_lines(_of(reply, "proof")):
        console.print(line, style="dim", markup=False)


def _wide(cohort: Json, later: list[str]) -> Json:
    shown = [
        "" if count is None else f"{count:,}" + ("" if share is None else f" ({share:.1%})")
        for count, share in zip(cohort["returned"], cohort["shares"], strict=True)
    ]
    row = {name: shown[at] if at < len(shown) else "" for at, name in enumerate(later)}
    cut = " (partial)" if cohort["partial"] else ""
    return {"cohort": f"{cohort['cohort']}{cut}", "size": cohort["size"], **row}


def _long(reply: Json) -> list[Json]:
    """A row for each cohort and period, as spreadsheets like it."""
    return [
        {
            "cohort": cohort["cohort"],
            "size": cohort["size"],
            "periods_later": at,
            "returned": count,
            "share": cohort["shares"][at],
        }
        for cohort in _cohorts(reply)
        for at, count in enumerate(cohort["returned"])
    ]


def _cohorts(reply: Json) -> list[Json]:
    return list(_of(reply, "cohorts"))


def _of(reply: Json, name: str) -> Any:
    return reply[name]
