"""What is behind a number and behind an answer, in lines and tables for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aforo.cli.output import Json, out, shown, table_of
from aforo.cli.proofs import considered_lines, proof_lines

PARTS = {
    "rows": "states",
    "comparison": "states of what it is compared with",
    "ranking": "states of what ranked the groups",
    "rankingComparison": "states of what ranked the groups, of the other window",
    "totals": "states of the totals",
    "totalsComparison": "states of what totals are compared with",
}


def tell_number(reply: Json) -> None:
    """One number of a day, from the number down to the events."""
    metric = reply["metric"]
    out().print(f"{metric['name']} of {reply['tenant']} on {reply['day']}", style="bold", markup=False)
    unit = f" {metric['unit']}" if metric["unit"] else ""
    out().print(f"{shown(reply['value'])}{unit} = {metric['formula']}\n", markup=False)
    table("states", STATES, [of_measure(each, measures_of([metric])) for each in reply["states"]])
    _tell_behind("", reply["folds"], reply["events"], metric["stream"])
    _tell_sql(reply["sql"])
    _dim([*proof_lines(reply["proof"]), *considered_lines(reply["proof"])])


def tell_answer(reply: Json) -> None:
    """Everything behind an answer that stands above: formulas, plans, states, SQL, folds and events."""
    _dim(considered_lines(reply["answer"]["proof"]))
    out().print()
    for metric in reply["metrics"]:
        out().print(f"{metric['name']} = {metric['formula']}", style="bold", markup=False)
    measures = measures_of(reply["metrics"])
    table("measures", ("name", "kind", "of", "where"), [_measure(each) for each in measures.values()])
    several = len(reply["behind"]) > 1
    for read in reply["reads"]:
        rows = [
            {**each["row"], **of_measure(state, measures)}
            for each in read["states"]
            for state in each["states"]
        ]
        of = f" of {read['stream']}" if several else ""
        first = len(read["states"])
        some = f", the first {first} of {read['rows']:,}" if first < read["rows"] else ""
        table(f"{PARTS[read['of']]}{of}{some}", (*read["states"][0]["row"], "name", "state"), rows)
        _tell_sql(read["sql"])
    for each in reply["behind"]:
        _tell_behind(f" of {each['stream']}", each["folds"], each["events"], each["stream"], each["days"])


STATES = ("name", "state", "kind", "of", "where")


def measures_of(metrics: Sequence[Json]) -> Mapping[str, Json]:
    """The measures behind metrics by name, each once."""
    return {measure["name"]: measure for metric in metrics for measure in metric["measures"]}


def of_measure(state: Json, measures: Mapping[str, Json]) -> Json:
    """A state in one line with what its measure means."""
    return {**_measure(measures.get(state["name"], {})), "name": state["name"], "state": in_a_cell(state)}


def in_a_cell(state: Json) -> object:
    """A state in one cell."""
    found = state["state"]
    if not isinstance(found, dict):
        return found
    return f"{shown(found['count'])} values from {shown(found['minimum'])} to {shown(found['maximum'])}"


def table(title: str, columns: Sequence[str], rows: Sequence[Json]) -> None:
    """A table below its title; nothing where there are no rows."""
    if not rows:
        return
    console = out()
    console.print(title, style="bold", markup=False)
    console.print(table_of(columns, rows))
    console.print()


def _measure(measure: Json) -> Json:
    return {
        "name": measure.get("name"),
        "kind": measure.get("kind"),
        "of": measure.get("field"),
        "where": measure.get("where"),
    }


def _tell_sql(texts: Sequence[str]) -> None:
    for text in texts:
        out().print(f"{text};\n", style="dim", markup=False)


def _tell_behind(
    of: str, folds: Sequence[Json], events: Json | None, stream: str, days: int | None = None
) -> None:
    some = f", the latest {len(folds)} of {days:,}" if days is not None and len(folds) < days else ""
    table(f"folds{of}{some}", ("day", "revision", "commit", "foldedAt"), folds)
    for line in _of_events(events, stream):
        out().print(line, markup=False)
    sample = (events or {}).get("sample")
    if sample:
        shown_events = [{"id": each["id"], "time": each["time"], **each["fields"]} for each in sample]
        table("some of the events", tuple(shown_events[0]), shown_events)


def _of_events(events: Json | None, stream: str) -> Iterator[str]:
    if events is None:
        yield f"{stream} keeps no events: its counts are all there is\n"
        return
    if events["kept"] is not None:
        kept, counted = f"{events['kept']:,}", f"{events['counted']:,}"
        yield f"{kept} raw events of {stream} are kept, and {counted} of them count here"
    if events["withheld"]:
        yield events["withheld"]
    yield ""


def _dim(lines: Sequence[str]) -> None:
    for line in lines:
        out().print(line, style="dim", markup=False)
