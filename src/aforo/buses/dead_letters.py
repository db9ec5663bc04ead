"""The queue of SQS beside another in which the buried lie: each with the reason as an attribute."""

from __future__ import annotations

from typing import Any

from aforo.buses.amazon import order_of, told
from aforo.buses.bus import Buried, Delivery, reason_of
from aforo.buses.envelope import unwrapped

MOST_AT_ONCE = 10
REASON, FROM = "reason", "from"
HOLD_SECONDS = 60
"""How long one that is being redriven is kept from others who redrive."""
LOOK_SECONDS = 1
"""A look that waits asks all of SQS's machines; one that does not may miss what is there."""


class DeadLetters:
    """The buried of one queue; those that SQS put there itself, by a policy of its own, have no reason."""

    def __init__(self, url: str, client: Any, *, look_seconds: int = LOOK_SECONDS) -> None:
        self._url = url
        self._client = client
        self._look_seconds = look_seconds

    def add(self, name: str, delivery: Delivery, reason: str) -> None:
        """Keeps a message of the queue `name`; a FIFO queue knows one again that was added of late."""
        attributes = {
            REASON: {"DataType": "String", "StringValue": reason_of(reason)},
            FROM: {"DataType": "String", "StringValue": name},
        }
        order = order_of(self._url, delivery.group or delivery.id, delivery.id)
        text = delivery.body.decode()
        with told(self._url):
            self._client.send_message(
                QueueUrl=self._url, MessageBody=text, MessageAttributes=attributes, **order
            )

    def redrive(self, most: int, into: str) -> int:
        """Sends the oldest to another queue, and deletes them here once they are there; how many.

        One whose sending was told and whose deleting was not comes twice, as any message may.
        """
        redriven = 0
        while redriven < most and (found := self._receive(most - redriven, HOLD_SECONDS)):
            for each in found:
                group = each.get("Attributes", {}).get("MessageGroupId", each["MessageId"])
                # By the id it has here: by the one it was sent with before, it would be known already.
                order = order_of(into, group, each["MessageId"])
                with told(into):
                    self._client.send_message(QueueUrl=into, MessageBody=each["Body"], **order)
                with told(self._url):
                    self._client.delete_message(QueueUrl=self._url, ReceiptHandle=each["ReceiptHandle"])
                redriven += 1
        return redriven

    def some(self, most: int) -> list[Buried]:
        """Some of them, which stay."""
        return [
            Buried(unwrapped(each["Body"]).encode(), _reason(each)) for each in self._receive(most, seconds=0)
        ]

    def count(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with told(self._url):
            found = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def _receive(self, most: int, seconds: int) -> list[dict[str, Any]]:
        with told(self._url):
            found = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(most, MOST_AT_ONCE),
                VisibilityTimeout=seconds,
                WaitTimeSeconds=self._look_seconds,
                MessageSystemAttributeNames=["MessageGroupId"],
                MessageAttributeNames=[REASON],
            )
        received: list[dict[str, Any]] = found.get("Messages", [])
        return received


def _reason(message: dict[str, Any]) -> str:
    return str(message.get("MessageAttributes", {}).get(REASON, {}).get("StringValue", ""))
