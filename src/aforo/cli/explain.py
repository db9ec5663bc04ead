"""`aforo explain`: one number with everything that is behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from aforo.cli.ask import considered_lines, proof_lines
from aforo.cli.output import Format, Json, out, shown, table_of, write
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
        states = [{"name": each["name"], "state": _state(each["state"])} for each in reply["states"]]
        write(reply, session.format, ("name", "state"), states)
        return
    _tell(reply)


def _tell(reply: Json) -> None:
    """The parts one below the other, from the number down to the events."""
    console, metric = out(), reply["metric"]
    unit = f" {metric['unit']}" if metric["unit"] else ""
    console.print(f"{metric['name']} of {reply['tenant']} on {reply['day']}", style="bold", markup=False)
    console.print(f"{shown(reply['value'])}{unit} = {metric['formula']}\n", markup=False)
    kinds = {measure["name"]: measure for measure in metric["measures"]}
    states = [_of_measure(each, kinds.get(each["name"], {})) for each in reply["states"]]
    _table("states", ("name", "state", "kind", "of", "where"), states)
    _table("folds", ("day", "revision", "commit", "foldedAt"), reply["folds"])
    for line in _of_events(reply):
        console.print(line, markup=False)
    sample = (reply["events"] or {}).get("sample")
    if sample:
        events = [{"id": each["id"], "time": each["time"], **each["fields"]} for each in sample]
        _table("some of the events", tuple(events[0]), events)
    for text in reply["sql"]:
        console.print(f"{text};\n", style="dim", markup=False)
    for line in [*proof_lines(reply["proof"]), *considered_lines(reply["proof"])]:
        console.print(line, style="dim", markup=False)


def _table(title: str, columns: Sequence[str], rows: Sequence[Json]) -> None:
    if not rows:
        return
    console = out()
    console.print(title, style="bold")
    console.print(table_of(columns, rows))
    console.print()


def _of_measure(state: Json, measure: Json) -> Json:
    kind, where = measure.get("kind"), measure.get("where")
    return {
        **state,
        "state": _state(state["state"]),
        "kind": kind,
        "of": measure.get("field"),
        "where": where,
    }


def _state(state: object) -> object:
    """A state in one cell."""
    if not isinstance(state, dict):
        return state
    return f"{shown(state['count'])} values from {shown(state['minimum'])} to {shown(state['maximum'])}"


def _of_events(reply: Json) -> Iterator[str]:
    events = reply["events"]
    if events is None:
        yield f"{reply['metric']['stream']} keeps no events: its counts are all there is\n"
        return
    yield f"{events['kept']:,} raw events of the day are kept, and {events['counted']:,} of them count here"
    if events["withheld"]:
        yield events["withheld"]
    yield ""
