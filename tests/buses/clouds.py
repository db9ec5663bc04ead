"""Topics and queues of a cloud, made for one test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.amazon import REGION
from tests.buses.rig import VISIBILITY_SECONDS, Rig

from aforo.buses.amazon import FIFO, client_of
from aforo.buses.aws import AwsBus
from aforo.clock import SystemClock
from aforo.settings import Aws


@dataclass(frozen=True)
class Account:
    """Clients of one server."""

    sns: Any
    sqs: Any

    def rig(self, aws: Aws, *, fifo: bool = False) -> Rig:
        bus = AwsBus(aws, self.sns, self.sqs, visibility_seconds=VISIBILITY_SECONDS, look_seconds=0)
        return Rig(bus, SystemClock(), ordered=fifo)

    def made(self, *, fifo: bool = False, raw: bool = False, through_topic: bool = True) -> Aws:
        """Settings with queues of their own for requests, and a topic if these go through one."""
        queue, dead = self.queue(fifo), self.queue(fifo)
        return Aws(
            requests_topic_arn=self.topic(queue, fifo, raw) if through_topic else None,
            requests_queue_url=queue,
            requests_dead_letter_url=dead,
        )

    def queue(self, fifo: bool, **more: str) -> str:
        attributes = {**more, **_order("Queue", fifo)}
        return str(self.sqs.create_queue(QueueName=_name(fifo), Attributes=attributes)["QueueUrl"])

    def arn(self, queue_url: str) -> str:
        asked = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
        return str(asked["Attributes"]["QueueArn"])

    def topic(self, queue_url: str, fifo: bool, raw: bool) -> str:
        arn = self.sns.create_topic(Name=_name(fifo), Attributes=_order("Topic", fifo))["TopicArn"]
        self.sns.subscribe(
            TopicArn=arn,
            Protocol="sqs",
            Endpoint=self.arn(queue_url),
            Attributes={"RawMessageDelivery": "true"} if raw else {},
        )
        return str(arn)


def account(endpoint_url: str) -> Account:
    return Account(*(client_of(each, REGION, endpoint_url, attempts=1) for each in ("sns", "sqs")))


def _name(fifo: bool) -> str:
    return f"aforo-{uuid4().hex}{FIFO if fifo else ''}"


def _order(of: str, fifo: bool) -> dict[str, str]:
    # Content de-duplication too: without it that server takes no FIFO message from a topic.
    return {f"Fifo{of}": "true", "ContentBasedDeduplication": "true"} if fifo else {}
