"""Erasure of what somebody sent: durable steps that may be done again, until no rollup knows of it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from threading import Lock

import structlog

from aforo.engines.engine import Engine
from aforo.engines.keeping import ErasureAsked
from aforo.events.samples import masked
from aforo.model.model import Model
from aforo.rollups.value import check
from aforo.rounds import Rounds
from aforo.store.act import Actor
from aforo.store.erasure import Erasure, ErasureState
from aforo.store.erasures import Erasures

log = structlog.get_logger(__name__)

EVENTS_AT_ONCE = 20_000
"""About so many events are deleted in one transaction."""
AGAIN_AFTER_SECONDS = 1.0


class Eraser:
    """Takes erasures and brings them to their end, also those that the end of a process has left.

    `key` makes the digests by which a value can be recognised and not read; `fold` wakes who folds,
    and `forget` has whoever keeps answers of a tenant lose them.
    """

    def __init__(
        self,
        engine: Engine,
        model: Model,
        erasures: Erasures,
        key: bytes,
        fold: Callable[[], None],
        forget: Callable[[str], object],
        *,
        events_at_once: int = EVENTS_AT_ONCE,
    ) -> None:
        self.erasures = erasures
        self._engine = engine
        self._model = model
        self._key = key
        self._fold = fold
        self._forget = forget
        self._events_at_once = events_at_once
        self._one_at_a_time = Lock()
        self._rounds = Rounds("erasure", self._go_on, again_seconds=AGAIN_AFTER_SECONDS)

    def start(self) -> None:
        """Goes on with what is not done, and takes what is asked for from now on."""
        self._rounds.start()

    def stop(self) -> None:
        """Ends after the step that is under way; the next start goes on."""
        self._rounds.stop()

    def request(self, tenant: str, entity: str, value: str, actor: Actor) -> Erasure:
        """An erasure that will be done, whatever happens. Raises InvalidRequest, UnknownName."""
        check(self._engine, self._model, tenant, entity, value)
        asked = self.erasures.request(tenant, entity, value, self.digest(tenant, entity, value), actor)
        self._rounds.wake()
        return asked

    def digest(self, tenant: str, entity: str, value: str) -> str:
        """The hash by which a value is told in records and audit."""
        parts = "\x00".join((tenant, entity, value)).encode()
        return blake2b(parts, key=self._key, digest_size=16).hexdigest()

    def run_once(self) -> int:
        """Takes every erasure as far as it goes now; how many are still not done."""
        with self._one_at_a_time:
            unfinished = self.erasures.unfinished()
            return sum(self._advance(each).state is not ErasureState.DONE for each in unfinished)

    def _advance(self, erasure: Erasure) -> Erasure:
        if erasure.state is ErasureState.REQUESTED:
            erasure = self._unname(erasure)
        if erasure.state is ErasureState.UNNAMED:
            erasure = self._remove(erasure)
        if erasure.state is ErasureState.REMOVED:
            erasure = self._await(erasure)
        return erasure

    def _unname(self, erasure: Erasure) -> Erasure:
        assert erasure.value is not None, "the value is kept until it has no number"
        shown = tuple({erasure.value, masked(erasure.value)} - {""})
        self._engine.unname(ErasureAsked(erasure.id, erasure.tenant, erasure.entity, erasure.value, shown))
        self._forget(erasure.tenant)
        return self.erasures.unnamed(erasure.id)

    def _remove(self, erasure: Erasure) -> Erasure:
        while not self._rounds.stopping:
            step = self._engine.erase(erasure.id, erasure.tenant, self._events_at_once)
            self._forget(erasure.tenant)
            if step.events:
                erasure = self.erasures.counted(erasure.id, step.events, step.slots)
            if not step.more:
                return self.erasures.removed(erasure.id, step.commit)
        return erasure

    def _await(self, erasure: Erasure) -> Erasure:
        """Only once nothing waits that was marked do the rollups know nothing of it."""
        assert erasure.commit is not None, "what is removed was marked as of a commit"
        if self._engine.waits(erasure.tenant, erasure.entity, erasure.commit):
            self._fold()
            return erasure
        self._forget(erasure.tenant)
        done = self.erasures.done(erasure.id)
        log.info("erased", erasure=done.id, entity=done.entity, events=done.events, slots=done.slots)
        return done

    def _go_on(self) -> float | None:
        return AGAIN_AFTER_SECONDS if self.run_once() else None
