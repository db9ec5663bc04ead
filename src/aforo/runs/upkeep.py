"""What is kept of runs for a time only: what was consumed and sent, the log, and files that nobody took."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from aforo.clock import MICROSECONDS
from aforo.rounds import Rounds
from aforo.runs.hand import Turns
from aforo.runs.leftovers import Leftovers
from aforo.store import consumed, event_log, outbox
from aforo.telemetry import Telemetry

log = structlog.get_logger(__name__)

WORK = "upkeep of runs"

KNOWN_SECONDS = 15 * 86_400
"""How long what was consumed and sent is known: a day longer than any queue keeps a message."""

EVERY_SECONDS = 3_600.0
FIRST_AFTER_SECONDS = 60.0
MOST_AT_ONCE = 1_000
REST_SECONDS = 0.05
"""Between two steps, so that whoever else writes has a turn."""

Key = TypeVar("Key")


class Upkeep:
    """Looks every hour, in short steps; several processes may, since what is gone already is no mistake."""

    def __init__(
        self, turns: Turns, leftovers: Leftovers, telemetry: Telemetry, *, most_at_once: int = MOST_AT_ONCE
    ) -> None:
        self._store = turns.store
        self._clock = turns.clock
        self._rules = turns.rules
        self._leftovers = leftovers
        self._telemetry = telemetry
        self._most_at_once = most_at_once
        self._rounds = Rounds(
            WORK, self._once, again_seconds=EVERY_SECONDS, first_after_seconds=FIRST_AFTER_SECONDS
        )

    def start(self) -> None:
        """Begins to look, in a thread of its own."""
        self._rounds.start()

    def stop(self) -> None:
        """Ends after the step under way; what is left is found by the next look."""
        self._rounds.stop()

    def run_once(self) -> None:
        """Lets go of all that was kept long enough."""
        known_since = self._ago(KNOWN_SECONDS)
        self._forget("consumed", consumed.old, consumed.forget, known_since)
        self._forget("outbox", outbox.old, outbox.forget, known_since)
        if self._rules.log_days:
            told_since = self._ago(self._rules.log_days * 86_400)
            self._forget("event_log", event_log.old, event_log.forget, told_since)
        if self._rules.leftovers_seconds:
            self._remove_leftovers(self._ago(self._rules.leftovers_seconds))

    def _once(self) -> float:
        self.run_once()
        return EVERY_SECONDS

    def _ago(self, seconds: float) -> int:
        return self._clock.now() - round(seconds * MICROSECONDS)

    def _remove_leftovers(self, before: int) -> None:
        while self._leftovers.step(before, self._most_at_once, lambda: self._rounds.stopping):
            self._rounds.rest(REST_SECONDS)

    def _forget(
        self,
        table: str,
        old: Callable[[Connection, int, int], Sequence[Key]],
        forget: Callable[[Connection, Sequence[Key]], int],
        before: int,
    ) -> None:
        """They are looked for beside whoever writes, and go in one transaction for each step."""
        forgotten = 0
        while not self._rounds.stopping:
            with self._store.reading() as connection:
                found = old(connection, before, self._most_at_once)
            if found:
                with self._store.working() as connection:
                    forgotten += forget(connection, found)
            if len(found) < self._most_at_once:
                break
            self._rounds.rest(REST_SECONDS)
        if forgotten:
            self._telemetry.count("run_rows_forgotten_total", forgotten, table=table)
            log.info("rows of runs forgotten", table=table, rows=forgotten)
