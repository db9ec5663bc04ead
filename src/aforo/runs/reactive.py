"""The reactive side of one process: what takes updates and words of workers, and what moves by itself."""

from __future__ import annotations

import random
from collections.abc import Callable

from aforo.buses.bus import Bus, Queue
from aforo.buses.consumer import Consumer, Handle
from aforo.clock import Clock
from aforo.objects.opening import Opener
from aforo.runs.asking import Asking
from aforo.runs.dead import DeadMessages
from aforo.runs.defined import Grounds
from aforo.runs.definitions import Definitions
from aforo.runs.feedback import Feedback
from aforo.runs.folded import Fold, FoldReporter
from aforo.runs.hand import Turns
from aforo.runs.handlers import handlers
from aforo.runs.history import History
from aforo.runs.leftovers import Leftovers
from aforo.runs.overseer import Overseer
from aforo.runs.reactor import Reactor
from aforo.runs.relay import Relay
from aforo.runs.upkeep import Upkeep
from aforo.settings import Runs
from aforo.store.channel import Channel
from aforo.store.connect import Store
from aforo.telemetry import Telemetry

Consume = Callable[[Queue, Handle], Consumer]


class Reactive:
    """Its parts over one store and one bus; several processes may each have one."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        clock: Clock,
        telemetry: Telemetry,
        rules: Runs,
        *,
        grounds: Grounds,
        objects: Opener,
        fold_of: Callable[[str, str], Fold | None],
        consume: Consume,
        dice: random.Random,
    ) -> None:
        """`fold_of` tells how a stream of ours is folded for a tenant, `consume` makes a consumer."""
        self.store = store
        self.bus = bus
        turns = Turns(store, clock, rules, telemetry, self._asked)
        topics = {Channel.METRIC_RUN_REQUESTS: bus.topic(Channel.METRIC_RUN_REQUESTS)}
        self.relay = Relay(turns, topics, telemetry)
        self.reactor = Reactor(turns)
        self.feedback = Feedback(turns)
        self.asking = Asking(turns)
        self.definitions = Definitions(turns, grounds)
        self.history = History(store)
        self.dead = DeadMessages(turns, bus)
        self.overseer = Overseer(turns, dice)
        leftovers = Leftovers(store, objects, grounds.results_of, telemetry)
        self.upkeep = Upkeep(turns, leftovers, telemetry)
        self.reporter = FoldReporter(turns, fold_of)
        self.consumers = tuple(
            consume(bus.queue(channel), handle)
            for channel, handle in handlers(self.reactor, self.feedback).items()
        )

    def start(self) -> None:
        """Begins to consume, to send, and to look after what time does."""
        self.relay.start()
        self.overseer.start()
        self.upkeep.start()
        self.reporter.start()
        for each in self.consumers:
            each.start()

    def folded(self) -> None:
        """Something of our own rollups has become another."""
        self.reporter.wake()

    def defined(self) -> None:
        """A rollup may be a dataset now: what is folded of it already is its first version."""
        self.reporter.wake()

    def stop(self) -> None:
        """Ends after what is under way; what waits is found again by the next one."""
        for each in self.consumers:
            each.close()
        for each in self.consumers:
            each.stop()
        self.reporter.stop()
        self.upkeep.stop()
        self.overseer.stop()
        self.relay.stop()
        self.bus.close()

    def _asked(self) -> None:
        """Turns are taken by parts that are built after the relay."""
        self.relay.wake()
