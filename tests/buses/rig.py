"""A bus of each kind to be exercised, and what can be asked of that kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from aforo.buses.bus import Bus, Delivery, Message, Queue, Topic
from aforo.buses.consumer import Consumer
from aforo.buses.local import LocalBus
from aforo.clock import Clock, ManualClock
from aforo.store.channel import Channel
from aforo.store.connect import Store
from aforo.telemetry import Telemetry

NOW = 1_700_000_000_000_000
VISIBILITY_SECONDS = 60.0
MOST_RECEIVES = 5
CHANNEL = Channel.METRIC_RUN_REQUESTS


@dataclass
class Rig:
    """One bus; `ordered` where it keeps groups and knows ids again."""

    bus: Bus
    clock: Clock
    ordered: bool
    channel: Channel = CHANNEL
    telemetry: Telemetry = field(default_factory=Telemetry)
    # A cloud's time is the time of day: what failed is tried again at once there.
    back_off: Callable[[int], float] = lambda _receives: 0.0

    @property
    def topic(self) -> Topic:
        return self.bus.topic(self.channel)

    @property
    def queue(self) -> Queue:
        return self.bus.queue(self.channel)

    def send(self, *numbers: int, group: str = "g") -> None:
        for number in numbers:
            self.topic.publish(message(number, group))

    def take(self, most: int = 10) -> list[Delivery]:
        return self.queue.receive(most, 0)

    def consumer(self, handle: Callable[[bytes], None], **more: int) -> Consumer:
        return Consumer(
            self.queue,
            handle,
            self.clock,
            self.telemetry,
            wait_seconds=1,
            visibility_seconds=VISIBILITY_SECONDS,
            most_receives=MOST_RECEIVES,
            back_off=self.back_off,
            again_seconds=0.0,
            **more,
        )

    def again(self, delivery: Delivery) -> None:
        """Ends the time for which somebody has it in hand."""
        self.queue.extend([delivery], 0)


def local_rig(store: Store) -> Rig:
    clock = ManualClock(NOW)
    bus = LocalBus(store, clock, visibility_seconds=VISIBILITY_SECONDS, look_seconds=0.05)
    return Rig(bus, clock, ordered=True)


def message(number: int, group: str = "g") -> Message:
    return Message(json.dumps({"number": number}).encode(), group, f"m{number}")


def number_of(delivery: Delivery) -> int:
    return int(json.loads(delivery.body)["number"])


def numbers(deliveries: list[Delivery]) -> list[int]:
    return [number_of(each) for each in deliveries]
