"""One process of the reactive side, which ends wherever the dice have it and is begun anew."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.runs.desk import GROUNDS, RULES
from tests.runs.simulation.bus import VISIBILITY_SECONDS, Wire, WireBus
from tests.runs.watched import Struck, WatchedStore

from aforo.buses.bus import Queue
from aforo.buses.consumer import Consumer, Handle
from aforo.clock import Clock
from aforo.errors import BusUnavailable
from aforo.objects.opening import Opener
from aforo.runs.reactive import Reactive
from aforo.telemetry import Telemetry


class Replica:
    """A Reactive over a store and a bus of its own; `between` is called where it holds nothing."""

    def __init__(
        self,
        name: str,
        store: WatchedStore,
        wire: Wire,
        clock: Clock,
        dice: random.Random,
        between: Callable[[], None],
    ) -> None:
        self.name = name
        self.crash = 0.0  # how likely it ends at a point
        self.crashes = 0
        self.reached = ""
        self._store = store
        self._wire = wire
        self._clock = clock
        self._dice = dice
        self._between = between
        self._dead = False
        store.at = self._at
        self._begin()

    def do(self, deed: Callable[[Reactive], object]) -> str:
        """What came of a deed: `ended` at a point, and begun anew, or what it returned."""
        try:
            return str(deed(self.parts))
        except Struck as end:
            self.crashes += 1
            self._begin()
            return f"ended at {end}"
        except BusUnavailable:
            return "the bus was away"

    def _begin(self) -> None:
        self._dead = False
        self.parts = Reactive(
            self._store,
            WireBus(self._wire, self._at),
            self._clock,
            Telemetry(),
            RULES,
            grounds=GROUNDS,
            objects=Opener(),
            fold_of=lambda _stream, _tenant: None,
            consume=self._consumer,
            dice=self._dice,
        )

    def _consumer(self, queue: Queue, handle: Handle) -> Consumer:
        return Consumer(
            queue,
            handle,
            self._clock,
            Telemetry(),
            wait_seconds=0.0,
            visibility_seconds=VISIBILITY_SECONDS,
            most_receives=5,
        )

    def _at(self, point: str) -> None:
        """The dead do nothing more, whatever is still on the stack."""
        if self._dead or (self.crash > 0 and self._dice.random() < self.crash):
            self._dead = True
            raise Struck(point)
        if point in FREE:
            self._between()


FREE = frozenset(
    {"begin", "committed", "read begin", "read committed", "published", "received", "delete", "publish"}
)
"""Points at which no transaction is open: others may have their turn."""
