"""One commit: events not seen before, what they dirtied, and what became of everything that arrived.

It is durable once it is in the journal, which takes one write; into the tables it goes with others, later.
A large one is worth a transaction of its own, and goes into the tables alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from threading import Lock

import numpy as np
import pyarrow as pa
import structlog

from aforo.engines.appends import UNKNOWN, Append, Commit, StreamRows
from aforo.engines.embedded.database import Database
from aforo.engines.embedded.journal import Journal
from aforo.engines.embedded.landing import Landing
from aforo.engines.embedded.marks import Marks, earliest
from aforo.engines.embedded.modelling import last_commit
from aforo.engines.embedded.named import Mask, Named
from aforo.engines.embedded.pending import Key, Pending
from aforo.engines.embedded.recent import Recent, latest
from aforo.engines.embedded.recognising import firsts, kept, waiting
from aforo.engines.embedded.record import Record, RecordRows, decoded, encoded
from aforo.engines.embedded.touches import NOBODY
from aforo.engines.outcomes import attributed, outcomes_of
from aforo.engines.refused import SampleLimits, newest
from aforo.errors import StorageError
from aforo.model.tenant import Tenant

log = structlog.get_logger(__name__)

Made = tuple[Record, tuple[Mask, ...]]
"""A commit that is durable, and which rows of each stream it was the first to bring."""

LAND_ROWS = 20_000
"""So many rows go into the tables together where nothing asks for them before."""
MOST_ROWS = 50_000
"""So many may wait; then an append waits until they have landed."""
BULK_ROWS = 10_000
"""A commit of so many has no use for the journal: writing it twice takes longer than a transaction does."""


class Appending:
    """Makes commits, one after the other, from any thread."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        pending: Pending,
        marks: Marks,
        landing: Landing,
        *,
        untimed_id_seconds: int,
        samples: SampleLimits,
    ) -> None:
        self._database = database
        self._landing = landing
        self._journal = journal
        self._pending = pending
        self._marks = marks
        self._reach = untimed_id_seconds * 1_000_000
        self._samples = samples
        self._one_at_a_time = Lock()
        self._coming: Future[None] | None = None
        self._unsure = False  # whether the tables may have a commit that is not known of
        self._last = self._recover()

    @property
    def last(self) -> int:
        """The number of the last durable commit; 0 before the first."""
        if self._unsure:
            with self._one_at_a_time:
                self._make_sure()
        return self._last

    def append(self, append: Append, tenants: dict[str, Tenant], default: Tenant) -> Commit:
        """Keeps the fresh rows, marks the ledger and counts every outcome, all under the next number.

        To the `tenants` it adds those that are named for the first time, with the `default`'s zone.
        """
        keys = _keys(append.rows)
        with self._one_at_a_time:
            self._make_sure()
            known = tenants.__contains__
            if sum(given.rows.num_rows for given in append.rows) < BULK_ROWS:
                record, new = self._append_to_journal(append, keys, known, default)
            else:
                record, new = self._append_to_tables(append, keys, known, default)
            self._last = record.number
            tenants.update((tenant.name, tenant) for tenant in record.tenants)
        if self._pending.rows >= LAND_ROWS and (self._coming is None or self._coming.done()):
            self._coming = self._database.submit(lambda _cursor: None, touched=NOBODY)
            self._coming.add_done_callback(_told)
        return Commit(record.number, new, self._dirty_from(keys))

    def land(self) -> None:
        """Has the tables hold every commit made so far. Raises `StorageFull`, `StorageError`."""
        if self._pending.records:
            self._database.write(lambda _cursor: None, touched=NOBODY)

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
            self._add(record, [Named.of(each.stream, each.rows) for each in record.rows])
            last = record.number
        self.land()
        self._journal.clear()
        return last

    def _add(self, record: Record, named: Iterable[Named]) -> None:
        self._pending.add(record)
        for rows in named:
            self._recent.add(rows)

    def _make_sure(self) -> None:
        """Reads how far the tables are, where a transaction failed that may have been made all the same."""
        if self._unsure:
            with self._database.snapshot() as cursor:
                self._last = last_commit(cursor)
            self._unsure = False

    def _append_to_journal(
        self, append: Append, keys: Sequence[Key], known: Callable[[str], bool], default: Tenant
    ) -> Made:
        if self._pending.rows >= MOST_ROWS:
            self.land()
        named = [Named.of(given.stream.name, given.rows) for given in append.rows]
        new = tuple(
            firsts(given) & ~self._there(given, rows, append.arrival)
            for given, rows in zip(append.rows, named, strict=True)
        )
        record = self._record(append, new, keys, known, default)
        self._journal.write(record.number, encoded(record))
        self._add(record, (rows.only(mask) for rows, mask in zip(named, new, strict=True) if mask.any()))
        return record, new

    def _append_to_tables(
        self, append: Append, keys: Sequence[Key], known: Callable[[str], bool], default: Tenant
    ) -> Made:
        """The tables get commits in the order of their numbers: first what waits."""
        self.land()
        with self._database.snapshot() as cursor:
            new = tuple(
                firsts(given) & ~kept(cursor, given, append.arrival, self._reach) for given in append.rows
            )
        record = self._record(append, new, keys, known, default)
        for each in record.rows:  # before the transaction, which may be made though it seems to fail
            self._recent.add_many(each.stream, each.rows, append.arrival)
        try:
            self._database.write(partial(self._landing.bring, record=record), touched=NOBODY)
        except BaseException:
            self._unsure = True
            raise
        return record, new

    def _there(self, given: StreamRows, named: Named, arrival: int) -> Mask:
        """The rows that are kept already. They are searched for only where they may be.

        First what is pending, then the tables: a commit may go from the one to the other in between.
        """
        there = self._recent.may_have(named, arrival, self._reach)
        if not there.any():
            return there
        some = _some(given, there)
        found = waiting(self._pending.rows_of(given.stream.name), some, arrival, self._reach)
        if not found.all():
            with self._database.snapshot() as cursor:
                found[~found] = kept(cursor, _some(some, ~found), arrival, self._reach)
        there[there] = found
        return there

    def _record(
        self,
        append: Append,
        new: tuple[Mask, ...],
        keys: Iterable[Key],
        known: Callable[[str], bool],
        default: Tenant,
    ) -> Record:
        named = append.owners.union(tenant for _, tenant in keys)
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

    def _dirty_from(self, keys: Sequence[Key]) -> dict[Key, int]:
        waiting = self._pending.earliest(keys)
        landed = self._marks.at_hand(keys)
        if landed is None:
            with self._database.snapshot() as cursor:
                landed = earliest(cursor)
        found = {key: [where[key] for where in (waiting, landed) if key in where] for key in keys}
        return {key: min(starts) for key, starts in found.items() if starts}


def _keys(rows: Iterable[StreamRows]) -> list[Key]:
    """The streams and tenants that rows are of."""
    return [(given.stream.name, tenant) for given in rows for tenant in sorted(given.owners.tenants)]


def _some(given: StreamRows, chosen: Mask) -> StreamRows:
    return given if chosen.all() else replace(given, rows=given.rows.filter(pa.array(chosen)))


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
