"""Messages as they are kept: put, taken in hand by one process at a time, given back, buried, deleted."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Delete,
    String,
    Update,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from aforo.clock import MICROSECONDS, Clock
from aforo.store.bus_free import LOCK, OF_ANY_GROUP, OLDEST
from aforo.store.bus_tables import bus_dedups, bus_messages
from aforo.store.channel import Channel
from aforo.store.connect import Store
from aforo.store.metadata import DETAIL_LENGTH

TRIES = 5
"""How often messages are looked for where other processes take those that were found."""

_of_queue = bus_messages.c.queue == bindparam("queue")
_live = bus_messages.c.buried_at.is_(None)
_by_receipt = bus_messages.c.receipt == bindparam("held")

EXTEND = update(bus_messages).where(_by_receipt).values(visible_at=bindparam("until"))
GIVE_BACK = EXTEND.values(receipt=None)
BURY = GIVE_BACK.values(buried_at=bindparam("at"), reason=bindparam("why"))
DELETE = delete(bus_messages).where(_by_receipt)
BURIED = select(bus_messages).where(_of_queue, ~_live).order_by(bus_messages.c.id).limit(bindparam("most"))
LOCK_BURIED = BURIED.with_only_columns(bus_messages.c.id).with_for_update(skip_locked=True)
DIG_UP = (
    update(bus_messages)
    .where(bus_messages.c.id.in_(bindparam("ids", expanding=True)))
    .values(buried_at=None, reason=None, receives=0, visible_at=bindparam("until"))
)
_in_hand = bus_messages.c.receipt.is_not(None) & (bus_messages.c.visible_at > bindparam("now"))
COUNT = select(
    func.count().filter(_live), func.count().filter(_live, _in_hand), func.count().filter(~_live)
).where(_of_queue)
FORGET = delete(bus_dedups).where(bus_dedups.c.until <= bindparam("now"))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """A message as it is kept; times in microseconds. `receipt` is its holder's, `reason` of a burial."""

    id: int
    group: str
    body: bytes
    sent_at: int
    receives: int
    receipt: str | None
    reason: str | None


