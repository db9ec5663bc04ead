"""`aforo serve`: the data directory over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aforo.cli.output import err
from aforo.cli.session import Session

if TYPE_CHECKING:
    from aforo.assembly.serving import Ready


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 takes any free one.", show_default="8321")
    ] = None,
) -> None:
    """Serve the data directory over HTTP until told to stop."""
    from aforo.assembly.serving import serve as serve_directory

    session: Session = context.obj
    with session.holding(http__host=host, http__port=port) as local:
        serve_directory(local, tell_ready)


def tell_ready(ready: Ready) -> None:
    """What a person who started the server wants to know first."""
    console, url = err(), ready.url
    console.print(f"serving on [bold]{url}[/] (reference at {url}/docs); stop with Ctrl-C", soft_wrap=True)
    console.print(_openness(ready), style="dim", soft_wrap=True)


def _openness(ready: Ready) -> str:
    if ready.keyless:
        return (
            "no keys are configured: taking events and asking are open to this machine, "
            "the operator's routes only to the command line here"
        )
    if ready.admin:
        return "keys are configured: every request needs one"
    return "keys are configured: every request needs one, and no key opens the admin's routes"
