"""Backfills of a data directory: the backfiller over its parts, and the command line's verbs over it."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from aforo.assembly.build import Aforo
from aforo.rollups.backfiller import Backfiller
from aforo.store.act import Actor
from aforo.store.backfill import Backfill, BackfillState
from aforo.store.backfills import Backfills
from aforo.store.connect import Store

Json = dict[str, object]
Told = Callable[[float], None]


def backfiller(aforo: Aforo, store: Store) -> Backfiller:
    """The backfiller of a process that holds the data directory."""
    return Backfiller(
        aforo.engine,
        aforo.model,
        Backfills(store, aforo.clock),
        aforo.clock,
        aforo.settings.backfill,
        aforo.folder.wake,
    )


def planned(aforo: Aforo, asked: Mapping[str, object]) -> Json:
    """What a backfill would do."""
    from aforo.http import backfills, reply

    with _opened(aforo) as worker:
        return reply.plain(backfills.planned(worker, asked))


def run(aforo: Aforo, asked: Mapping[str, object], told: Told) -> Json:
    """Begins a backfill and works on it until it is over or paused; `told` hears its progress, 0 to 1."""
    from aforo.http import backfills

    with _opened(aforo) as worker:
        begun = backfills.begun(worker, asked, _actor())
        return _worked(aforo, worker, begun.id, told)


def resumed(aforo: Aforo, backfill_id: str, told: Told) -> Json:
    """Goes on with a backfill that was paused, or that the end of a process has left."""
    from aforo.http import backfills

    with _opened(aforo) as worker:
        backfills.moving(worker, worker.backfills, backfill_id, BackfillState.RUNNING, _actor())
        return _worked(aforo, worker, backfill_id, told)


def _worked(aforo: Aforo, worker: Backfiller, backfill_id: str, told: Told) -> Json:
    from aforo.http import backfills, backfills_shown, reply

    def tell(backfill: Backfill) -> None:
        told(backfills_shown.shown(backfill, (0, 0, 0.0)).progress)

    worker.run_to_end(backfill_id, aforo.folder.run_until_clean, tell)
    return reply.plain(backfills.found(worker.backfills, backfill_id))


@contextmanager
def _opened(aforo: Aforo) -> Iterator[Backfiller]:
    store = Store(aforo.settings.data, aforo.settings.store)
    try:
        yield backfiller(aforo, store)
    finally:
        store.close()


def _actor() -> Actor:
    return Actor(f"command line ({getpass.getuser()})")
