"""One commit: events not seen before, what they dirtied, and what became of everything that arrived.

It is durable once it is in the journal, which takes one write; into the tables it goes with others, later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import structlog

from aforo.engines.appends import UNKNOWN, Append, Commit, StreamRows
from aforo.engines.embedded.database import Database
from aforo.engines.embedded.journal import Journal
from aforo.engines.embedded.marks import Marks, earliest
from aforo.engines.embedded.modelling import last_commit
from aforo.engines.embedded.pending import Key, Named, Pending
from aforo.engines.embedded.recent import Recent, latest
from aforo.engines.embedded.recognising import Mask, firsts, kept
from aforo.engines.embedded.record import Record, RecordRows, decoded, encoded
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
        self._coming: Future[None] | None = None
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
            self._add(record, _names(append.rows, named, new))
        if self._pending.rows >= LAND_ROWS and (self._coming is None or self._coming.done()):
            self._coming = self._database.submit(lambda _cursor: None)
            self._coming.add_done_callback(_told)
        return Commit(record.number, new, self._dirty_from(append.rows))

    def land(self) -> None:
        """Has the tables hold every commit made so far. Raises `StorageFull`, `StorageError`."""
        if self._pending.records:
            self._database.write(lambda _cursor: None)

    def _recover(self) -> int:
        """Lands what a process that ended suddenly has left in the journal; the last commit's number."""
        with self._database.snapshot() as cursor:
            last = last_commit(cursor)
            self._recent = Recent(latest(cursor))
        for record in map(decoded, self._journal.replay()):
            if record.number <= last:
                continue
            if record.number != last + 1:
                raise StorageError(
                    f"commit {last + 1} is missing: the journal goes on with {record.number}",
                    hint="events.duckdb and the journals beside it belong together: restore both of one copy",
                )
            self._add(record, {each.stream: Named.of(each.rows) for each in record.rows})
            last = record.number
        self.land()
        self._journal.clear()
        return last

    def _add(self, record: Record, named: Mapping[str, Named]) -> None:
        self._pending.add(record, named)
        for stream, rows in named.items():
            self._recent.add(stream, rows)

    def _fresh(self, append: Append, named: list[Named]) -> tuple[Mask, ...]:
        return tuple(
            firsts(given) & ~self._there(given, rows, append.arrival)
            for given, rows in zip(append.rows, named, strict=True)
        )

    def _there(self, given: StreamRows, named: Named, arrival: int) -> Mask:
        """The rows that are kept already. The tables are searched only for what may be in them.

        First what is pending, then the tables: a commit may go from the one to the other in between.
        """
        there = self._pending.has(given.stream.name, named, arrival, self._reach)
        unsure = np.flatnonzero(
            ~there & self._recent.may_have(given.stream.name, named, arrival, self._reach)
        )
        if len(unsure):
            some = given if len(unsure) == len(there) else replace(given, rows=given.rows.take(unsure))
            with self._database.snapshot() as cursor:
                there[unsure] = kept(cursor, some, arrival, self._reach)
        return there

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


def _names(rows: tuple[StreamRows, ...], named: Iterable[Named], new: tuple[Mask, ...]) -> dict[str, Named]:
    """The names of the new rows by stream."""
    return {
        given.stream.name: names.only(mask)
        for given, names, mask in zip(rows, named, new, strict=True)
        if mask.any()
    }


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
