"""`aforo doctor`: what is kept, how far it is folded, and every setting with its source."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from aforo.cli import drift as drifting
from aforo.cli.output import Format, out, table_of, write
from aforo.cli.session import Session
from aforo.errors import InvalidRequest


def doctor(
    context: typer.Context,
    drift: Annotated[
        bool,
        typer.Option(
            "--drift", help="Hold the rollups against the events instead; ends with 1 if any differ."
        ),
    ] = False,
    sample: Annotated[
        int | None,
        typer.Option(metavar="DAYS", min=1, help="With --drift: only so many days, taken by lot."),
    ] = None,
) -> None:
    """Look over the data directory and the settings, or check the rollups.

    A rollup that differs is marked, and made true by the next fold.
    """
    session: Session = context.obj
    if sample is not None and not drift:
        raise InvalidRequest("--sample says how many days to check for drift", hint="add --drift")
    if drift:
        _check_drift(session, sample)
        return
    with session.reaching() as reached:
        kept = reached.doctor()
    resolved = session.resolved()
    settings = [
        {"setting": key, "value": value, "source": resolved.sources[key]}
        for key, value in resolved.shown().items()
    ]
    if session.format is not Format.TABLE:
        write({**kept, "settings": settings}, session.format, ("setting", "value", "source"), settings)
        return
    _tell(kept, settings)


def _check_drift(session: Session, sample: int | None) -> None:
    with session.reaching() as reached:
        reply = drifting.checked(reached, sample)
    drifting.tell(reply, session.format)
    if reply["found"]:
        raise typer.Exit(1)


def _tell(kept: dict[str, Any], settings: list[dict[str, str]]) -> None:
    console = out()
    facts = [
        {"what": name, "value": value}
        for name, value in kept.items()
        if name not in ("streams", "outcomes", "builds", "lags")
    ]
    console.print(table_of(("what", "value"), facts))
    console.print()
    console.print(table_of(("stream", "tenant", "events", "first", "last", "dirtySlots"), kept["streams"]))
    console.print()
    if kept["builds"]:
        console.print(table_of(("stream", "rollup", "slots", "slotsLeft", "progress"), kept["builds"]))
        console.print()
    if kept["lags"]:
        heads = ("stream", "commits", "longestSeconds", "late", "waitingSeconds")
        console.print(table_of(heads, kept["lags"]))
        console.print()
    outcomes = [{"outcome": name, "events": count} for name, count in kept["outcomes"].items()]
    console.print(table_of(("outcome", "events"), outcomes))
    console.print()
    console.print(table_of(("setting", "value", "source"), settings))
