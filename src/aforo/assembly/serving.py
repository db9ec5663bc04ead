"""Serving: the parts, the HTTP app over them, and the file that says who holds the directory."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from aforo.assembly.backfilling import backfiller
from aforo.assembly.erasing import eraser
from aforo.assembly.local import Local
from aforo.assembly.reach import held
from aforo.http.access.ring import KeyRing
from aforo.http.app import Rooms, create_app
from aforo.http.server import Server
from aforo.store.audit import Audit
from aforo.store.connect import Store
from aforo.store.key import KeyScope
from aforo.store.keys import Keys


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
        ring = KeyRing(Keys(store, aforo.clock), aforo.clock, aforo.settings.access)
        rooms = Rooms(
            settings=aforo.settings,
            clock=aforo.clock,
            telemetry=aforo.telemetry,
            model=aforo.model,
            engine=aforo.engine,
            intake=aforo.intake,
            folder=aforo.folder,
            periods=aforo.periods,
            drift=aforo.drift,
            desk=aforo.desk,
            ring=ring,
            audit=Audit(store, aforo.clock),
            backfiller=backfiller(aforo, store),
            eraser=eraser(aforo, store),
        )
        keyed = not ring.keyless and ring.any_good()
        server = Server(create_app(rooms, token), aforo.settings, keyed=keyed)
        aforo.start_folding()
        ring.start()
        stack.callback(ring.stop)
        rooms.backfiller.start()
        stack.callback(rooms.backfiller.stop)
        rooms.eraser.start()
        stack.callback(rooms.eraser.stop)

        def ready(url: str) -> None:
            stack.enter_context(held(aforo.settings.data, url, token))
            on_ready(Ready(url, ring.keyless, ring.any_good(KeyScope.ADMIN)))

        server.run(ready)
