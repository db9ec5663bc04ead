"""`aforo cache`: the answers that a server keeps."""

from __future__ import annotations

from typing import Annotated

import typer

from aforo.cli.output import write
from aforo.cli.session import Session

cache = typer.Typer(
    name="cache",
    no_args_is_help=True,
    add_completion=False,
    help="See what is kept of answers, and clear it.",
)


@cache.command()
def stats(context: typer.Context) -> None:
    """Tell how many answers are kept, what room they take, and how many questions they answered."""
    session: Session = context.obj
    with session.reaching() as reached:
        reply = reached.cache()
    write(reply, session.format, tuple(reply), [reply])


@cache.command()
def clear(
    context: typer.Context,
    tag: Annotated[
        str | None,
        typer.Option(help="Only answers of tenant:NAME, stream:NAME or metric:NAME.", show_default="all"),
    ] = None,
) -> None:
    """Take kept answers away; they are right without it."""
    session: Session = context.obj
    with session.reaching() as reached:
        reply = reached.clear_cache(tag)
    write(reply, session.format, tuple(reply), [reply])
