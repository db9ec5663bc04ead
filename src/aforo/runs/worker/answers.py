"""What a worker tells of its runs, to the topics that are listened to."""

from __future__ import annotations

from dataclasses import dataclass

from aforo.buses.bus import Message, Topic
from aforo.clock import Clock
from aforo.runs.messages import (
    Message as Answer,
)
from aforo.runs.messages import (
    MetricRunCompletedEvent,
    MetricRunHeartbeatEvent,
    MetricRunRequestEvent,
    MetricRunStartedEvent,
    RunError,
    encode,
)
from aforo.runs.worker.job import Failed
from aforo.runs.worker.publishing import Published
from aforo.windows import Zone


@dataclass(frozen=True, slots=True)
class Topics:
    """Where it is listened to what workers tell."""

    started: Topic
    heartbeats: Topic
    completed: Topic


class Answers:
    """Sends in the name of one worker; each method raises BusUnavailable where it cannot at the moment."""

    def __init__(self, topics: Topics, clock: Clock, worker: str) -> None:
        self._topics = topics
        self._clock = clock
        self.worker = worker

    def now(self) -> str:
        """The time as messages have it."""
        return Zone("UTC").rfc3339(self._clock.now())

    def started(self, asked: MetricRunRequestEvent) -> None:
        said = MetricRunStartedEvent(
            run_id=asked.run_id, attempt=asked.attempt, started_at=self.now(), worker=self.worker
        )
        self._send(self._topics.started, said, asked, "started")

    def beat(self, asked: MetricRunRequestEvent, progress: float) -> None:
        at = self.now()
        said = MetricRunHeartbeatEvent(
            run_id=asked.run_id, attempt=asked.attempt, at=at, progress=round(progress, 3)
        )
        self._send(self._topics.heartbeats, said, asked, at)

    def succeeded(self, asked: MetricRunRequestEvent, result: Published) -> None:
        said = MetricRunCompletedEvent(
            run_id=asked.run_id,
            attempt=asked.attempt,
            status="SUCCEEDED",
            completed_at=self.now(),
            manifest=result.manifest_uri,
            row_count=result.row_count,
        )
        self._send(self._topics.completed, said, asked, "completed")

    def failed(self, asked: MetricRunRequestEvent, why: Failed) -> None:
        said = MetricRunCompletedEvent(
            run_id=asked.run_id,
            attempt=asked.attempt,
            status="FAILED",
            completed_at=self.now(),
            error=RunError(code=why.code, message=why.message),
        )
        self._send(self._topics.completed, said, asked, "completed")

    def _send(self, topic: Topic, said: Answer, asked: MetricRunRequestEvent, what: str) -> None:
        named = f"{asked.run_id}:{asked.attempt}:{what}"
        topic.publish(Message(body=encode(said), group=asked.run_id, dedup=named))
