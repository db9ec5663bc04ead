"""Has finished weeks and months put together from their days, so that long windows are read in few rows."""

from __future__ import annotations

from aforo.clock import Clock
from aforo.engines.engine import Engine
from aforo.rounds import Rounds
from aforo.telemetry import Telemetry


class PeriodKeeper:
    """Every `every_seconds` puts together what is finished and was folded since; no answer waits for it."""

    def __init__(self, engine: Engine, clock: Clock, telemetry: Telemetry, *, every_seconds: float) -> None:
        self._engine = engine
        self._clock = clock
        self._telemetry = telemetry
        self._every_seconds = every_seconds
        self._rounds = Rounds("keeping periods", self._keep, again_seconds=every_seconds)

    def start(self) -> None:
        """Begins to keep periods in the background."""
        self._rounds.start()

    def stop(self) -> None:
        """Ends after those that are being put together; the others are read from their days."""
        self._rounds.stop()

    def run_once(self) -> int:
        """Puts together the newest that are to be; how many, 0 where none is left."""
        started = self._clock.monotonic()
        built = self._engine.build_periods(self._clock.now())
        if built:
            self._telemetry.count("periods_built_total", built)
            self._telemetry.observe("period_seconds", self._clock.monotonic() - started)
        return built

    def run_until_kept(self) -> int:
        """Puts together all that is finished and folded; how many that were."""
        periods = 0
        while not self._rounds.stopping and (built := self.run_once()):
            periods += built
        return periods

    def _keep(self) -> float:
        self.run_until_kept()
        return self._every_seconds
