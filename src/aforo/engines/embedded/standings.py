"""What the tables say of how far windows are folded, and in which versions, read once after it has changed.

Every question asks it of its windows before anything else, also one whose answer is kept. Of a tenant nothing
of it changes but by a transaction that touches the tenant; all that was asked of the tenant before is then
read together.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from aforo.engines.embedded import known
from aforo.engines.embedded.database import Database
from aforo.engines.embedded.known import Known, Subjects
from aforo.engines.embedded.periods import RevisionSums
from aforo.engines.embedded.versions import Versions
from aforo.windows import Window

MOST_SUBJECTS = 256
"""Streams and rollups of a tenant that are read together; with more, what was asked before is let go of."""

MOST_TENANTS = 4_096

MOST_ROWS = 1_000_000
"""Held of all tenants: some 24 bytes each."""


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


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of a tenant, read after the last transaction of a number that touched the tenant."""

    touched: int
    known: Known


class Standings:
    """What was read since a tenant was touched, for who asks again. Used from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._rows = 0

    def told(self, asked: Asked) -> Told:
        """As the tables have it after the last write that is counted, or after one that is not yet."""
        # Counted before what is pending leaves, so that whoever looked there first misses nothing here.
        found = self._known(asked.tenant, Subjects((asked.stream,))).known
        waits = found.marked[asked.stream].within(asked.window.start, asked.window.end)
        days = found.days[asked.stream]
        source = asked.source
        return Told(
            None if waits is None else waits[0],
            None if waits is None else waits[1],
            RevisionSums(days.starts, days.versions).within(asked.day, asked.window.end),
            None if source is None else found.source[asked.stream].within(source.start, source.end),
        )

    def versions(self, tenant: str, stream: str, rollup: str) -> tuple[int, Versions]:
        """Those of a rollup, with the number of the transaction after which they were read."""
        found = self._known(tenant, Subjects((stream,), (rollup,)))
        return found.touched, found.known.versions(stream, rollup)

    def _known(self, tenant: str, subjects: Subjects) -> Held:
        # Looked at before anything is read: what is touched meanwhile is read again the next time.
        touched = self._database.touches.last(tenant)
        with self._lock:
            held = self._held.get(tenant)
        if held is not None and subjects in held.known.subjects:
            if held.touched == touched:
                return held
            subjects = held.known.subjects
        elif held is not None and len(together := held.known.subjects | subjects) <= MOST_SUBJECTS:
            subjects = together
        with self._database.snapshot() as cursor:
            held = Held(touched, known.read(cursor, tenant, subjects))
        self._hold(tenant, held)
        return held

    def _hold(self, tenant: str, held: Held) -> None:
        """Lets go of what was read longest ago, where there is too much."""
        with self._lock:
            if (before := self._held.pop(tenant, None)) is not None:
                self._rows -= before.known.size
            self._held[tenant] = held
            self._rows += held.known.size
            while self._rows > MOST_ROWS or len(self._held) > MOST_TENANTS:
                _, oldest = self._held.popitem(last=False)
                self._rows -= oldest.known.size
