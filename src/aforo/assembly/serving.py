"""Serving: the parts, the HTTP app over them, and the file that says who holds the directory."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from aforo.assembly.beside import WorkerBeside
from aforo.assembly.local import Local
from aforo.assembly.memory import settled
from aforo.assembly.reach import held
from aforo.assembly.rooms import rooms
from aforo.http.app import create_app
from aforo.http.server import Server
from aforo.store.connect import Store
from aforo.store.key import KeyScope


@dataclass(frozen=True, slots=True)
class Ready:
    """Where a server answers, and what stands open there: `keyless` to all, `admin` to an admin's key."""

    url: str
    keyless: bool
    admin: bool


def serve(local: Local, on_ready: Callable[[Ready], None]) -> None:
    """Serves a data directory until it is told to stop; `on_ready` is told once requests are answered.

    Begins to fold in the background, and closes the directory before it returns. Raises `InvalidSettings`.
    """
    aforo = local.aforo
    token = secrets.token_urlsafe(32)
    with ExitStack() as stack:
        stack.callback(local.close)
        store = Store(aforo.settings.data, aforo.settings.store)
        stack.callback(store.close)
        parts = rooms(aforo, store)
        ring = parts.ring
        keyed = not ring.keyless and ring.any_good()
        server = Server(create_app(parts, token), aforo.settings, keyed=keyed)
        aforo.cache.start()
        aforo.on_folded(parts.reactive.folded)
        aforo.start_folding()
        ring.start()
        stack.callback(ring.stop)
        parts.backfiller.start()
        stack.callback(parts.backfiller.stop)
        parts.eraser.start()
        stack.callback(parts.eraser.stop)
        parts.reactive.start()
        stack.callback(parts.reactive.stop)

        def ready(url: str) -> None:
            stack.enter_context(held(aforo.settings.data, url, token))
            stack.enter_context(settled())
            on_ready(Ready(url, ring.keyless, ring.any_good(KeyScope.ADMIN)))
            worker = WorkerBeside(parts)
            worker.start()
            stack.callback(worker.stop)

        server.run(ready)
