"""Topics in a cloud: those of SNS, and queues of SQS that are sent to directly."""

from __future__ import annotations

from typing import Any

from aforo.buses.amazon import order_of, told
from aforo.buses.bus import Message, text_of, word


class SnsTopic:
    """A topic, standard or FIFO as its name tells; who is subscribed gets what is published."""

    def __init__(self, name: str, arn: str, client: Any) -> None:
        self.name = name
        self._arn = arn
        self._client = client

    def publish(self, message: Message) -> None:
        text, order = text_of(message), order_of(self._arn, word(message.group), word(message.dedup))
        with told(self._arn, of_a_message=True):
            self._client.publish(TopicArn=self._arn, Message=text, **order)


class SqsSender:
    """A queue as who sends to it sees it."""

    def __init__(self, name: str, url: str, client: Any) -> None:
        self.name = name
        self._url = url
        self._client = client

    def publish(self, message: Message) -> None:
        text, order = text_of(message), order_of(self._url, word(message.group), word(message.dedup))
        with told(self._url, of_a_message=True):
            self._client.send_message(QueueUrl=self._url, MessageBody=text, **order)
