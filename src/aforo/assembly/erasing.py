"""Erasures of a data directory: the eraser over its parts, and the command line's verb over it."""

from __future__ import annotations

import getpass
from collections.abc import Mapping

from aforo.assembly.build import Aforo
from aforo.rollups.erasure import Eraser
from aforo.secret import kept_secret
from aforo.store.act import Actor
from aforo.store.connect import Store
from aforo.store.erasures import Erasures

Json = dict[str, object]
KEY_FILE = "erasures.key"


def eraser(aforo: Aforo, store: Store) -> Eraser:
    """The eraser of a process that holds the data directory."""
    key = kept_secret(
        aforo.settings.data / KEY_FILE,
        "digests of erased values are made",
        "they are other ones from then on",
    )
    erasures = Erasures(store, aforo.clock)
    return Eraser(aforo.engine, aforo.model, erasures, key, aforo.folder.wake, aforo.cache.clear_tenant)


def erased(aforo: Aforo, asked: Mapping[str, object]) -> Json:
    """Erases what is asked for to its end, and what another process has left."""
    from aforo.http import erasures, reply

    store = Store(aforo.settings.data, aforo.settings.store)
    try:
        worker = eraser(aforo, store)
        actor = Actor(f"command line ({getpass.getuser()})")
        requested = erasures.requested(worker, asked, actor)
        while worker.run_once():
            aforo.folder.run_until_clean()
        return reply.plain(erasures.found(worker.erasures, requested.id))
    finally:
        store.close()
