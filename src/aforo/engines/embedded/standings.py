"""What the tables say of how far windows are folded, read once after each write transaction.

Every question asks it of its windows before anything else, also one whose answer is kept, and several
questions of one dashboard ask it of the same ones; nothing of it changes but by a write.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from aforo.engines.embedded import derive_standing
from aforo.engines.embedded.database import Cursor, Database, first_row
from aforo.engines.embedded.parameters import microseconds, timestamp
from aforo.windows import Window

STANDING = """
-- Of a window: its first dirty slot, the oldest commit that waits for a fold there, and how often the days it
-- touches were folded, which is raised with any of them.
SELECT min(slot), min("commit"),
    (SELECT coalesce(sum(revision), 0)::BIGINT FROM revisions
        WHERE stream = $stream AND tenant = $tenant AND day >= $day AND day < $end)
FROM ledger WHERE stream = $stream AND tenant = $tenant AND slot >= $start AND slot < $end
"""

MADE_AT = """
-- When a commit was made; the marks of a rollup that is built over no commit at all have none.
SELECT made_at FROM commits WHERE "commit" = $commit
"""

MOST_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class Asked:
    """A stream's and tenant's window from `start`, which is a slot's, with the start of its first day.

    `source` is the stretch of the source that a derived stream follows from there, None of another stream.
    """

    stream: str
    tenant: str
    day: int
    window: Window
    source: Window | None


@dataclass(frozen=True, slots=True)
class Told:
    """The first slot that waits for a fold, since when, the days' revisions; `marked` of a source."""

    dirty_from: int | None
    since: int | None
    revision: int
    marked: tuple[int, int | None] | None


class Standings:
    """What was read since the last write, for who asks again. Used from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._writes = -1
        self._told: dict[Asked, Told] = {}

    def told(self, asked: Asked) -> Told:
        """As the tables have it after the last write that is counted, or after one that is not yet."""
        # Counted before what is pending leaves, so that whoever looked there first misses nothing here.
        writes = self._database.writes
        with self._lock:
            if self._writes != writes or len(self._told) >= MOST_KEPT:
                self._writes = writes
                self._told = {}
            found = self._told.get(asked)
        if found is None:
            with self._database.snapshot() as cursor:
                found = _read(cursor, asked)
            with self._lock:
                if self._writes == writes:
                    self._told[asked] = found
        return found


def _read(cursor: Cursor, asked: Asked) -> Told:
    found = first_row(
        cursor,
        STANDING,
        {
            "stream": asked.stream,
            "tenant": asked.tenant,
            "start": timestamp(asked.window.start),
            "day": timestamp(asked.day),
            "end": timestamp(asked.window.end),
        },
    )
    assert found is not None, "an aggregate has a row"
    slot, oldest, revision = found
    made = None if slot is None else first_row(cursor, MADE_AT, {"commit": oldest})
    source = asked.source
    return Told(
        None if slot is None else microseconds(slot),
        None if made is None else microseconds(made[0]),
        revision,
        None if source is None else derive_standing.waiting(cursor, asked.stream, asked.tenant, source),
    )
