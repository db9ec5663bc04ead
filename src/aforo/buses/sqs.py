"""Queues of SQS, standard and FIFO."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from aforo.buses.amazon import MOST_WAIT_SECONDS, told
from aforo.buses.bus import Buried, Delivery, Depth
from aforo.buses.dead_letters import DeadLetters
from aforo.buses.envelope import unwrapped
from aforo.clock import MICROSECONDS
from aforo.errors import BusUnavailable

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 10
MOST_VISIBILITY_SECONDS = 43_200
TRIES = 3
"""How often SQS is asked for those messages of a batch with which it failed."""
TOLD_OF_EACH = ["ApproximateReceiveCount", "MessageGroupId", "SentTimestamp"]
WAITING = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed")
IN_HAND = "ApproximateNumberOfMessagesNotVisible"


class SqsQueue:
    """A queue of SQS, to which messages come from a topic of SNS (as they are, or enveloped) or directly."""

    def __init__(
        self, name: str, url: str, dead_letters: DeadLetters, client: Any, *, visibility_seconds: float
    ) -> None:
        self.name = name
        self._url = url
        self._dead_letters = dead_letters
        self._client = client
        self._visibility_seconds = visibility_seconds

    def receive(self, most: int, wait_seconds: float) -> list[Delivery]:
        with told(self._url):
            found = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(most, MOST_AT_ONCE),
                WaitTimeSeconds=min(math.ceil(wait_seconds), MOST_WAIT_SECONDS),
                VisibilityTimeout=_whole(self._visibility_seconds),
                MessageSystemAttributeNames=TOLD_OF_EACH,
            )
        return [_delivery(each) for each in found.get("Messages", [])]

    def extend(self, deliveries: Sequence[Delivery], seconds: float) -> None:
        self._ask(self._client.change_message_visibility_batch, deliveries, VisibilityTimeout=_whole(seconds))

    def delete(self, deliveries: Sequence[Delivery]) -> None:
        self._ask(self._client.delete_message_batch, deliveries)

    def release(self, delivery: Delivery, after_seconds: float) -> None:
        self.extend([delivery], after_seconds)

    def bury(self, delivery: Delivery, reason: str) -> None:
        self._dead_letters.add(self.name, delivery, reason)
        self.delete([delivery])

    def redrive(self, most: int) -> int:
        return self._dead_letters.redrive(most, self._url)

    def buried(self, most: int) -> list[Buried]:
        return self._dead_letters.some(most)

    def depth(self) -> Depth:
        with told(self._url):
            found = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=[*WAITING, IN_HAND])[
                "Attributes"
            ]
        waiting = sum(int(found[name]) for name in WAITING)
        return Depth(waiting, int(found[IN_HAND]), self._dead_letters.count())

    def _ask(self, ask: Callable[..., Any], deliveries: Sequence[Delivery], **more: int) -> None:
        """Asks one thing of each, ten at a time. Raises BusUnavailable where it failed with any of them."""
        failed = 0
        for start in range(0, len(deliveries), MOST_AT_ONCE):
            portion = deliveries[start : start + MOST_AT_ONCE]
            entries = [
                {"Id": str(n), "ReceiptHandle": each.receipt, **more} for n, each in enumerate(portion)
            ]
            failed += len(self._asked(ask, entries))
        if failed:
            raise BusUnavailable(
                f"{self._url} failed with {failed} of {len(deliveries)} messages",
                hint="they are given out again when their time is over",
            )

    def _asked(self, ask: Callable[..., Any], entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those with which SQS failed to the last; one that is no longer in hand is none of these."""
        for _ in range(TRIES):
            with told(self._url):
                told_of = ask(QueueUrl=self._url, Entries=entries).get("Failed", [])
            again = {each["Id"] for each in told_of if not each["SenderFault"]}
            for each in told_of:
                if each["SenderFault"]:
                    log.info("a message is no longer in hand", queue=self.name, code=each["Code"])
            entries = [each for each in entries if each["Id"] in again]
            if not entries:
                break
        return entries


def _whole(seconds: float) -> int:
    return min(math.ceil(seconds), MOST_VISIBILITY_SECONDS)


def _delivery(message: dict[str, Any]) -> Delivery:
    attributes = message.get("Attributes", {})
    return Delivery(
        id=message["MessageId"],
        body=unwrapped(message["Body"]).encode(),
        receives=int(attributes.get("ApproximateReceiveCount", 1)),
        receipt=message["ReceiptHandle"],
        group=attributes.get("MessageGroupId", ""),
        sent_at=int(attributes.get("SentTimestamp", 0)) * (MICROSECONDS // 1_000),
    )
