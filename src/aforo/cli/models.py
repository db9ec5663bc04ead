"""`aforo models`: what can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from aforo.cli.output import write
from aforo.cli.session import Session
from aforo.errors import UnknownName

COLUMNS = ("name", "stream", "formula", "unit", "description")


def models(
    context: typer.Context,
    stream: Annotated[str | None, typer.Option(help="Only metrics over this stream.")] = None,
) -> None:
    """List the metrics of the model; json has the streams, measures and rollups too."""
    session: Session = context.obj
    with session.reaching() as reached:
        reply = reached.models()
    rows = [each for each in _listed(reply, "metrics") if stream in (None, each["stream"])]
    if stream is not None and not rows:
        raise UnknownName.of("stream", stream, [str(each["name"]) for each in _listed(reply, "streams")])
    write(reply, session.format, COLUMNS, rows)


def _listed(reply: Mapping[str, object], part: str) -> list[dict[str, object]]:
    found = reply[part]
    assert isinstance(found, list)
    return found
