"""Retention: what is older than its stream keeps it is purged in the background, in small transactions."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import structlog

from aforo.clock import MICROSECONDS, Clock
from aforo.engines.engine import Engine
from aforo.engines.keeping import PurgeAsked, Purged
from aforo.model.model import Model
from aforo.model.stream import Stream
from aforo.rounds import Rounds
from aforo.telemetry import Telemetry
from aforo.windows import DAY

log = structlog.get_logger(__name__)

VALUES_AT_ONCE = 50_000
"""Values of entities that are looked at in one pass over the events; a write changes no more of them."""


class Retention:
    """Looks every `check_after_seconds` for what is past its stream's retention, and purges it.

    Then it forgets the values whose events went, by erasures too. About `batch_rows` events go in one
    transaction. An event without a time is recognised for `untimed_id_seconds`, so that none goes sooner. A
    stream that declares no retention is kept for good. `purged` is told of whom something was purged.
    """

    def __init__(
        self,
        engine: Engine,
        model: Model,
        clock: Clock,
        telemetry: Telemetry,
        *,
        batch_rows: int,
        check_after_seconds: float,
        untimed_id_seconds: int,
        purged: Callable[[str], object],
    ) -> None:
        self._engine = engine
        self._streams = tuple(each for each in model.streams.values() if each.retention.events_days)
        self._clock = clock
        self._telemetry = telemetry
        self._batch_rows = batch_rows
        self._check_after_seconds = check_after_seconds
        self._untimed_id_seconds = untimed_id_seconds
        self._purged = purged
        self._one_at_a_time = Lock()
        self._rounds = Rounds("purge", self._look, again_seconds=check_after_seconds)

    def start(self) -> None:
        """Begins to look in the background."""
        self._rounds.start()

    def stop(self) -> None:
        """Ends after the purge that is under way; the next start goes on."""
        self._rounds.stop()

    def run_once(self) -> tuple[Purged, ...]:
        """Purges everything that is past its retention now and waits for no fold."""
        with self._one_at_a_time:
            done = tuple(purged for stream in self._streams for purged in self._purge(stream))
            self._forget()
            return done

    def _forget(self) -> None:
        while not self._rounds.stopping and (forgotten := self._engine.forget(VALUES_AT_ONCE)):
            if forgotten.hashed or forgotten.removed:
                log.info("forgot", hashed=forgotten.hashed, removed=forgotten.removed)

    def _purge(self, stream: Stream) -> list[Purged]:
        events, slots = self._limits(stream)
        done: list[Purged] = []
        for tenant in self._engine.purgeable(stream.name, events):
            asked = PurgeAsked(stream.name, tenant, events, slots, self._batch_rows)
            more = True
            while more and not self._rounds.stopping:
                purged = self._engine.purge(asked)
                more = purged.more
                if purged.events or purged.slot_rows:
                    self._purged(tenant)
                    self._tell(stream, purged)
                    done.append(purged)
        return done

    def _limits(self, stream: Stream) -> tuple[int, int]:
        """Before which instants events and slots may go; 0: none."""
        now, kept = self._clock.now(), stream.retention
        assert kept.events_days is not None
        recognised = now - self._untimed_id_seconds * MICROSECONDS
        events = min(now - kept.events_days * DAY, recognised)
        return max(0, events), max(0, now - kept.slots_days * DAY) if kept.slots_days else 0

    def _tell(self, stream: Stream, purged: Purged) -> None:
        self._telemetry.count("events_purged_total", purged.events, stream=stream.name)
        log.info("purged", stream=stream.name, events=purged.events, slot_rows=purged.slot_rows)

    def _look(self) -> float:
        self.run_once()
        return self._check_after_seconds
