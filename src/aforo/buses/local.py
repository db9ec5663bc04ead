"""The bus that needs no other server: topics and queues kept in the control store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import MappingProxyType

from aforo.buses.bell import Bell
from aforo.buses.bus import Buried, Delivery, Depth, Message, reason_of, text_of, word
from aforo.clock import Clock
from aforo.errors import BusUnavailable, StorageError
from aforo.store.bus_messages import BusMessages, KeptMessage
from aforo.store.channel import Channel
from aforo.store.connect import Store

MOST_AT_ONCE = 10
REMEMBERED_SECONDS = 300.0
"""How long an id is known, as long as SQS does."""


class LocalBus:
    """Every channel of one store: what is sent to a topic waits in the queue of the same name.

    What other processes send is seen within `look_seconds`, what this one sends at once.
    """

    def __init__(self, store: Store, clock: Clock, *, visibility_seconds: float, look_seconds: float) -> None:
        kept = BusMessages(store, clock)
        self._queues = MappingProxyType(
            {
                channel: LocalQueue(
                    channel, kept, clock, visibility_seconds=visibility_seconds, look_seconds=look_seconds
                )
                for channel in Channel
            }
        )

    def topic(self, channel: Channel) -> LocalQueue:
        return self._queues[channel]

    def queue(self, channel: Channel) -> LocalQueue:
        return self._queues[channel]

    def close(self) -> None:
        """Nothing is held: the store is its owner's."""


class LocalQueue:
    """A queue, and the topic whose messages it gets."""

    def __init__(
        self,
        channel: Channel,
        kept: BusMessages,
        clock: Clock,
        *,
        visibility_seconds: float,
        look_seconds: float,
    ) -> None:
        self._channel = channel
        self._kept = kept
        self._clock = clock
        self._visibility_seconds = visibility_seconds
        self._look_seconds = look_seconds
        self._bell = Bell()
        self._forgot_at = clock.monotonic()

    @property
    def name(self) -> str:
        return str(self._channel)

    def publish(self, message: Message) -> None:
        body = text_of(message).encode()
        with _told():
            self._kept.put(
                self._channel,
                word(message.group),
                word(message.dedup),
                body,
                remembered_seconds=REMEMBERED_SECONDS,
            )
            self._forget()
        self._bell.ring()

    def receive(self, most: int, wait_seconds: float) -> list[Delivery]:
        most, rung = min(most, MOST_AT_ONCE), self._bell.rung
        found = self._take(most)
        if found or wait_seconds <= 0:
            return found
        self._bell.wait(rung, min(wait_seconds, self._look_seconds))
        return self._take(most)

    def extend(self, deliveries: Sequence[Delivery], seconds: float) -> None:
        with _told():
            self._kept.extend([each.receipt for each in deliveries], seconds)
        if seconds <= 0:
            self._bell.ring()

    def delete(self, deliveries: Sequence[Delivery]) -> None:
        if not deliveries:
            return  # or two who find nothing would wake each other for ever
        with _told():
            self._kept.delete([each.receipt for each in deliveries])
        self._bell.ring()  # the next of their groups are free

    def release(self, delivery: Delivery, after_seconds: float) -> None:
        with _told():
            self._kept.give_back(delivery.receipt, after_seconds)
        if after_seconds <= 0:
            self._bell.ring()

    def bury(self, delivery: Delivery, reason: str) -> None:
        with _told():
            self._kept.bury(delivery.receipt, reason_of(reason))
        self._bell.ring()

    def redrive(self, most: int) -> int:
        with _told():
            redriven = self._kept.dig_up(self._channel, most)
        self._bell.ring()
        return redriven

    def buried(self, most: int) -> list[Buried]:
        with _told():
            found = self._kept.buried(self._channel, min(most, MOST_AT_ONCE))
        return [Buried(each.body, each.reason or "") for each in found]

    def depth(self) -> Depth:
        with _told():
            live, in_hand, buried = self._kept.count(self._channel)
        return Depth(live - in_hand, in_hand, buried)

    def _take(self, most: int) -> list[Delivery]:
        with _told():
            found = self._kept.take(self._channel, most, self._visibility_seconds)
        return [_delivery(each) for each in found]

    def _forget(self) -> None:
        """Now and then lets go of the ids whose time is over."""
        now = self._clock.monotonic()
        if now - self._forgot_at >= REMEMBERED_SECONDS:
            self._forgot_at = now
            self._kept.forget()


@contextmanager
def _told() -> Iterator[None]:
    """Turns what the store cannot do into what a bus says."""
    try:
        yield
    except StorageError as error:
        raise BusUnavailable(error.detail, hint=error.hint) from error


def _delivery(kept: KeptMessage) -> Delivery:
    assert kept.receipt is not None, "who takes a message has a receipt"
    return Delivery(
        id=str(kept.id),
        body=kept.body,
        receives=kept.receives,
        receipt=kept.receipt,
        group=kept.group,
        sent_at=kept.sent_at,
    )
