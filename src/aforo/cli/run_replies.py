"""What the verbs of `aforo runs` share: the options they take, and how a reply of theirs is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from aforo.cli.output import Format, err, write
from aforo.cli.session import Session

Json = Mapping[str, Any]

RUN_COLUMNS = (
    "id", "metric", "tenant", "state", "cause", "attempt", "triggeredAt", "createdAt", "finishedAt",
    "rowCount", "error",
)  # fmt: skip
VERSION_COLUMNS = ("datasetId", "updateId", "updatedAt", "manifestUri")

Tenant = Annotated[
    str | None,
    typer.Option(
        metavar="TENANT", help="Whose; the key's only tenant where it has one.", show_default="default"
    ),
]
OfTenant = Annotated[str | None, typer.Option(metavar="TENANT", help="Only this tenant's.")]
Limit = Annotated[int | None, typer.Option(help="Most lines, 1 to 1000.", show_default="100")]
Cursor = Annotated[str | None, typer.Option(help="Where the page before has ended.")]


def asked(**given: object) -> dict[str, str]:
    """What was given of the options, as a query has it."""
    return {name: str(value) for name, value in given.items() if value is not None}


def flat(runs_: Sequence[Json]) -> list[Json]:
    """Runs with their errors in one cell."""
    return [
        {**each, "error": None if each["error"] is None else "{code}: {message}".format(**each["error"])}
        for each in runs_
    ]


def page(session: Session, reply: Json, columns: Sequence[str], rows: Sequence[Json]) -> None:
    """A page of rows; people are told where the next one begins."""
    write(reply, session.format, columns, rows)
    if session.format is Format.TABLE and reply["nextCursor"] is not None:
        note(f"there is more: --cursor {reply['nextCursor']}")


def note(text: str) -> None:
    """A word for people beside the answer."""
    err().print(text, style="dim", soft_wrap=True)
