"""A bus in memory that takes its liberties: it loses, doubles and delays messages, and fails, all by dice."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from aforo.buses.bus import Buried, Delivery, Depth, Message
from aforo.clock import MICROSECONDS, Clock
from aforo.errors import BusUnavailable
from aforo.store.channel import Channel

VISIBILITY_SECONDS = 30.0
LATE_SECONDS = (0.0, 0.0, 0.0, 5.0, 70.0, 400.0)
"""How long a message may be under way; a run is lost meanwhile."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How often what goes wrong, of all that might."""

    lost: float = 0.05
    doubled: float = 0.15
    unsaid: float = 0.04  # it was done, and the caller is told that it was not
    refused: float = 0.04
    late: bool = True


CALM = Faults(0.0, 0.0, 0.0, 0.0, late=False)


@dataclass
class Lying:
    """A message that waits, or is in somebody's hand."""

    id: int
    message: Message
    sent_at: int
    visible_at: int
    receives: int = 0
    receipt: str = ""


@dataclass
class Wire:
    """All that lies on the bus, whoever uses it."""

    clock: Clock
    dice: random.Random
    faults: Faults = field(default_factory=Faults)
    made: int = 0
    lying: dict[Channel, list[Lying]] = field(default_factory=lambda: {channel: [] for channel in Channel})
    buried: list[Buried] = field(default_factory=list)

    def put(self, channel: Channel, message: Message) -> None:
        """None, one or two of a message, each arriving when it likes."""
        copies = 0 if self._falls(self.faults.lost) else 1 + self._falls(self.faults.doubled)
        for _ in range(copies):
            now = self.clock.now()
            late = self.dice.choice(LATE_SECONDS) if self.faults.late else 0.0
            self.made += 1
            self.lying[channel].append(Lying(self.made, message, now, now + round(late * MICROSECONDS)))

    def give(self, channel: Channel, most: int) -> list[Delivery]:
        """Some of those that may be given out, in no order."""
        now = self.clock.now()
        free = [each for each in self.lying[channel] if each.visible_at <= now]
        self.dice.shuffle(free)
        return [self._given(each, now) for each in free[:most]]

    def hurry(self) -> None:
        """Whatever is under way or in the hands of the dead is there now."""
        for waiting in self.lying.values():
            for each in waiting:
                each.visible_at = min(each.visible_at, self.clock.now())

    def fails(self, do: Callable[[], None]) -> None:
        """Does it, or not; raises BusUnavailable in both cases if the dice want that."""
        if self._falls(self.faults.refused):
            raise BusUnavailable("the bus does not answer", hint="ask again")
        do()
        if self._falls(self.faults.unsaid):
            raise BusUnavailable("the bus has not said whether it did it", hint="ask again")

    def _given(self, lying: Lying, now: int) -> Delivery:
        lying.receives += 1
        lying.receipt = f"{lying.id}.{lying.receives}"
        lying.visible_at = now + round(VISIBILITY_SECONDS * MICROSECONDS)
        return Delivery(
            id=str(lying.id),
            body=lying.message.body,
            receives=lying.receives,
            receipt=lying.receipt,
            group="",
            sent_at=lying.sent_at,
        )

    def _falls(self, chance: float) -> bool:
        return chance > 0 and self.dice.random() < chance


class WireQueue:
    """A channel, as one process has it; `at` hears of every call."""

    def __init__(self, channel: Channel, wire: Wire, at: Callable[[str], None]) -> None:
        self._channel = channel
        self._wire = wire
        self._at = at

    @property
    def name(self) -> str:
        return str(self._channel)

    def publish(self, message: Message) -> None:
        self._at("publish")
        self._wire.fails(lambda: self._wire.put(self._channel, message))
        self._at("published")

    def receive(self, most: int, wait_seconds: float) -> list[Delivery]:
        self._at("receive")
        found = self._wire.give(self._channel, most)
        self._at("received")
        return found

    def extend(self, deliveries: Sequence[Delivery], seconds: float) -> None:
        self._until(deliveries, seconds)

    def delete(self, deliveries: Sequence[Delivery]) -> None:
        self._at("delete")
        receipts = {each.receipt for each in deliveries}
        lying = self._wire.lying[self._channel]
        self._wire.fails(lambda: _keep(lying, [each for each in lying if each.receipt not in receipts]))
        self._at("deleted")

    def release(self, delivery: Delivery, after_seconds: float) -> None:
        self._at("release")
        self._until([delivery], after_seconds)

    def bury(self, delivery: Delivery, reason: str) -> None:
        self.delete([delivery])
        self._wire.buried.append(Buried(delivery.body, reason))

    def redrive(self, most: int) -> int:
        raise AssertionError("nothing is buried in a life that goes well")

    def buried(self, most: int) -> list[Buried]:
        return self._wire.buried[:most]

    def depth(self) -> Depth:
        return Depth(len(self._wire.lying[self._channel]), 0, len(self._wire.buried))

    def _until(self, deliveries: Sequence[Delivery], seconds: float) -> None:
        receipts = {each.receipt for each in deliveries}
        until = self._wire.clock.now() + round(seconds * MICROSECONDS)
        for each in self._wire.lying[self._channel]:
            if each.receipt in receipts:
                each.visible_at = until


class WireBus:
    """Every channel, as one process has it."""

    def __init__(self, wire: Wire, at: Callable[[str], None]) -> None:
        self._queues = MappingProxyType({channel: WireQueue(channel, wire, at) for channel in Channel})

    def topic(self, channel: Channel) -> WireQueue:
        return self._queues[channel]

    def queue(self, channel: Channel) -> WireQueue:
        return self._queues[channel]

    def close(self) -> None:
        """Nothing is held."""


def _keep(lying: list[Lying], kept: list[Lying]) -> None:
    lying[:] = kept
