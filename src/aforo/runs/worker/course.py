"""How far one attempt is: what heartbeats tell of it, and when it has to end."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from aforo.clock import Clock
from aforo.errors import Stopping, TimeLimit
from aforo.runs.messages import MetricRunRequestEvent


class Stage(Enum):
    """The parts of an attempt, with the progress at which each begins and ends."""

    GATHERING = 0.0, 0.4
    COMPUTING = 0.4, 0.9
    PUBLISHING = 0.9, 1.0

    @property
    def begins(self) -> float:
        return self.value[0]

    @property
    def ends(self) -> float:
        return self.value[1]


class Course:
    """One attempt under way, by one thread; others look at its progress.

    `stopping` tells whether the worker is to end at once.
    """

    def __init__(
        self, request: MetricRunRequestEvent, clock: Clock, most_seconds: float, stopping: Callable[[], bool]
    ) -> None:
        self.request = request
        self.progress = 0.0
        self._clock = clock
        self._most_seconds = most_seconds
        self._began = clock.monotonic()
        self._stopping = stopping

    def reached(self, stage: Stage, share: float = 0.0) -> None:
        """Notes that a share of a stage is done; raises what `go_on` does."""
        self.progress = stage.begins + (stage.ends - stage.begins) * share
        self.go_on()

    def go_on(self) -> None:
        """Raises TimeLimit, or Stopping, where the attempt may not go on."""
        if self._stopping():
            raise Stopping("the worker is stopping; the run is given back")
        if self.seconds_left <= 0:
            raise over_time()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return self._clock.monotonic() - self._began

    @property
    def seconds_left(self) -> float:
        return self._most_seconds - self.seconds


def over_time() -> TimeLimit:
    return TimeLimit(
        "the run took longer than it may", hint="let it read less, or raise worker.time_limit_seconds"
    )
