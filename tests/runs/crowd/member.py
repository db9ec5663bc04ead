"""One of several processes that take the same updates and end the same runs: `python -m ...member`.

What was acknowledged is written to a file, one key a line, so that it is known whatever becomes of the store.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from tests.runs.desk import NOW, Desk, event
from tests.store_kinds import NOWHERE

from aforo.buses.local import LocalBus
from aforo.clock import Clock, SystemClock
from aforo.errors import BusUnavailable, StoreUnavailable
from aforo.runs.relay import Relay
from aforo.store import outbox, runs
from aforo.store.channel import Channel
from aforo.store.connect import Store
from aforo.store.run import LEASED, Run, RunState
from aforo.telemetry import Telemetry

MEMBERS = 4
DATASETS = ("a", "b", "c")
SECOND = 1_000_000
PATIENCE_SECONDS = 120.0
"""For how long one thing is tried: a server that starts again takes a second or two."""
REST_SECONDS = 0.02


@dataclass
class Member:
    """The reactive side of one process, and a worker's words beside it."""

    desk: Desk
    relay: Relay
    dice: random.Random
    acknowledged: Path

    def live(self, number: int, updates: int) -> None:
        """Takes half of all updates, so that each is taken by two; now and then it does something else."""
        with self.acknowledged.open("a", encoding="utf-8") as told:
            for each in range(updates):
                if (each - number) % MEMBERS < MEMBERS // 2:
                    self.insist(lambda each=each: self.take(each))  # type: ignore[misc]
                    told.write(f"{key(each)}\n")
                    told.flush()
                roll = self.dice.random()
                if roll < 0.3:
                    self.insist(self.answer)
                elif roll < 0.33:
                    self.insist(self.desk.overseer.run_once)
                elif roll < 0.40:
                    self.insist(self.relay.run_once)

    def take(self, each: int) -> None:
        name = DATASETS[each % len(DATASETS)]
        self.desk.reactor.take(event(name, NOW + each * SECOND, key(each)))

    def answer(self) -> None:
        """Says something of a run that is open, as any of its workers might."""
        found = self.open_runs()
        if not found:
            return
        run = self.dice.choice(found)
        if self.dice.random() < 0.4:
            self.desk.started(run.id, run.attempt)
        else:
            self.desk.completed(run.id, run.attempt)

    def open_runs(self) -> list[Run]:
        with self.desk.store.reading() as connection:
            return runs.page(connection, None, 20, states=LEASED)

    def at_rest(self) -> bool:
        """Nothing is open but what waits for versions, and nothing is to be sent."""
        with self.desk.store.reading() as connection:
            states = LEASED | {RunState.LOST}
            open_ = runs.page(connection, None, 1, states=states)
            return not open_ and outbox.next_due(connection) is None

    def insist(self, do: Callable[[], object]) -> None:
        """Does it again for as long as the store is away, or others are in the way."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                do()
            except (StoreUnavailable, BusUnavailable):
                if time.monotonic() > until:
                    raise
                time.sleep(REST_SECONDS)
            else:
                return


def key(each: int) -> str:
    return f"update-{each}"


def member(url: str, acknowledged: Path, dice: random.Random, clock: Clock | None = None) -> Member:
    """One over the store at a URL, in the machine's time if not told otherwise."""
    clock = clock or SystemClock()
    desk = Desk(Store(NOWHERE, url), clock)
    bus = LocalBus(desk.store, clock, visibility_seconds=30.0, look_seconds=1.0)
    topics = {Channel.METRIC_RUN_REQUESTS: bus.topic(Channel.METRIC_RUN_REQUESTS)}
    return Member(desk, Relay(desk.turns, topics, Telemetry()), dice, acknowledged)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    _, address, file, place, count = sys.argv
    member(address, Path(file), random.Random(int(place))).live(int(place), int(count))