class BusMessages:
    """The messages of one store, from any thread and beside other processes.

    Who was given a message has a receipt for it. What is asked with a receipt that is no longer good, since
    the message's time was over and another has it, does nothing.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def put(self, queue: Channel, group: str, dedup: str, body: bytes, *, remembered_seconds: float) -> bool:
        """Whether it is a new message, which is durable then; one that is known by its id is not kept."""
        now = self._clock.now()
        with self._store.working() as connection:
            remembered = {"queue": str(queue), "dedup": dedup, "until": _after(now, remembered_seconds)}
            taken = connection.execute(REMEMBER[connection.dialect.name], {**remembered, "now": now})
            if taken.scalar() is None:
                return False
            row = {"queue": str(queue), "group_id": group, "body": body, "sent_at": now, "visible_at": now}
            connection.execute(insert(bus_messages), {**row, "receives": 0})
            return True

    def forget(self) -> int:
        """Lets go of the ids whose time is over; how many these were."""
        with self._store.working() as connection:
            return connection.execute(FORGET, {"now": self._clock.now()}).rowcount

    def take(self, queue: Channel, most: int, seconds: float) -> list[KeptMessage]:
        """At most so many free messages, oldest first, that nobody else is given for so long.

        Where there are none, no writer is kept waiting by the question.
        """
        for _ in range(TRIES):
            found = self._free(queue, most)
            if not found:
                return []
            try:
                taken = self._take(queue, found, seconds)
            except IntegrityError:
                continue  # another process took one of the same group, and its transaction has ended
            if taken:
                return taken
        return []

    def extend(self, receipts: Sequence[str], seconds: float) -> None:
        """Nobody else is given these for so long from now."""
        self._change(EXTEND, receipts, until=_after(self._clock.now(), seconds))

    def give_back(self, receipt: str, seconds: float) -> None:
        """After so long it is given out again."""
        self._change(GIVE_BACK, [receipt], until=_after(self._clock.now(), seconds))

    def bury(self, receipt: str, reason: str) -> None:
        """It is not given out again by itself."""
        now = self._clock.now()
        self._change(BURY, [receipt], until=now, at=now, why=reason[:DETAIL_LENGTH])

    def dig_up(self, queue: Channel, most: int) -> int:
        """Has the oldest that are buried given out again, as if for the first time; how many these were."""
        with self._store.working() as connection:
            ids = connection.execute(LOCK_BURIED, {"queue": str(queue), "most": most}).scalars().all()
            connection.execute(DIG_UP, {"ids": ids, "until": self._clock.now()})
            return len(ids)

    def delete(self, receipts: Sequence[str]) -> None:
        """They are dealt with."""
        self._change(DELETE, receipts)

    def buried(self, queue: Channel, most: int) -> list[KeptMessage]:
        """The oldest that are buried."""
        with self._store.reading() as connection:
            return [_kept(row) for row in connection.execute(BURIED, {"queue": str(queue), "most": most})]

    def count(self, queue: Channel) -> tuple[int, int, int]:
        """How many live, how many of these are in hand, and how many are buried."""
        with self._store.reading() as connection:
            counted = connection.execute(COUNT, {"queue": str(queue), "now": self._clock.now()})
            live, in_hand, buried = counted.one()
            return live, in_hand, buried

    def _free(self, queue: Channel, most: int) -> Sequence[int]:
        wanted = {"queue": str(queue), "now": self._clock.now(), "most": most}
        with self._store.reading() as connection:
            found = connection.execute(OLDEST, wanted).scalars().all()
            return found or connection.execute(OF_ANY_GROUP, wanted).scalars().all()

    def _take(self, queue: Channel, found: Sequence[int], seconds: float) -> list[KeptMessage]:
        now = self._clock.now()
        with self._store.working() as connection:
            wanted = {"queue": str(queue), "now": now, "ids": found}
            ids = connection.execute(LOCK, wanted).scalars().all()
            if not ids:
                return []
            receipt = literal(secrets.token_hex(16) + ".").concat(cast(bus_messages.c.id, String))
            taken = update(bus_messages).where(bus_messages.c.id.in_(ids))
            taken = taken.values(
                receipt=receipt, receives=bus_messages.c.receives + 1, visible_at=_after(now, seconds)
            )
            kept = [_kept(row) for row in connection.execute(taken.returning(bus_messages))]
        return sorted(kept, key=lambda each: each.id)

    def _change(self, statement: Update | Delete, receipts: Sequence[str], **values: Any) -> None:
        # In one order everywhere, so that no two processes wait for each other.
        rows = [{"held": receipt, **values} for receipt in sorted(receipts)]
        if rows:
            with self._store.working() as connection:
                connection.execute(statement, rows)


def _remembering(statement: Any) -> Any:
    """Remembers an id, and gives it back where it was unknown or its time was over."""
    return statement.on_conflict_do_update(
        index_elements=[bus_dedups.c.queue, bus_dedups.c.dedup],
        set_={"until": statement.excluded.until},
        where=bus_dedups.c.until <= bindparam("now"),
    ).returning(bus_dedups.c.dedup)


REMEMBER = {
    "sqlite": _remembering(sqlite.insert(bus_dedups)),
    "postgresql": _remembering(postgresql.insert(bus_dedups)),
}


def _after(now: int, seconds: float) -> int:
    return now + round(seconds * MICROSECONDS)


def _kept(row: Any) -> KeptMessage:
    return KeptMessage(
        id=row.id,
        group=row.group_id,
        body=row.body,
        sent_at=row.sent_at,
        receives=row.receives,
        receipt=row.receipt,
        reason=row.reason,
    )
