"""Brings messages from the outbox to the bus: each at least once, and none in the way of others."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from aforo.buses.bus import Message, Topic
from aforo.clock import MICROSECONDS
from aforo.errors import BusUnavailable, MessageRejected
from aforo.rounds import Rounds
from aforo.runs.hand import Turns
from aforo.store import outbox
from aforo.store.channel import Channel
from aforo.store.run import Outgoing
from aforo.telemetry import Telemetry

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 100
CLAIM_SECONDS = 60.0
"""How long a message is in one process's hands; then another may try, and what came of it is told twice."""
MOST_TRIES = 5
"""How often a message is offered that the bus does not take."""
REST_SECONDS = 1.0
MOST_REST_SECONDS = 60.0


class Relay:
    """Sends what is due, woken by whoever put it there, and looks for what others put there."""

    def __init__(self, turns: Turns, topics: Mapping[Channel, Topic], telemetry: Telemetry) -> None:
        self._store = turns.store
        self._clock = turns.clock
        self._every_seconds = turns.rules.look_every_seconds
        self._topics = topics
        self._telemetry = telemetry
        self._rounds = Rounds("relay of messages", self._once, again_seconds=REST_SECONDS)

    def start(self) -> None:
        """Begins to send, in a thread of its own."""
        self._rounds.start()

    def wake(self) -> None:
        """Something is due."""
        self._rounds.wake()

    def stop(self) -> None:
        """Ends after the round under way."""
        self._rounds.stop()

    def run_once(self) -> int:
        """How many messages were sent of those that are due."""
        now = self._clock.now()
        with self._store.working() as connection:
            due = outbox.claim(connection, now, _later(now, CLAIM_SECONDS), MOST_AT_ONCE)
        gone = [message.id for message in due if self._offered(message)]
        if gone:
            with self._store.working() as connection:
                outbox.sent(connection, gone, self._clock.now())
        return len(gone)

    def _once(self) -> float:
        sent = self.run_once()
        return 0.0 if sent == MOST_AT_ONCE else self._every_seconds

    def _offered(self, message: Outgoing) -> bool:
        """Whether the bus has it for good. What it says of one message is no other's affair."""
        try:
            self._topics[Channel(message.topic)].publish(
                Message(body=message.body.encode(), group=message.group, dedup=message.dedup)
            )
        except MessageRejected as error:
            self._rejected(message, str(error))
            return False
        except BusUnavailable as error:
            self._put_off(message, str(error), tries=message.tries)
            return False
        self._telemetry.count("outbox_sent_total")
        waited = (self._clock.now() - message.created_at) / MICROSECONDS
        self._telemetry.observe("outbox_seconds", max(0.0, waited))
        return True

    def _rejected(self, message: Outgoing, reason: str) -> None:
        tries = message.tries + 1
        if tries < MOST_TRIES:
            self._put_off(message, reason, tries=tries)
            return
        with self._store.working() as connection:
            outbox.bury(connection, message, reason, tries=tries)
        self._telemetry.count("outbox_dead_total")
        log.error("a message is dead", message=message.id, topic=message.topic, reason=reason, tries=tries)

    def _put_off(self, message: Outgoing, reason: str, *, tries: int) -> None:
        now = self._clock.now()
        waited = max(0.0, (now - message.created_at) / MICROSECONDS)
        rest = min(max(REST_SECONDS * 2**tries, waited / 4), MOST_REST_SECONDS)
        with self._store.working() as connection:
            outbox.put_off(connection, message, _later(now, rest), reason, tries=tries)
        log.warning("a message waits", message=message.id, topic=message.topic, reason=reason, seconds=rest)


def _later(now: int, seconds: float) -> int:
    return now + round(seconds * MICROSECONDS)
