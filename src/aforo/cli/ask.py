"""`aforo ask`: metrics of a tenant over a window, with the proof of the answer."""

from __future__ import annotations

import sys
from typing import Annotated, cast

import typer

from aforo.cli.explained import tell_answer
from aforo.cli.output import OF_ANSWERS, Format, Json, out, table_of, write
from aforo.cli.proofs import proof_lines
from aforo.cli.session import Session
from aforo.errors import InvalidRequest


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
    match_weekdays: Annotated[
        bool, typer.Option("--match-weekdays", help="Compare previous or year whole weeks back.")
    ] = False,
    daily: Annotated[bool, typer.Option("--daily", help="Tell by the day too what adds up.")] = False,
    timezone: Annotated[
        str | None, typer.Option(metavar="Z", help="Zone of the days; the tenant's own.")
    ] = None,
    order: Annotated[
        str, typer.Option(metavar="C[ desc][,C...]", help="Columns to order by, such as: flights desc")
    ] = "",
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="Groups that are kept; the others are one row.")
    ] = None,
    totals: Annotated[bool, typer.Option("--totals", help="Tell the metrics of everything as well.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Tell what is behind the answer, too.")] = False,
) -> None:
    """Ask for metrics, with the proof of the answer."""
    session: Session = context.obj
    flags = {"daily": daily, "matchWeekdays": match_weekdays, "totals": totals}
    texts = {
        "from": from_, "to": to, "where": where, "compare": compare, "timezone": timezone, "order": order,
    }  # fmt: skip
    question = {
        "tenant": tenant,
        "metrics": _words(metrics),
        "grain": grain,
        "by": _words(by),
        **({} if limit is None else {"limit": limit}),
        **{key: True for key, told in flags.items() if told},
        **{key: text for key, text in texts.items() if text},
    }
    if explain and session.format in OF_ANSWERS:
        raise InvalidRequest(
            f"--explain tells more than {session.format} has a place for",
            hint="ask with --format table or json",
        )
    with session.reaching() as reached:
        if session.format in OF_ANSWERS:
            sys.stdout.buffer.write(reached.ask_as(question, OF_ANSWERS[session.format]))
            return
        explained = reached.ask_explained(question) if explain else None
        reply: Json = reached.ask(question) if explained is None else cast(Json, explained["answer"])
    if explained is not None and session.format is Format.JSON:
        write(explained, session.format, (), ())
        return
    _write(reply, session.format)
    if explained is not None:
        tell_answer(explained)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _write(reply: Json, format_: Format) -> None:
    columns = [column["name"] for column in reply["columns"]]
    if format_ is not Format.TABLE:
        write(reply, format_, columns, reply["rows"])
        return
    units = {column["name"]: column["unit"] for column in reply["columns"] if column.get("unit")}
    console = out()
    console.print(table_of(columns, reply["rows"], units))
    if reply["totals"] is not None:
        console.print("\ntotals", style="bold")
        console.print(table_of(list(reply["totals"]), [reply["totals"]], units))
    console.print()
    for line in proof_lines(reply["proof"]):
        console.print(line, style="dim", markup=False)
