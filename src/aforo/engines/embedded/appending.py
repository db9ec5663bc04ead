"""One commit: events not seen before, what they dirtied, and what became of everything that arrived.

It is durable once it is in the journal, which takes one write; into the tables it goes with others, later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import structlog

from aforo.engines.embedded.database import Database
from aforo.engines.embedded.journal import Journal
from aforo.engines.embedded.marks import Marks, earliest
from aforo.engines.embedded.modelling import last_commit
from aforo.engines.embedded.pending import Key, Named, Pending
from aforo.engines.embedded.recognising import Mask, fresh
from aforo.engines.embedded.record import Record, RecordRows, decoded, encoded
from aforo.engines.engine import UNKNOWN, Append, Commit, StreamRows
from aforo.engines.outcomes import attributed, outcomes_of
from aforo.engines.refused import SampleLimits, newest
from aforo.errors import StorageError
from aforo.model.tenant import Tenant

log = structlog.get_logger(__name__)

LAND_ROWS = 10_000
"""So many rows go into the tables together where nothing asks for them before."""
MOST_ROWS = 50_000
"""So many may wait; then an append waits until they have landed."""


class Appending:
    """Makes commits, one after the other, from any thread."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        pending: Pending,
        marks: Marks,
        *,
        untimed_id_seconds: int,
        samples: SampleLimits,
    ) -> None:
        self._database = database
        self._journal = journal
        self._pending = pending
        self._marks = marks
        self._reach = untimed_id_seconds * 1_000_000
        self._samples = samples
        self._one_at_a_time = Lock()
        self._last = self._recover()

    @property
    def last(self) -> int:
        """The number of the last durable commit; 0 before the first."""
        return self._last

    def append(self, append: Append, tenants: dict[str, Tenant], default: Tenant) -> Commit:
        """Keeps the fresh rows, marks the ledger and counts every outcome, all under the next number.

        To the `tenants` it adds those that are named for the first time, with the `default`'s zone.
        """
        with self._one_at_a_time:
            if self._pending.rows >= MOST_ROWS:
                self.land()
            named = [Named.of(given.rows) for given in append.rows]
            new = self._fresh(append, named)
            record = self._record(append, new, tenants.__contains__, default)
            self._journal.write(record.number, encoded(record))
            self._last = record.number
            tenants.update((tenant.name, tenant) for tenant in record.tenants)
            kept = zip(append.rows, named, new, strict=True)
            self._pending.add(record, {given.stream.name: rows.only(mask) for given, rows, mask in kept})
        if self._pending.rows >= LAND_ROWS:
            self._database.submit(lambda _cursor: None).add_done_callback(_told)
        return Commit(record.number, new, self._dirty_from(append.rows))

    def land(self) -> None:
        """Has the tables hold every commit made so far. Raises `StorageFull`, `StorageError`."""
        if self._pending.records:
            self._database.write(lambda _cursor: None)

    def _recover(self) -> int:
        """Lands what a process that ended suddenly has left in the journal; the last commit's number."""
        with self._database.snapshot() as cursor:
            last = last_commit(cursor)
        for record in map(decoded, self._journal.replay()):
            if record.number <= last:
                continue
            if record.number != last + 1:
                raise StorageError(
                    f"commit {last + 1} is missing: the journal goes on with {record.number}",
                    hint="events.duckdb and the journals beside it belong together: restore both of one copy",
                )
            self._pending.add(record, {each.stream: Named.of(each.rows) for each in record.rows})
            last = record.number
        self.land()
        self._journal.clear()
        return last

    def _fresh(self, append: Append, named: list[Named]) -> tuple[Mask, ...]:
        # First what is pending, then the tables: a commit goes from the one to the other in between, or not.
        waiting = [
            self._pending.has(given.stream.name, rows, append.arrival, self._reach)
            for given, rows in zip(append.rows, named, strict=True)
        ]
        if not append.rows:
            return ()
        with self._database.snapshot() as cursor:
            return tuple(
                fresh(cursor, given, append.arrival, self._reach) & ~there
                for given, there in zip(append.rows, waiting, strict=True)
            )

    def _record(
        self, append: Append, new: tuple[Mask, ...], known: Callable[[str], bool], default: Tenant
    ) -> Record:
        named = append.owners.union(tenants_of(append.rows))
        of_known = partial(attributed, known=lambda name: name in named or known(name))
        outcomes = outcomes_of(append, new, of_known)
        counted = sorted({each.tenant for each in outcomes} - {UNKNOWN})
        return Record(
            number=self._last + 1,
            arrival=append.arrival,
            rows=tuple(_new_rows(append.rows, new)),
            outcomes=outcomes,
            samples=newest(append.samples, self._samples, of_known),
            tenants=tuple(replace(default, name=name) for name in counted if not known(name)),
        )

    def _dirty_from(self, rows: tuple[StreamRows, ...]) -> dict[Key, int]:
        keys = [(given.stream.name, tenant) for given in rows for tenant in tenants_of((given,))]
        waiting = self._pending.earliest(keys)
        landed = self._marks.at_hand(keys)
        if landed is None:
            with self._database.snapshot() as cursor:
                landed = earliest(cursor)
        found = {key: [where[key] for where in (waiting, landed) if key in where] for key in keys}
        return {key: min(starts) for key, starts in found.items() if starts}


def tenants_of(rows: Iterable[StreamRows]) -> list[str]:
    """The names of all tenants that rows are of."""
    return sorted({name for given in rows for name in pc.unique(given.rows["tenant"]).to_pylist()})


def _new_rows(rows: tuple[StreamRows, ...], new: tuple[Mask, ...]) -> Iterable[RecordRows]:
    for given, mask in zip(rows, new, strict=True):
        if mask.any():
            kept = given.rows if mask.all() else given.rows.filter(pa.array(np.asarray(mask)))
            yield RecordRows(given.stream.name, tuple(given.stream.entities.values()), kept)


def _told(landed: Future[None]) -> None:
    """Whoever needs what could not land will hear of it; until then the log says so."""
    error = landed.exception()
    if error is not None:
        log.error("commits wait in the journal", detail=str(error))
