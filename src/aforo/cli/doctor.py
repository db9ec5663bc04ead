"""`aforo doctor`: what is kept, how far it is folded, and every setting with its source."""

from __future__ import annotations

from typing import Any

import typer

from aforo.cli.output import Format, out, table_of, write
from aforo.cli.session import Session


def doctor(context: typer.Context) -> None:
    """Look over the data directory and the settings."""
    session: Session = context.obj
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


def _tell(kept: dict[str, Any], settings: list[dict[str, str]]) -> None:
    console = out()
    facts = [
        {"what": name, "value": value} for name, value in kept.items() if name not in ("streams", "outcomes")
    ]
    console.print(table_of(("what", "value"), facts))
    console.print()
    console.print(table_of(("stream", "tenant", "events", "first", "last", "dirtySlots"), kept["streams"]))
    console.print()
    outcomes = [{"outcome": name, "events": count} for name, count in kept["outcomes"].items()]
    console.print(table_of(("outcome", "events"), outcomes))
    console.print()
    console.print(table_of(("setting", "value", "source"), settings))
