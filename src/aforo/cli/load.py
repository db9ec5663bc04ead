"""`aforo load`: a file of events through the same intake as everybody's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aforo.cli.output import Format, err, out, table_of, write
from aforo.cli.session import Session
from aforo.errors import InvalidRequest

if TYPE_CHECKING:
    from aforo.assembly import Chunk, Loaded, LoadOrder, Reach, Stretch

REFUSED = 2


def load(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help="A .csv, .ndjson or .parquet file, or an access log; all but Parquet also as .gz."
        ),
    ],
    stream: Annotated[str | None, typer.Option(help="The stream of its events.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose events they are, where rows do not say.")] = None,
    input_: Annotated[
        str | None,
        typer.Option(
            "--input", metavar="csv|ndjson|parquet|access-log", help="Format, where the name tells none."
        ),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="Which column a field comes from."),
    ] = None,
    null: Annotated[
        list[str] | None, typer.Option(help="Text that means null, beside the empty one.")
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option(help="A host of the access log's own, from where nobody is referred.")
    ] = None,
    from_start: Annotated[
        bool,
        typer.Option("--from-start", help="Read an access log from its start, not from where it was left."),
    ] = False,
    fold: Annotated[bool, typer.Option(help="Fold when all is loaded.")] = True,
) -> None:
    """Load a file of events. Loading it again changes nothing."""
    from aforo.assembly import LoadOrder, read_chunks

    session: Session = context.obj
    order = LoadOrder(
        path=file,
        stream=stream,
        tenant=tenant,
        input=input_,
        mapping=dict(_pair(text) for text in map_ or ()),
        nulls=frozenset(("", *(null or ()))),
        sites=tuple(site or ()),
        from_start=from_start,
    )
    with session.reaching() as reached:
        loaded = with_bar(reached, order, read_chunks(order, session.resolved().settings))
        if fold:
            folding(reached)
    tell(loaded, session.format)
    if loaded.refused:
        raise typer.Exit(REFUSED)


def with_bar(reached: Reach, order: LoadOrder, chunks: Iterable[Chunk]) -> Loaded:
    """Loads with a bar that shows how much of the file is read and acknowledged."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err(), transient=False) as progress:
        task = progress.add_task(f"load {order.path.name}", total=None, rows=0)

        def advanced(loaded: Loaded) -> None:
            progress.update(
                task, total=loaded.bytes_total or None, completed=loaded.bytes_read, rows=loaded.rows
            )

        loaded = reached.load(chunks, order, advanced)
        # How far a reader is in its file is an estimate; at the end it is all of it.
        progress.update(task, total=1, completed=1)
        return loaded


def folding(reached: Reach) -> dict[str, object]:
    """Folds until nothing is dirty, with a count of slots; the reply of the fold."""
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("fold"), BarColumn(), TextColumn("{task.completed:,.0f} slots"))
    with Progress(*columns, console=err(), transient=False) as progress:
        task = progress.add_task("fold", total=None)
        reply = reached.fold(lambda slots: progress.advance(task, slots))
        progress.update(task, total=max(1, progress.tasks[task].completed))
        return reply


def _pair(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not (field and equals and column):
        raise InvalidRequest(
            f"--map came {text!r}, wanted FIELD=COLUMN", hint="for example --map carrier=airline"
        )
    return field, column


def tell(loaded: Loaded, format_: Format) -> None:
    """What became of the rows."""
    stretch = loaded.stretch
    reply = {
        "rows": loaded.rows,
        "accepted": loaded.accepted,
        "duplicates": loaded.duplicates,
        "refused": dict(loaded.refused),
        "samples": [
            {"row": refusal.index, "code": str(refusal.code), "detail": refusal.detail}
            for refusal in loaded.samples
        ],
        **({} if stretch is None else {"begunAt": stretch.begun_at, "leftBytes": stretch.left}),
    }
    outcomes = [
        {"outcome": "accepted", "events": loaded.accepted},
        {"outcome": "duplicate", "events": loaded.duplicates},
        *({"outcome": code, "events": count} for code, count in loaded.refused.most_common()),
    ]
    write(reply, format_, ("outcome", "events"), outcomes)
    if format_ is Format.TABLE:
        for line in _stretch_lines(stretch):
            out().print(line)
        if loaded.samples:
            out().print()
            out().print(table_of(("row", "code", "detail"), reply["samples"]))  # type: ignore[arg-type]


def _stretch_lines(stretch: Stretch | None) -> Iterator[str]:
    """What is worth telling of a log that was not read from its start to its end."""
    if stretch is not None and stretch.begun_at:
        yield f"read on from byte {stretch.begun_at:,}, where it was left; --from-start reads all of it"
    if stretch is not None and stretch.left:
        yield f"{stretch.left:,} bytes of a last line that is not ended are left for the next time"
