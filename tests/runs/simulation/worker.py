"""Workers of another language, who know nothing but the messages; they die, stall and answer late."""

from __future__ import annotations

import random
from dataclasses import dataclass

import msgspec
from tests.runs.desk import TENANT, UTC
from tests.runs.simulation.bus import Wire, WireQueue

from aforo.buses.bus import Delivery, Message
from aforo.clock import Clock
from aforo.errors import BusUnavailable
from aforo.runs.messages import (
    Message as Told,
)
from aforo.runs.messages import (
    MetricRunCompletedEvent,
    MetricRunHeartbeatEvent,
    MetricRunRequestEvent,
    MetricRunStartedEvent,
    RunError,
    encode,
)
from aforo.store.channel import Channel


@dataclass
class Task:
    """A request in a worker's hands."""

    delivery: Delivery
    request: MetricRunRequestEvent
    begun: bool = False


class Worker:
    """Does one thing at a time: takes a request, says that it began, that it goes on, what came of it."""

    def __init__(self, name: str, wire: Wire, clock: Clock, dice: random.Random) -> None:
        self.name = name
        self.tasks: list[Task] = []
        self._wire = wire
        self._clock = clock
        self._dice = dice
        self._said = 0
        self._requests = WireQueue(Channel.METRIC_RUN_REQUESTS, wire, _passes)

    def step(self) -> str:
        """Whatever comes to its mind, in any order."""
        roll = self._dice.random()
        if self.tasks and roll < 0.06:
            self.tasks.clear()
            return "dies with all it had in hand"
        if self.tasks and roll < 0.75:
            return self._on(self._dice.choice(self.tasks))
        return self.take()

    def take(self) -> str:
        """Takes a request, if there is one."""
        for delivery in self._requests.receive(1, 0.0):
            request = msgspec.json.decode(delivery.body, type=MetricRunRequestEvent)
            self.tasks.append(Task(delivery, request))
            return f"takes {request.run_id}:{request.attempt}"
        return "finds nothing"

    def finish(self) -> None:
        """Does all that there is to do, at once and well."""
        while self.take() != "finds nothing":
            pass
        for task in [*self.tasks]:
            self._done(task, "SUCCEEDED")

    def _on(self, task: Task) -> str:
        roll = self._dice.random()
        run = f"{task.request.run_id}:{task.request.attempt}"
        if not task.begun and roll < 0.7:
            task.begun = True
            self._say(Channel.METRIC_RUN_STARTED, task, self._started(task))
            return f"has begun {run}"
        if roll < 0.3:
            self._say(Channel.METRIC_RUN_HEARTBEATS, task, self._heartbeat(task))
            return f"goes on with {run}"
        if roll < 0.4:
            return f"stalls at {run}"
        status = "FAILED" if roll < 0.47 else "SUCCEEDED"
        self._done(task, status, forgets=self._dice.random() < 0.1)
        return f"says {status} of {run}"

    def _done(self, task: Task, status: str, *, forgets: bool = False) -> None:
        """One that forgets does it all again later, and says so again."""
        if not self._say(Channel.METRIC_RUN_COMPLETED, task, self._completed(task, status)) or forgets:
            return
        self.tasks.remove(task)
        try:
            self._requests.delete([task.delivery])
        except BusUnavailable:
            return  # it is given out again, and done again

    def _say(self, channel: Channel, task: Task, told: Told) -> bool:
        self._said += 1
        message = Message(encode(told), task.request.metric_code, f"{self.name}:{self._said}")
        try:
            WireQueue(channel, self._wire, _passes).publish(message)
        except BusUnavailable:
            return False
        return True

    def _started(self, task: Task) -> MetricRunStartedEvent:
        return MetricRunStartedEvent(
            run_id=task.request.run_id,
            attempt=task.request.attempt,
            started_at=self._now(),
            worker=self.name,
        )

    def _heartbeat(self, task: Task) -> MetricRunHeartbeatEvent:
        return MetricRunHeartbeatEvent(
            run_id=task.request.run_id, attempt=task.request.attempt, at=self._now(), progress=0.5
        )

    def _completed(self, task: Task, status: str) -> MetricRunCompletedEvent:
        run_id, attempt, code = task.request.run_id, task.request.attempt, task.request.metric_code
        manifest = f"file:///srv/results/{TENANT}/{code}/{run_id}/{attempt}/manifest.json"
        return MetricRunCompletedEvent(
            run_id=run_id,
            attempt=attempt,
            status=status,  # type: ignore[arg-type]
            completed_at=self._now(),
            manifest=manifest if status == "SUCCEEDED" else None,
            error=None if status == "SUCCEEDED" else RunError(code="wanted", message="by the dice"),
        )

    def _now(self) -> str:
        return UTC.rfc3339(self._clock.now())


def _passes(_point: str) -> None:
    """Workers are outside: they end between two messages, by their own dice."""
