"""What becomes of each message that comes by a queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aforo.errors import InvalidRequest, MessageRejected
from aforo.runs.feedback import Effect, Feedback
from aforo.runs.messages import (
    MetricRunCompletedEvent,
    MetricRunHeartbeatEvent,
    MetricRunStartedEvent,
    ProjectionUpdateEvent,
    decode,
)
from aforo.runs.reactor import Reactor
from aforo.store.channel import Channel

Handler = Callable[[bytes], None]


def handlers(reactor: Reactor, feedback: Feedback) -> Mapping[Channel, Handler]:
    """The handlers by channel; each raises MessageRejected for what will never be taken."""
    return {
        Channel.PROJECTION_UPDATES: _rejecting(
            lambda body: reactor.take(decode(body, ProjectionUpdateEvent))
        ),
        Channel.METRIC_RUN_STARTED: _known(
            lambda body: feedback.started(decode(body, MetricRunStartedEvent))
        ),
        Channel.METRIC_RUN_HEARTBEATS: _known(
            lambda body: feedback.heartbeat(decode(body, MetricRunHeartbeatEvent))
        ),
        Channel.METRIC_RUN_COMPLETED: _known(
            lambda body: feedback.completed(decode(body, MetricRunCompletedEvent))
        ),
    }


def _known(take: Callable[[bytes], Effect]) -> Handler:
    """A message of a run that is not there is no message of ours; a stale one is, and was told in the log."""

    def effect(body: bytes) -> None:
        if take(body) is Effect.UNKNOWN:
            raise MessageRejected("there is no such run", hint="was it asked for by another system?")

    return _rejecting(effect)


def _rejecting(take: Callable[[bytes], object]) -> Handler:
    def handle(body: bytes) -> None:
        try:
            take(body)
        except InvalidRequest as error:
            raise MessageRejected(error.detail, hint=error.hint, faults=error.faults) from error

    return handle
