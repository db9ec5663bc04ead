"""Messages that were given up: in the queues, and in the outbox that the bus would not empty."""

from __future__ import annotations

from collections.abc import Mapping

from aforo.buses.bus import Buried, Bus, Depth
from aforo.errors import NotFound
from aforo.runs.hand import Turns
from aforo.store import audit, outbox
from aforo.store.act import Action, Actor
from aforo.store.channel import Channel

OUTBOX = "outbox"
SOME = 10


class DeadMessages:
    """Counts, shows and tries again, from any thread; raises BusUnavailable where the bus cannot."""

    def __init__(self, turns: Turns, bus: Bus) -> None:
        self._turns = turns
        self._bus = bus

    def depths(self) -> Mapping[str, Depth]:
        """How many messages are where."""
        with self._turns.store.reading() as connection:
            waiting, dead = outbox.count(connection)
        return {
            OUTBOX: Depth(waiting, 0, dead),
            **{str(channel): self._bus.queue(channel).depth() for channel in Channel},
        }

    def buried(self, name: str) -> list[Buried]:
        """Some of the messages that were given up. Raises NotFound."""
        if name == OUTBOX:
            with self._turns.store.reading() as connection:
                return [Buried(each.body.encode(), each.reason) for each in outbox.dead(connection, SOME)]
        return self._bus.queue(_channel(name)).buried(SOME)

    def redrive(self, name: str, most: int, actor: Actor) -> int:
        """Has the oldest of them tried again, and tells the audit; how many. Raises NotFound."""
        redriven = 0 if name == OUTBOX else self._bus.queue(_channel(name)).redrive(most)
        with self._turns.taken() as hand:
            if name == OUTBOX:
                redriven = outbox.revive(hand.connection, hand.now, most)
            audit.add(
                hand.connection, hand.now, Action.MESSAGES_REDRIVEN, actor, name, f"{redriven} messages"
            )
        return redriven


def _channel(name: str) -> Channel:
    try:
        return Channel(name)
    except ValueError:
        raise NotFound.of("queue", name[:100], (OUTBOX, *map(str, Channel))) from None
