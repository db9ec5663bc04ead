"""Serving: the parts, the HTTP app over them, and the file that says who holds the directory."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack

from aforo.assembly.local import Local
from aforo.assembly.reach import held
from aforo.http.app import Rooms, create_app
from aforo.http.server import Server


def serve(local: Local, on_ready: Callable[[str], None]) -> None:
    """Serves a data directory until it is told to stop; `on_ready` hears the URL once requests are answered.

    Begins to fold in the background, and closes the directory before it returns. Raises `InvalidSettings`.
    """
    aforo = local.aforo
    token = secrets.token_urlsafe(32)
    rooms = Rooms(
        settings=aforo.settings,
        clock=aforo.clock,
        telemetry=aforo.telemetry,
        model=aforo.model,
        engine=aforo.engine,
        intake=aforo.intake,
        folder=aforo.folder,
        desk=aforo.desk,
    )
    with ExitStack() as stack:
        stack.callback(local.close)
        server = Server(create_app(rooms, token), aforo.settings)
        aforo.start_folding()

        def ready(url: str) -> None:
            stack.enter_context(held(aforo.settings.data, url, token))
            on_ready(url)

        server.run(ready)
