"""What the HTTP app stands on, over one data directory and its store."""

from __future__ import annotations

from aforo.assembly.backfilling import backfiller
from aforo.assembly.build import Aforo
from aforo.assembly.erasing import eraser
from aforo.assembly.reacting import reactive
from aforo.http.access.ring import KeyRing
from aforo.http.app import Rooms
from aforo.store.audit import Audit
from aforo.store.connect import Store
from aforo.store.keys import Keys


def rooms(aforo: Aforo, store: Store) -> Rooms:
    """The rooms, none of them started."""
    return Rooms(
        settings=aforo.settings,
        clock=aforo.clock,
        telemetry=aforo.telemetry,
        model=aforo.model,
        engine=aforo.engine,
        store=store,
        intake=aforo.intake,
        folder=aforo.folder,
        lag=aforo.lag,
        periods=aforo.periods,
        drift=aforo.drift,
        compaction=aforo.compaction,
        desk=aforo.desk,
        cache=aforo.cache,
        ring=KeyRing(Keys(store, aforo.clock), aforo.clock, aforo.settings.access),
        audit=Audit(store, aforo.clock),
        backfiller=backfiller(aforo, store),
        eraser=eraser(aforo, store),
        reactive=reactive(aforo, store),
    )
