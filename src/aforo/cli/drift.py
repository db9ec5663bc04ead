"""`aforo doctor --drift`: rollups held against the events, and what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aforo.cli.output import Format, err, out, table_of, write

if TYPE_CHECKING:
    from aforo.assembly import Reach

COLUMNS = ("stream", "tenant", "rollup", "period", "start", "split", "measure", "against", "wanted", "kept")
FACTS = ("checkedAt", "tookMs", "keptDays", "days", "waiting", "found", "marked", "returned")


def checked(reached: Reach, sample_days: int | None) -> dict[str, Any]:
    """Checks with a bar of the days that are done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("drift"), BarColumn(), MofNCompleteColumn(), TextColumn("days"))
    with Progress(*columns, console=err(), transient=False) as progress:
        task = progress.add_task("drift", total=None)

        def advanced(done: int, of: int) -> None:
            progress.update(task, completed=done, total=of)

        return reached.drift(sample_days, advanced)


def tell(reply: dict[str, Any], format_: Format) -> None:
    """The differences as rows, and in a table what was checked and which ids came back."""
    rows = [
        {**each, "split": ", ".join(f"{name} {value}" for name, value in each["split"].items())}
        for each in reply["differences"]
    ]
    if format_ is not Format.TABLE:
        write(reply, format_, COLUMNS, rows)
        return
    console = out()
    console.print(table_of(("what", "value"), [{"what": name, "value": reply[name]} for name in FACTS]))
    if rows:
        console.print()
        console.print(table_of(COLUMNS, rows))
        console.print(f"\nmarked: the next fold makes {reply['marked']:,} slots true again", markup=False)
    if reply["returnedIds"]:
        ids = [{**each, "times": ", ".join(each["times"])} for each in reply["returnedIds"]]
        console.print()
        console.print(table_of(("stream", "tenant", "id", "count", "times"), ids))
