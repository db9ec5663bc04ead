"""Everything the reactive side does to its store, each from a state in which it has all of its work to do."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from tests.runs.desk import ME, NOW, TENANT, Desk, Ticking, dataset, growth, ratio, wipe

from aforo.buses.bus import Delivery, Message
from aforo.buses.local import LocalBus
from aforo.errors import Conflict
from aforo.runs.relay import Relay
from aforo.store.channel import Channel
from aforo.store.connect import Store
from aforo.telemetry import Telemetry

DAY, HOUR = 86_400 * 1_000_000, 3_600 * 1_000_000
VISIBILITY_SECONDS = 30.0
AGAIN_AFTER_SECONDS = 90.0
"""When whoever failed tries again: what a dead process had in hand is free by then, and no lease is over."""
CHANNEL = Channel.METRIC_RUN_COMPLETED


class Process:
    """The reactive side and a bus of one process over a store."""

    def __init__(self, store: Store, now: int = NOW) -> None:
        self.store = store
        self.clock = Ticking(now)
        self.desk = Desk(store, self.clock)
        self.bus = LocalBus(
            store, self.clock, visibility_seconds=VISIBILITY_SECONDS, look_seconds=VISIBILITY_SECONDS
        )
        topics = {Channel.METRIC_RUN_REQUESTS: self.bus.topic(Channel.METRIC_RUN_REQUESTS)}
        self.relay = Relay(self.desk.turns, topics, Telemetry())

    def first_run(self) -> str:
        """The run of G that was made first: the one that goes on, or was asked for."""
        return self.desk.all("G")[0].id

    def received(self) -> list[Delivery]:
        """What the queue of the bus's own deeds gives."""
        return self.bus.queue(CHANNEL).receive(10, 0.0)


Act: TypeAlias = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Deed:
    """`prepare` makes the state before; `ready` binds what there is to do, so that only the deed is struck.

    What is done `again` after a failure is the same, if not said otherwise.
    """

    prepare: Callable[[Process], object]
    ready: Callable[[Process], Act]
    again: Callable[[Process], Act] | None = None


def begin(process: Process) -> None:
    """An empty store in which two metrics are, the second over the first, and one over two datasets."""
    wipe(process.store)
    process.desk.define(
        dataset("a", "SA"),
        dataset("b", "SB"),
        metrics=[growth("G", "SA"), growth("H", "G"), ratio("R", "SA", "SB", 3)],
    )


def _update(name: str, ago: int, key: str) -> Callable[[Process], Act]:
    return lambda process: lambda: process.desk.update(name, NOW - ago, key)


def _said(what: str, **more: str) -> Callable[[Process], Act]:
    def ready(process: Process) -> Act:
        run_id = process.first_run()
        if what == "completed":
            # Where its result would lie is looked up once, before.
            return lambda: process.desk.completed(run_id, **more)
        return lambda: getattr(process.desk, what)(run_id)

    return ready


def _first(*names: str) -> Callable[[Process], object]:
    """Versions of some datasets have come."""
    return lambda process: [process.desk.update(name, NOW - HOUR, f"first {name}") for name in names]


def _noted(process: Process) -> None:
    """A run is asked for, and another version came since."""
    process.desk.update("a", NOW - 2 * HOUR, "first")
    process.desk.update("a", NOW - HOUR, "second")


def _behind(process: Process) -> None:
    """A run goes on, and another waits behind it."""
    process.desk.update("a", NOW - 2 * HOUR, "first")
    process.desk.started(process.first_run())
    process.desk.update("a", NOW - HOUR, "second")


def _ended(process: Process) -> None:
    process.desk.update("a", NOW - HOUR, "first")
    process.desk.completed(process.first_run(), status="FAILED")


def _computed(process: Process) -> None:
    """R was computed of what there is."""
    for name in ("a", "b"):
        process.desk.update(name, NOW - HOUR, f"first {name}")
    process.desk.completed(process.desk.all("R")[0].id)


def _told_of_long_ago(process: Process) -> None:
    """A run was made and computed, and all of it is known for longer than any queue would tell it again."""
    process.desk.update("a", NOW - HOUR, "first")
    process.relay.run_once()
    process.desk.completed(process.first_run())
    process.clock.advance(16 * 86_400)


