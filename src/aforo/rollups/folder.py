"""The folder: takes dirty slots from the ledger, newest first, and makes their rollups true again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import structlog

from aforo.clock import Clock
from aforo.engines.appends import Commit
from aforo.engines.engine import Engine
from aforo.engines.folds import Claim, Folded
from aforo.errors import ClaimLost
from aforo.rollups.lag import FoldLag
from aforo.rounds import Rounds
from aforo.telemetry import Telemetry

log = structlog.get_logger(__name__)

WRITE_ROWS = 100_000
CORE_SHARE = 0.6
MOST_REST_SECONDS = 2.0
LEAST_REST_SECONDS = 0.2
BUSY_ROWS = 50_000
"""Where so many events come during one fold, the rest after it is the longest."""
STILL_SECONDS = 0.2
"""Where no event comes for so long, none do any more."""


@dataclass(frozen=True, slots=True)
class _Fold:
    """What is to be written, and when it was begun, by the clock's monotonic time."""

    begun: float
    folded: Folded


class Folder:
    """Folds in the background whenever it is woken, and at least every `wake_after_seconds`.

    In the background it works for `core_share` of the time while events come. It rests for
    `least_rest_seconds`, since a fold of few events takes as long as one of many, and for `most_rest_seconds`
    at most while something waits: the longer the more events come, so that there are fewer and larger folds.
    What waits when none come any more is folded without a rest, and who asks it to fold until all is clean is
    not made to wait.

    One fold takes about `batch_rows` events. Its reading runs beside commits; its writing is in transactions
    of about `write_rows` rows, or in one where it was never started: then nothing else waits to be written.
    After folds the `lag` looks how long what they folded had waited.
    `folded` is told after each.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        telemetry: Telemetry,
        *,
        batch_rows: int,
        write_rows: int = WRITE_ROWS,
        wake_after_seconds: float,
        core_share: float = CORE_SHARE,
        most_rest_seconds: float = MOST_REST_SECONDS,
        least_rest_seconds: float = LEAST_REST_SECONDS,
        lag: FoldLag | None = None,
        folded: Callable[[], object] = lambda: None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._telemetry = telemetry
        self._batch_rows = batch_rows
        self._write_rows = write_rows
        self._wake_after_seconds = wake_after_seconds
        self._core_share = core_share
        self._most_rest_seconds = most_rest_seconds
        self._least_rest_seconds = least_rest_seconds
        self._lag = lag
        self._folded = folded
        self._one_at_a_time = Lock()
        self._came = 0  # events, since the start
        self._rounds = Rounds(
            "fold", self._round, again_seconds=wake_after_seconds, first_after_seconds=wake_after_seconds
        )

    def start(self) -> None:
        """Begins to fold in the background."""
        self._rounds.start()

    def wake(self) -> None:
        """Says that there may be dirty slots."""
        self._rounds.wake()

    def came(self, commit: Commit) -> None:
        """Says that there are dirty slots, since a commit was made."""
        self._came += sum(int(fresh.sum()) for fresh in commit.fresh)
        self._rounds.wake()

    def stop(self) -> None:
        """Ends after the fold that is under way; what is dirty stays so in the ledger."""
        self._rounds.stop()

    def run_once(self) -> Folded | None:
        """Derives a portion of what waits and folds dirty slots; None where nothing is left of either."""
        with self._one_at_a_time:
            while (fold := self._next()) is not None:
                if self._written(fold):
                    self._tell(fold)
                    return fold.folded
            self._look(clean=True)
        return None

    def _next(self) -> _Fold | None:
        """What is to be written next; None where nothing is left to fold."""
        begun = self._clock.monotonic()
        claim = self._claim()
        if claim is None:
            return None
        with self._releasing(claim):
            return _Fold(begun, self._engine.fold(claim))

    def _tell(self, fold: _Fold) -> None:
        """Something was folded and written."""
        self._telemetry.observe("fold_seconds", self._clock.monotonic() - fold.begun)
        self._telemetry.count("fold_slots_total", len(fold.folded.claim.slots))
        self._look(clean=False)
        self._folded()

    def _look(self, *, clean: bool) -> None:
        if self._lag is not None:
            self._lag.look(clean=clean)

    def _claim(self) -> Claim | None:
        """What is folded next, once as much is derived as gives something to fold."""
        derived = self._engine.derive(self._batch_rows)
        claim = self._engine.claim(self._batch_rows)
        while claim is None and derived is not None:
            derived = self._engine.derive(self._batch_rows)
            claim = self._engine.claim(self._batch_rows)
        return claim

    def _written(self, fold: _Fold) -> bool:
        """Writes a fold; not where its claim was lost: its slots are still marked, and another's."""
        rows_at_once = self._write_rows if self._rounds.started else None
        try:
            with self._releasing(fold.folded.claim):
                self._engine.replace(fold.folded, rows_at_once=rows_at_once)
        except ClaimLost as error:
            self._telemetry.count("claims_lost_total")
            log.warning("fold came too late", detail=error.detail, hint=error.hint)
            return False
        return True

    @contextmanager
    def _releasing(self, claim: Claim | None) -> Iterator[None]:
        """Lets others have the slots where something fails."""
        try:
            yield
        except BaseException:
            if claim is not None:
                self._engine.release(claim)
            raise

    def run_until_clean(self, told: Callable[[Folded], None] | None = None) -> int:
        """Folds until nothing is dirty; how many slots that were. `told` hears of each fold.

        What is being built aside is built by the thread, or by `build_until_whole`.
        """
        with self._one_at_a_time:
            slots = self._one_after_another(lambda: True, told)
            self._look(clean=True)
        self._telemetry.set("ledger_slots", 0)
        return slots

    def _one_after_another(
        self, going_on: Callable[[], bool], told: Callable[[Folded], None] | None = None
    ) -> int:
        """Folds what is dirty while it is `going_on`; how many slots that were.

        The next fold is read while one is written.
        """
        slots = 0
        with ThreadPoolExecutor(1, "aforo-fold-write") as writer:
            fold = self._next() if going_on() else None
            while fold is not None:
                writing = writer.submit(self._written, fold)
                following = self._next() if going_on() else None
                with self._releasing(None if following is None else following.folded.claim):
                    if writing.result():
                        self._tell(fold)
                        slots += len(fold.folded.claim.slots)
                        if told is not None:
                            told(fold.folded)
                # What waited for the writing to end is found once it has.
                fold = following or (self._next() if going_on() else None)
        return slots

    def build_once(self) -> bool:
        """Builds some of a rollup that does not serve yet; whether there was any to build."""
        built = self._engine.build(min(self._batch_rows, self._write_rows))
        if built is not None and built.serves:
            log.info("rollup built", stream=built.stream, rollup=built.rollup)
        return built is not None

    def build_until_whole(self) -> None:
        """Builds until every rollup serves."""
        while not self._rounds.stopping and self.build_once():
            pass

    def _paced(self) -> Folded | None:
        """One fold, and a rest after it, so that commits and questions have the machine too.

        Where no event came meanwhile no commit needs it, and what waits is folded before the rest.
        """
        begun, before = self._clock.monotonic(), self._came
        folded = self.run_once()
        if folded is not None:
            rest = rest_after(
                self._clock.monotonic() - begun,
                self._core_share,
                self._most_rest_seconds,
                self._least_rest_seconds,
                came=self._came - before,
            )
            with self._one_at_a_time:
                self._one_after_another(lambda: self._came == before and not self._rounds.stopping)
            self._rest(rest)
        return folded

    def _rest(self, seconds: float) -> None:
        """Rests, but not for long once no events come any more."""
        came = -1
        while seconds > 0 and self._came != came:
            came = self._came
            self._rounds.rest(min(seconds, STILL_SECONDS))
            seconds -= STILL_SECONDS

    def _round(self) -> float:
        while not self._rounds.stopping and self._paced() is not None:
            pass
        self._telemetry.set("ledger_slots", self._engine.dirty_slots())
        # What serves comes first, but for one step: a ledger that is never clean stops no building.
        built = not self._rounds.stopping and self.build_once()
        return 0.0 if built else self._wake_after_seconds


def rest_after(
    took_seconds: float,
    core_share: float,
    most_seconds: float,
    least_seconds: float = 0.0,
    *,
    came: int = 0,
) -> float:
    """Seconds of rest after which the work was `core_share` of the time, within the least and the most.

    They are more where many events `came` during the work.
    """
    share = took_seconds * (1 / core_share - 1)
    return min(max(share, least_seconds, most_seconds * came / BUSY_ROWS), most_seconds)
