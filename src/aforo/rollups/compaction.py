"""Compaction while serving: events are put in order of time again, in short steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import structlog

from aforo.clock import Clock
from aforo.engines.engine import Engine
from aforo.engines.statistics import Storage
from aforo.rollups.folder import rest_after
from aforo.rounds import Rounds
from aforo.telemetry import Telemetry

log = structlog.get_logger(__name__)

CORE_SHARE = 0.3
MOST_REST_SECONDS = 2.0
MOST_TIMES = 8
"""As often as all events are moved at most by one compaction; what is left then waits for the next."""
MOST_DIRTY_SLOTS = 1_000
"""Where more slots wait for a fold, the folder has the machine first."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did: events moved in how many steps, and the file before and after.

    `finished` is false where it ended early, because events came too fast or the server stops.
    """

    before: Storage
    after: Storage
    moved: int
    steps: int
    finished: bool
    took_seconds: float


class Compaction:
    """Looks every `every_seconds` whether it is worth it, and then moves events step by step; 0 never looks.

    It is worth it where of a stream's blocks `loose_share` overlap others in time. Between two steps it
    rests, and it ends where many slots wait for a fold.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        telemetry: Telemetry,
        *,
        every_seconds: float,
        loose_share: float,
        core_share: float = CORE_SHARE,
        most_rest_seconds: float = MOST_REST_SECONDS,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._telemetry = telemetry
        self._every_seconds = every_seconds
        self._loose_share = loose_share
        self._core_share = core_share
        self._most_rest_seconds = most_rest_seconds
        self._one_at_a_time = Lock()
        self._rounds = Rounds("compaction", self._look, again_seconds=every_seconds)

    def start(self) -> None:
        """Begins to look in the background."""
        if self._every_seconds:
            self._rounds.start()

    def stop(self) -> None:
        """Ends after the step under way; what is not in order is found by the next look."""
        self._rounds.stop()

    def run_once(self, *, whole: bool = False, told: Callable[[int], None] = lambda _rows: None) -> Compacted:
        """Moves until nothing is worth it; `whole` does so for any two blocks that overlap.

        `told` hears how many events each step moved, and ends it with whatever it raises.
        """
        share = 0.0 if whole else self._loose_share
        with self._one_at_a_time:
            begun = self._clock.monotonic()
            before, moved, steps, finished = self._engine.storage(), 0, 0, False
            while moved <= MOST_TIMES * before.events and self._may_go_on():
                started = self._clock.monotonic()
                rows = self._engine.tidy(loose_share=share)
                if rows is None:
                    finished = True
                    break
                took = self._clock.monotonic() - started
                moved, steps = moved + rows, steps + 1
                self._telemetry.observe("compaction_step_seconds", took)
                self._telemetry.count("compaction_events_moved_total", rows)
                told(rows)
                self._rounds.rest(rest_after(took, self._core_share, self._most_rest_seconds))
            after = self._engine.storage() if steps else before
            self._tell(after)
            return Compacted(before, after, moved, steps, finished, self._clock.monotonic() - begun)

    def _may_go_on(self) -> bool:
        return not self._rounds.stopping and self._engine.dirty_slots() <= MOST_DIRTY_SLOTS

    def _tell(self, storage: Storage) -> None:
        self._telemetry.set("file_bytes", storage.file_bytes)
        self._telemetry.set("file_free_bytes", storage.free_bytes)
        self._telemetry.set("file_bytes_per_event", storage.bytes_per_event or 0)
        self._telemetry.set("events_out_of_order", storage.out_of_order)

    def _look(self) -> float:
        done = self.run_once()
        if done.steps:
            log.info("compacted", events=done.moved, steps=done.steps, finished=done.finished)
        return self._every_seconds