def _silent(process: Process) -> None:
    _behind(process)
    process.clock.advance(61)


def _overdue(process: Process) -> None:
    process.desk.update("a", NOW - HOUR, "first")
    process.desk.completed(process.first_run(), status="FAILED")
    process.clock.advance(4 * 86_400)


def _silent_for_good(process: Process) -> None:
    _behind(process)
    for _ in range(process.desk.turns.rules.most_attempts - 1):
        process.clock.advance(301)
        process.desk.overseer.run_once()
    process.clock.advance(301)


def _oversee(process: Process) -> Act:
    process.desk.overseer._dice = random.Random(1)
    return process.desk.overseer.run_once


def _cancel(process: Process) -> Act:
    run_id = process.first_run()
    return lambda: process.desk.asking.cancel(run_id, ME)


def _by_hand(process: Process) -> Act:
    return lambda: process.desk.asking.by_hand(TENANT, "R", ME)


def _again(process: Process) -> Act:
    run_id = process.first_run()
    return lambda: process.desk.asking.again(run_id, ME)


def _again_once_more(process: Process) -> Act:
    """Who asks once more than enough is told that it waits already."""
    act = _again(process)

    def asked() -> None:
        try:
            act()
        except Conflict as refused:
            if "waits already" not in refused.detail:
                raise

    return asked


def _put(process: Process) -> Act:
    return lambda: process.bus.topic(CHANNEL).publish(Message(b"{}", "g", "once"))


def _lying(process: Process) -> None:
    for number in range(3):
        process.bus.topic(CHANNEL).publish(Message(b"{}", f"g{number}", f"m{number}"))


def _take(process: Process) -> Act:
    return process.received


def _dealt_with(process: Process) -> Act:
    found = process.received()
    return lambda: process.bus.queue(CHANNEL).delete(found)


def _buried(process: Process) -> Act:
    found = process.received()[0]
    return lambda: process.bus.queue(CHANNEL).bury(found, "no use")


def _buried_if_there(process: Process) -> Act:
    """Who finds nothing to bury has buried it before."""
    first = [each for each in process.received() if each.group == "g0"]
    return lambda: [process.bus.queue(CHANNEL).bury(each, "no use") for each in first]


def _with_one_buried(process: Process) -> None:
    _lying(process)
    _buried(process)()


def _redrive(process: Process) -> Act:
    return lambda: process.bus.queue(CHANNEL).redrive(10)


DEEDS: Mapping[str, Deed] = MappingProxyType(
    {
        "take and ask": Deed(_first(), _update("a", HOUR, "k")),
        "take and join": Deed(_first("a"), _update("b", HOUR, "k")),
        "take and note": Deed(_first("a", "b"), _update("a", 0, "k")),
        "take what is older": Deed(_first("a"), _update("a", DAY, "k")),
        "take what is known": Deed(_first("a"), _update("a", HOUR, "first a")),
        "started": Deed(_noted, _said("started")),
        "heartbeat": Deed(_noted, _said("heartbeat")),
        "completed": Deed(_noted, _said("completed")),
        "completed with one behind": Deed(_behind, _said("completed")),
        "failed": Deed(_noted, _said("completed", status="FAILED")),
        "cancel": Deed(_behind, _cancel),
        "by hand": Deed(_computed, _by_hand),
        "again": Deed(_ended, _again, _again_once_more),
        "lose and ask again": Deed(_silent, _oversee),
        "lose for good": Deed(_silent_for_good, _oversee),
        "expire": Deed(_overdue, _oversee),
        "forget": Deed(_told_of_long_ago, lambda process: process.desk.upkeep.run_once),
        "relay": Deed(_first("a", "b"), lambda process: process.relay.run_once),
        "put": Deed(_first(), _put),
        "take from the bus": Deed(_lying, _take),
        "delete": Deed(_lying, _dealt_with),
        "bury": Deed(_lying, _buried, _buried_if_there),
        "redrive": Deed(_with_one_buried, _redrive),
    }
)
