"""`aforo ask`: metrics of a tenant over a window, with the proof of the answer."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from aforo.cli.output import OF_ANSWERS, Format, Json, out, table_of, write
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
    explain: Annotated[bool, typer.Option("--explain", help="Tell which rollups were considered.")] = False,
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
    with session.reaching() as reached:
        if session.format in OF_ANSWERS:
            sys.stdout.buffer.write(reached.ask_as(question, OF_ANSWERS[session.format]))
            return
        reply = reached.ask(question)
    _write(reply, session.format, explain=explain)


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
    if reply["totals"] is not None:
        console.print("\ntotals", style="bold")
        console.print(table_of(list(reply["totals"]), [reply["totals"]], units))
    console.print()
    for line in proof_lines(reply["proof"]):
        console.print(line, style="dim", markup=False)
    if explain:
        for line in considered_lines(reply["proof"]):
            console.print(line, style="dim", markup=False)


def _reads(proof: Json) -> list[Json]:
    """What was read of each stream that was asked."""
    return list(proof["streams"].values()) if "streams" in proof else [proof]


_ASIDE = {
    "comparison": "compared with what was read",
    "ranking": "ranked by what was read",
    "rankingComparison": "and by what was read of the other window",
    "totals": "totals are",
    "totalsComparison": "totals are compared with what was read",
}


def considered_lines(proof: Json) -> list[str]:
    """Which rollups were considered for each part of an answer, why one was taken or not, and the guard."""
    lines: list[str] = []
    for read in _reads(proof):
        lines += _considered(read)
        for name, words in _ASIDE.items():
            if name in read:
                lines += [f"{words} {_origin(read[name])}", *_considered(read[name])]
    return [*lines, *_guard(proof)]


def _guard(proof: Json) -> list[str]:
    """What reading raw events was expected to cost, beside what it might."""
    if "guard" not in proof:
        return []
    guard = proof["guard"]
    expected = f"about {guard['rawRowsExpected']:,} raw events with {guard['rawBytesExpected']:,} bytes"
    allowed = f"{guard['rawRowsLimit']:,} with {guard['rawBytesLimit']:,} bytes"
    return [f"guard: {expected} were expected, and {allowed} allowed"]


def _considered(read: Json) -> list[str]:
    return [
        f"{'→' if each['chosen'] else ' '} {each['rollup']}: {each['why']}" for each in read["considered"]
    ]


def _origin(read: Json) -> str:
    rows = f"{read['rowsRead']:,} rows read"
    if read["source"] == "raw":
        return f"from the raw events: {read['reason']}, {rows}"
    name = "the ledger" if read["source"] == "ledger" else f"rollup {read['rollup']}"
    return f"from {name} ({' and '.join(read['grains'])} rows), {rows}"


def proof_lines(proof: Json) -> list[str]:
    """The evidence in words."""
    *rest, last = [_origin(read) for read in _reads(proof)]
    errors = {name: claim["relativeError"] for name, claim in proof["exact"].items() if claim is not True}
    exact = (
        "exact"
        if not errors
        else "exact but for " + ", ".join(f"{name} (within {error:.2%})" for name, error in errors.items())
    )
    stale = proof["staleSeconds"]
    fresh = f"complete until {proof['completeUntil']}" + (f", behind by {stale:,.1f} s" if stale else "")
    read = f"{last} in {proof['tookMs']:,.1f} ms; {exact}"
    days = f"{fresh}; {proof['timezone']}, weeks from {proof['weekStart']}"
    also = [f"also {_origin(each)}" for each in proof.get("alsoRead", ())]
    made_up = ["of made-up data: the tenant's name says so"] if proof.get("simulated") else []
    return [
        *made_up,
        *rest,
        read,
        *also,
        f"{days}; model {proof['modelVersion']}, commit {proof['commit']}, revision {proof['revision']}",
    ]
