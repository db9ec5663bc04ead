"""`aforo worker`: computes runs in a process of its own."""

from __future__ import annotations

import typer

from aforo.cli.output import err
from aforo.cli.session import Session


def worker(context: typer.Context) -> None:
    """Compute runs that a server asks for, beside it or on another machine, until told to stop."""
    session: Session = context.obj
    session.work(tell_ready)


def tell_ready(place: str) -> None:
    """What a person who started the worker wants to know first."""
    err().print(f"working on the runs in [bold]{place}[/]; stop with Ctrl-C", soft_wrap=True)
