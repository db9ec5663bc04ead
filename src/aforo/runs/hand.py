"""What every step of the reactive side is done with: an open transaction, its moment, and the rules."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from aforo.clock import MICROSECONDS, Clock
from aforo.settings import Runs
from aforo.store import event_log
from aforo.store.connect import Store
from aforo.store.run import LogKind, Run


@dataclass(frozen=True, slots=True)
class Hand:
    """One transaction at one moment."""

    connection: Connection
    now: int
    rules: Runs

    def in_seconds(self, seconds: float) -> int:
        """The moment so much later."""
        return self.now + round(seconds * MICROSECONDS)

    def tell(self, kind: LogKind, run: Run, detail: str = "", **of: object) -> None:
        """A line in the log of a run."""
        event_log.tell(self.connection, self.now, kind, tenant=run.tenant, run=run, detail=detail, **of)  # type: ignore[arg-type]


class Turns:
    """Gives turns at the store: one transaction each, from any thread and beside other processes."""

    def __init__(self, store: Store, clock: Clock, rules: Runs, asked: Callable[[], None]) -> None:
        """`asked` is called after each that ended well: a request may be on its way out."""
        self.store = store
        self.clock = clock
        self.rules = rules
        self._asked = asked

    @contextmanager
    def taken(self) -> Iterator[Hand]:
        """A turn; what is done in it is durable once it ends, and not done at all if it raises."""
        with self.store.working() as connection:
            yield Hand(connection, self.clock.now(), self.rules)
        self._asked()


def back_off_seconds(rules: Runs, attempt: int, dice: random.Random) -> float:
    """How long a lost run rests: twice as long with each attempt up to a bound, and not all at once."""
    whole = min(rules.back_off_seconds * 2 ** min(attempt - 1, 30), rules.most_back_off_seconds)
    return float(whole * dice.uniform(0.5, 1.0))
