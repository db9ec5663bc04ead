"""`aforo compact`: the events' file in order again, and no larger than it must be."""

from __future__ import annotations

import typer

from aforo.cli.output import write
from aforo.cli.session import Session
from aforo.clock import SystemClock


def compact(context: typer.Context) -> None:
    """Put the events in order of time again, and give free room back to the disk.

    A server that holds the data directory does what can be done while it serves. Without one the file is
    written anew, which gives back all free room; the disk must have room for a second file.
    """
    from aforo.assembly import compact as compact_directory

    session: Session = context.obj
    reply = compact_directory(session.resolved().settings, SystemClock())
    write(reply, session.format, tuple(reply), [reply])
