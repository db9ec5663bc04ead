"""The backfiller: marks a backfill's slots batch by batch; the folder answers each before the next."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from aforo.clock import Clock
from aforo.engines.engine import Engine
from aforo.errors import InvalidRequest
from aforo.model.model import Model
from aforo.rollups.backfill import Plan, Wanted, plan
from aforo.rounds import Rounds
from aforo.settings import Backfill as Limits
from aforo.store.act import Actor
from aforo.store.backfill import Backfill, BackfillState, Batch, Part
from aforo.store.backfills import Backfills
from aforo.windows import Window

log = structlog.get_logger(__name__)

LOOK_AGAIN_SECONDS = 0.1
TRY_AGAIN_SECONDS = 10.0


class Backfiller:
    """Works on the oldest backfill that runs; where it stands is in the store, so any end is only a pause.

    A batch is marked before it is written down: one that was marked and forgotten is marked again, and
    folding it twice changes nothing (law 3).
    """

    def __init__(
        self,
        engine: Engine,
        model: Model,
        backfills: Backfills,
        clock: Clock,
        limits: Limits,
        wake_folder: Callable[[], None],
    ) -> None:
        self.backfills = backfills
        self._engine = engine
        self._model = model
        self._clock = clock
        self._limits = limits
        self._wake_folder = wake_folder
        self._begun: tuple[str, float] | None = None
        self._rounds = Rounds("backfill", self.run_once, again_seconds=TRY_AGAIN_SECONDS)

    def plan(self, wanted: Wanted) -> Plan:
        """What a backfill would do; nothing is changed. Raises InvalidRequest, UnknownName."""
        return plan(
            self._engine,
            self._model,
            wanted,
            now=self._clock.now(),
            default_days=self._limits.default_days,
            pace=self.backfills.pace(),
            busy_share=self._limits.busy_share,
        )

    def begin(self, wanted: Wanted, actor: Actor) -> Backfill:
        """Begins one. Raises InvalidRequest, UnknownName, Conflict."""
        planned = self.plan(wanted)
        spans = tuple(span for span in planned.spans if span.slots)
        if not spans:
            purged = "; raw events were purged there, and rollups stay as they are" if planned.spans else ""
            raise InvalidRequest(
                f"nothing of {wanted.stream} is kept in that window{purged}",
                hint="aforo doctor tells from when to when each stream has events",
            )
        begun = self.backfills.begin(planned.stream, spans, actor)
        self._rounds.wake()
        return begun

    def move(self, backfill_id: str, to: BackfillState, actor: Actor) -> Backfill | None:
        """Pauses, resumes or cancels one; None where there is none. Raises Conflict."""
        moved = self.backfills.move(backfill_id, to, actor)
        self._rounds.wake()
        return moved

    def start(self) -> None:
        """Begins to work in the background, where what runs was left."""
        self._rounds.start()

    def stop(self) -> None:
        """Ends after the step under way; what runs goes on at the next start."""
        self._rounds.stop()

    def run_once(self) -> float | None:
        """One step of the oldest that runs; seconds to rest before the next, None where none runs."""
        running = self.backfills.running()
        return self.advance(running[0]) if running else None

    def advance(self, backfill: Backfill) -> float:
        """One step of a backfill that runs; seconds to rest before the next."""
        part = backfill.part
        if part is None:
            self.backfills.end(backfill.id, BackfillState.DONE)
            log.info("backfill done", id=backfill.id, stream=backfill.stream)
            return 0.0
        if backfill.stream not in self._model.streams:
            reason = f"there is no stream named {backfill.stream} any more"
            self.backfills.end(backfill.id, BackfillState.FAILED, reason)
            log.error("backfill failed", id=backfill.id, reason=reason)
            return 0.0
        return self._mark(backfill, part) if part.batch is None else self._look(backfill, part, part.batch)

    def run_to_end(
        self, backfill_id: str, fold: Callable[[], object], told: Callable[[Backfill], None]
    ) -> Backfill | None:
        """Works on one backfill until it is over or somebody pauses it; `fold` answers each batch."""
        while (found := self.backfills.get(backfill_id)) is not None:
            told(found)
            if found.state is not BackfillState.RUNNING:
                break
            self.advance(found)
            fold()
        return found

    def _mark(self, backfill: Backfill, part: Part) -> float:
        window = Window(part.start, part.done_from)
        begun = self._clock.monotonic()
        marked = self._engine.mark(backfill.stream, part.tenant, window, self._limits.batch_rows)
        if marked is None:
            self.backfills.end_part(backfill.id, part.tenant)
            return 0.0
        batch = Batch(start=marked.start, slots=marked.slots, events=marked.events, commit=marked.commit)
        self.backfills.begin_batch(backfill.id, part.tenant, batch)
        self._begun = (backfill.id, begun)
        self._wake_folder()
        return LOOK_AGAIN_SECONDS

    def _look(self, backfill: Backfill, part: Part, batch: Batch) -> float:
        """Is the batch answered? Then a rest in proportion to what it took, so others have their share."""
        window = Window(batch.start, part.done_from)
        if not self._engine.answered(backfill.stream, part.tenant, window, batch.commit):
            return LOOK_AGAIN_SECONDS
        took = (
            self._clock.monotonic() - self._begun[1] if self._begun and self._begun[0] == backfill.id else 0.0
        )
        self.backfills.end_batch(backfill.id, part.tenant, took)
        share = self._limits.busy_share
        return took * (1 - share) / share
