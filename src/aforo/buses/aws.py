"""The bus of Amazon: topics of SNS and queues of SQS, as the settings name them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from aforo.buses.dead_letters import LOOK_SECONDS, DeadLetters
from aforo.buses.senders import SnsTopic, SqsSender
from aforo.buses.sqs import SqsQueue
from aforo.errors import InvalidSettings
from aforo.settings import Aws
from aforo.store.channel import Channel

SETTINGS: Mapping[Channel, str] = MappingProxyType(
    {
        Channel.METRIC_RUN_REQUESTS: "requests",
        Channel.METRIC_RUN_STARTED: "started",
        Channel.METRIC_RUN_HEARTBEATS: "heartbeats",
        Channel.METRIC_RUN_COMPLETED: "completed",
        Channel.PROJECTION_UPDATES: "updates",
    }
)
"""How the settings of a channel begin."""


class AwsBus:
    """Every channel, through two clients of boto3 that are the bus's from then on and all threads share.

    Requests of runs are sent to a topic where one is named; everything else goes straight into its queue.
    Raises InvalidSettings where a channel is asked for that the settings do not name.
    """

    def __init__(
        self, aws: Aws, sns: Any, sqs: Any, *, visibility_seconds: float, look_seconds: int = LOOK_SECONDS
    ) -> None:
        self._aws = aws
        self._sns = sns
        self._sqs = sqs
        self._visibility_seconds = visibility_seconds
        self._look_seconds = look_seconds

    def topic(self, channel: Channel) -> SnsTopic | SqsSender:
        arn = self._aws.requests_topic_arn
        if channel is Channel.METRIC_RUN_REQUESTS and arn is not None:
            return SnsTopic(str(channel), arn, self._sns)
        return SqsSender(str(channel), self._url(channel, "queue_url"), self._sqs)

    def queue(self, channel: Channel) -> SqsQueue:
        return SqsQueue(
            str(channel),
            self._url(channel, "queue_url"),
            DeadLetters(self._url(channel, "dead_letter_url"), self._sqs, look_seconds=self._look_seconds),
            self._sqs,
            visibility_seconds=self._visibility_seconds,
        )

    def close(self) -> None:
        """Lets go of the connections."""
        self._sns.close()
        self._sqs.close()

    def _url(self, channel: Channel, what: str) -> str:
        key = f"{SETTINGS[channel]}_{what}"
        url: str | None = getattr(self._aws, key)
        if url is None:
            raise InvalidSettings(
                f"buses.kind is aws, and aws.{key} is not set",
                hint="name the queue by its URL, as `aws sqs get-queue-url` tells it",
            )
        return url
