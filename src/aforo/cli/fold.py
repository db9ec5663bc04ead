"""`aforo fold`: makes the rollups true wherever events have changed."""

from __future__ import annotations

import typer

from aforo.cli.load import folding
from aforo.cli.output import write
from aforo.cli.session import Session


def fold(context: typer.Context) -> None:
    """Fold everything that waits for it."""
    session: Session = context.obj
    with session.reaching() as reached:
        reply = folding(reached)
    write(reply, session.format, tuple(reply), [reply])
