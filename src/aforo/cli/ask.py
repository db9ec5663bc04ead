"""`aforo ask`: metrics of a tenant over a window, with the proof of the answer."""

from __future__ import annotations

from typing import Annotated

import typer

from aforo.cli.output import Format, Json, out, table_of, write
from aforo.cli.session import Session


def ask(
    context: typer.Context,
    metrics: Annotated[str, typer.Argument(metavar="METRIC[,METRIC...]", help="What is asked.")],
    tenant: Annotated[str, typer.Option(help="Whose events.")],
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day, or an instant.")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="DATE", help="Last day, included, or an instant.")] = None,
    grain: Annotated[str, typer.Option(help="slot, hour, day, week, month or total.")] = "total",
    by: Annotated[str, typer.Option(metavar="D[,D...]", help="Dimensions to split by.")] = "",
    where: Annotated[str, typer.Option(help='Conditions, such as: carrier = "UA" and distance >= 100')] = "",
    compare: Annotated[str | None, typer.Option(help="previous, year, before, or DATE..DATE.")] = None,
    daily: Annotated[bool, typer.Option("--daily", help="Tell by the day too what adds up.")] = False,
    timezone: Annotated[
        str | None, typer.Option(metavar="Z", help="Zone of the days; the tenant's own.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Tell which rollups were considered.")] = False,
) -> None:
    """Ask for metrics, with the proof of the answer."""
    session: Session = context.obj
    question = {
        "tenant": tenant,
        "metrics": _words(metrics),
        "grain": grain,
        "by": _words(by),
        **({"daily": True} if daily else {}),
        **{key: value for key, value in _optional(from_, to, where, compare, timezone) if value},
    }
    with session.reaching() as reached:
        reply = reached.ask(question)
    _write(reply, session.format, explain=explain)


def _optional(
    from_: str | None, to: str | None, where: str, compare: str | None, timezone: str | None
) -> tuple[tuple[str, str | None], ...]:
    return ("from", from_), ("to", to), ("where", where), ("compare", compare), ("timezone", timezone)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _write(reply: Json, format_: Format, *, explain: bool) -> None:
    columns = [column["name"] for column in reply["columns"]]
    if format_ is not Format.TABLE:
        write(reply, format_, columns, reply["rows"])
        return
    units = {column["name"]: column["unit"] for column in reply["columns"] if column.get("unit")}
    console = out()
    console.print(table_of(columns, reply["rows"], units))
    console.print()
    for line in proof_lines(reply["proof"]):
        console.print(line, style="dim", markup=False)
    if explain:
        for each in reply["proof"]["considered"]:
            mark = "→" if each["chosen"] else " "
            console.print(f"{mark} {each['rollup']}: {each['why']}", style="dim", markup=False)


def proof_lines(proof: Json) -> list[str]:
    """The evidence in words."""
    if proof["source"] == "raw":
        origin = f"from the raw events: {proof['reason']}"
    else:
        name = "the ledger" if proof["source"] == "ledger" else f"rollup {proof['rollup']}"
        origin = f"from {name} ({' and '.join(proof['grains'])} rows)"
    errors = {name: claim["relativeError"] for name, claim in proof["exact"].items() if claim is not True}
    exact = (
        "exact"
        if not errors
        else "exact but for " + ", ".join(f"{name} (within {error:.2%})" for name, error in errors.items())
    )
    stale = proof["staleSeconds"]
    fresh = f"complete until {proof['completeUntil']}" + (f", behind by {stale:,.1f} s" if stale else "")
    read = f"{origin}, {proof['rowsRead']:,} rows read in {proof['tookMs']:,.1f} ms; {exact}"
    days = f"{fresh}; {proof['timezone']}, weeks from {proof['weekStart']}"
    return [
        read,
        f"{days}; model {proof['modelVersion']}, commit {proof['commit']}, revision {proof['revision']}",
    ]
