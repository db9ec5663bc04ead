"""What every bus is: topics that take messages, and queues that give them out until they are dealt with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple, Protocol

from aforo.errors import MessageRejected
from aforo.store.channel import Channel

MOST_BYTES = 256 * 1024
"""The largest body that every bus takes."""
REASON_LENGTH = 500
"""Characters of the reason of a burial; a longer one is cut."""

_WORD = re.compile(r"[!-~]{1,128}")
_NOT_CARRIED = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Message:
    """A body in JSON. Messages of a `group` keep their order; one `dedup` is sent once in a while."""

    body: bytes
    group: str
    dedup: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message as it is given out, for the `receives`th time; `receipt` means something to its queue only.

    `sent_at` in microseconds. `group` is empty where the queue knows none.
    """

    id: str
    body: bytes
    receives: int
    receipt: str
    group: str
    sent_at: int


@dataclass(frozen=True, slots=True)
class Buried:
    """A message that is not given out any more, and why; the reason is empty where others buried it."""

    body: bytes
    reason: str


class Depth(NamedTuple):
    """How many messages wait, are in somebody's hand, and are buried; a cloud's numbers are its guess."""

    waiting: int
    in_hand: int
    buried: int


class Topic(Protocol):
    """Where messages are sent to."""

    @property
    def name(self) -> str: ...

    def publish(self, message: Message) -> None:
        """The message is durable when this returns; one with a known `dedup` is not sent again.

        Raises BusUnavailable where it may be taken later, MessageRejected where it never will be.
        """
        ...


class Queue(Protocol):
    """Where messages are received from, at least once each; every verb may raise BusUnavailable.

    A message that was given out is given to nobody else for the time the queue was made with, or as it is
    extended; then it is anybody's again. What is asked with a receipt from before is not an error, and of no
    effect once another was given the message. Of a group, nothing is given out while somebody has a message
    of it in hand; queues that know no groups say so by deliveries without one.
    """

    @property
    def name(self) -> str: ...

    def receive(self, most: int, wait_seconds: float) -> list[Delivery]:
        """At most so many and ten, oldest first; where there are none it waits for one, at most so long."""
        ...

    def extend(self, deliveries: Sequence[Delivery], seconds: float) -> None:
        """They stay in hand for so long from now; 0 gives them to anybody at once."""
        ...

    def delete(self, deliveries: Sequence[Delivery]) -> None:
        """They are dealt with."""
        ...

    def release(self, delivery: Delivery, after_seconds: float) -> None:
        """It is given out again after so long."""
        ...

    def bury(self, delivery: Delivery, reason: str) -> None:
        """It is not given out again before it is redriven."""
        ...

    def redrive(self, most: int) -> int:
        """Has some that are buried given out again, at most so many, as if for the first time; how many."""
        ...

    def buried(self, most: int) -> list[Buried]:
        """Some of those that are buried, at most so many and ten; they stay so."""
        ...

    def depth(self) -> Depth: ...


class Bus(Protocol):
    """All channels, of one kind; from any thread."""

    def topic(self, channel: Channel) -> Topic: ...

    def queue(self, channel: Channel) -> Queue: ...

    def close(self) -> None: ...


def text_of(message: Message) -> str:
    """The body as text. Raises MessageRejected where some bus would not take the message."""
    if not message.body:
        raise MessageRejected("a message without a body", hint="send a JSON object")
    if len(message.body) > MOST_BYTES:
        raise MessageRejected(
            f"a message of {len(message.body):,} bytes; {MOST_BYTES:,} is the most",
            hint="put what is large into a file and send its URI",
        )
    if not message.group or not message.dedup:
        raise MessageRejected("a message without a group or an id", hint="name both")
    try:
        text = message.body.decode()
    except UnicodeDecodeError as error:
        raise MessageRejected(f"a message that is no UTF-8: {error}", hint="send JSON") from error
    found = _NOT_CARRIED.search(text)
    if found is not None:
        raise MessageRejected(
            f"a message with the character U+{ord(found[0]):04X}, which no queue carries",
            hint="JSON can write it as an escape",
        )
    return text


def word(text: str) -> str:
    """A group or an id as every bus takes it: itself, or a hash where it is long or has other characters."""
    return text if _WORD.fullmatch(text) else sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def reason_of(text: str) -> str:
    """A reason as every bus keeps it: printable, not too long, and never empty."""
    printable = "".join(each if each.isprintable() else " " for each in text).strip() or "no reason was given"
    return printable if len(printable) <= REASON_LENGTH else printable[: REASON_LENGTH - 1] + "…"
