"""A place with a bus, and workers over both."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.runs.worker.place import Place

from aforo.buses.bus import Message
from aforo.buses.consumer import Consumer, Handle
from aforo.buses.local import LocalBus
from aforo.runs.messages import (
    MetricRunCompletedEvent,
    MetricRunHeartbeatEvent,
    MetricRunRequestEvent,
    MetricRunStartedEvent,
    decode,
    encode,
)
from aforo.runs.worker.answers import Topics
from aforo.runs.worker.worker import Worker
from aforo.store.channel import Channel
from aforo.store.connect import Store
from aforo.telemetry import Telemetry

KINDS = {
    "MetricRunStartedEvent": MetricRunStartedEvent,
    "MetricRunHeartbeatEvent": MetricRunHeartbeatEvent,
    "MetricRunCompletedEvent": MetricRunCompletedEvent,
}
ANSWERS = (Channel.METRIC_RUN_STARTED, Channel.METRIC_RUN_HEARTBEATS, Channel.METRIC_RUN_COMPLETED)


class Yard:
    """A place with a bus, and workers that are made over both."""

    def __init__(self, place: Place, store: Store) -> None:
        self.place = place
        self.telemetry = Telemetry()
        self.bus = LocalBus(store, place.clock, visibility_seconds=60.0, look_seconds=0.05)
        self.topics = Topics(*(self.bus.topic(channel) for channel in ANSWERS))
        self._asked = 0

    def worker(self, **changed: Any) -> Worker:
        place = self.place
        place.rules = replace(place.rules, **({"name": "w1"} | changed))
        return Worker(
            self.consumer,
            self.topics,
            place.objects,
            place,
            place.ask_rollup,
            place.clock,
            self.telemetry,
            place.rules,
        )

    def consumer(self, handle: Handle) -> Consumer:
        return Consumer(
            self.bus.queue(Channel.METRIC_RUN_REQUESTS),
            handle,
            self.place.clock,
            self.telemetry,
            wait_seconds=0.05,
            visibility_seconds=60.0,
            most_receives=5,
            most_at_once=1,
        )

    def ask(self, request: MetricRunRequestEvent | bytes, group: str = "SALES_PER_VISIT") -> None:
        self._asked += 1
        body = request if isinstance(request, bytes) else encode(request)
        self.bus.topic(Channel.METRIC_RUN_REQUESTS).publish(Message(body, group, str(self._asked)))

    def said(self, channel: Channel) -> list[Any]:
        """What was told there since it was looked last."""
        queue = self.bus.queue(channel)
        said: list[Any] = []
        while found := queue.receive(10, 0.0):
            queue.delete(found)
            said += [decode(each.body, KINDS[json.loads(each.body)["type"]]) for each in found]
        return said

    def all_said(self) -> list[Any]:
        return [answer for channel in ANSWERS for answer in self.said(channel)]
