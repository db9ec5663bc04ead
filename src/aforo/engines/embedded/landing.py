"""Where commits go from the journal: into the tables, many in one transaction of the writing thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from aforo.engines.embedded import counting, sampling
from aforo.engines.embedded.database import Companion, Cursor
from aforo.engines.embedded.derive_marks import DeriveMarks
from aforo.engines.embedded.journal import Journal
from aforo.engines.embedded.layout import events_table, ordinal_column, quoted
from aforo.engines.embedded.marks import Marks
from aforo.engines.embedded.modelling import last_commit
from aforo.engines.embedded.ordinals import Ordinals
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.pending import Pending
from aforo.engines.embedded.record import KEYS, Record, RecordRows
from aforo.engines.embedded.touches import NOBODY, Touched
from aforo.engines.refused import SampleLimits
from aforo.model.stream import Entity
from aforo.model.tenant import Tenant
from aforo.windows import slot_of

STAGE = "stage"


class Landing(Companion):
    """Every write transaction begins by writing what is pending, so that it sees all that was acknowledged.

    Keeps at hand what the next write needs to know of those before. Used on the writing thread only.
    """

    def __init__(
        self,
        journal: Journal,
        pending: Pending,
        marks: Marks,
        *,
        ordinals: Ordinals,
        samples: SampleLimits,
    ) -> None:
        self._journal = journal
        self._pending = pending
        self._marks = marks
        self._samples = samples
        self._ordinals = ordinals
        self._derive_marks = DeriveMarks()
        self._landed: int | None = None  # the last commit in the tables
        self._landing: int | None = None
        self._counting_slot: int | None = None
        self._touched = NOBODY

    @property
    def touched(self) -> Touched:
        """Whose events this transaction brings, which then wait to be folded and derived from."""
        return self._touched

    def begin(self, cursor: Cursor) -> None:
        """Writes every pending commit that the tables do not have."""
        self._touched = NOBODY
        if self._landed is None:
            self._landed = last_commit(cursor)
        self._landing = self._landed
        pending = self._pending.records
        if not pending:
            return
        self._journal.rotate()
        # A commit of DuckDB's that failed at its very end may have been made all the same.
        records = [record for record in pending if record.number > self._landed]
        self._landing = pending[-1].number
        if records:
            self._write(cursor, records)

    def bring(self, cursor: Cursor, record: Record) -> None:
        """Writes a commit that no journal has, as a part of the transaction; none may be pending."""
        self._write(cursor, [record])
        self._landing = record.number

    def done(self) -> None:
        """The transaction is durable."""
        self._landed = self._landing
        if self._landed is not None:
            self._pending.leave(self._landed)
            self._journal.drop(self._landed)

    def undone(self) -> None:
        """The transaction was rolled back, or so it seems: the numbers are read from the file again."""
        self.forget()
        self._landed = self._landing = None

    def forget(self) -> None:
        """What is at hand may not be what the file holds."""
        self._ordinals.forget()
        self._marks.forget()
        self._derive_marks.forget()
        self._counting_slot = None

    def number(self, cursor: Cursor, entity: Entity, rows: pa.Table) -> pa.Array:
        """The numbers of an entity's values in rows that no commit brings; new values are written."""
        return self._ordinals.of(cursor, entity, rows)

    def _write(self, cursor: Cursor, records: Sequence[Record]) -> None:
        arrival = records[-1].arrival
        if slot_of(arrival) != self._counting_slot:
            counting.put_together(cursor, arrival)
            self._counting_slot = slot_of(arrival)
        for stream, numbered in _by_stream(records).items():
            self._insert(cursor, stream, numbered)
        marks = [(each.number, mark) for each in records for mark in each.marks]
        self._touched = self._touched.union(mark.tenant for _, mark in marks)
        self._marks.mark(cursor, marks)
        self._derive_marks.mark(cursor, marks)
        counting.count(cursor, records)
        for record in records:
            sampling.keep(cursor, record.samples, record.number, record.arrival, self._samples)
        _name_tenants(cursor, [tenant for record in records for tenant in record.tenants])
        _number(cursor, records)

    def _insert(self, cursor: Cursor, stream: str, numbered: Sequence[tuple[int, RecordRows]]) -> None:
        rows = _joined(numbered)
        entities = dict.fromkeys(entity for _, part in numbered for entity in part.entities)
        kept = [entity for entity in entities if entity.field in rows.column_names]
        for at, entity in enumerate(kept):
            rows = rows.append_column(f"__ordinal{at}", self._ordinals.of(cursor, entity, rows))
        fields = dict.fromkeys(name for _, part in numbered for name in part.fields)
        columns = [*KEYS, '"commit"', *map(quoted, fields)]
        ordinals = [ordinal_column(entity.name, entity.field) for entity in kept]
        picked = [*columns, *(f"__ordinal{at}" for at in range(len(kept)))]
        cursor.register(STAGE, rows)
        cursor.execute(
            f"INSERT INTO {events_table(stream)} ({', '.join((*columns, *ordinals))}) "
            f"SELECT {', '.join(picked)} FROM {STAGE} ORDER BY time"
        )
        # Not where something failed: DuckDB would say that the transaction is aborted, and hide the reason.
        cursor.unregister(STAGE)


def _by_stream(records: Iterable[Record]) -> dict[str, list[tuple[int, RecordRows]]]:
    found: dict[str, list[tuple[int, RecordRows]]] = {}
    for record in records:
        for rows in record.rows:
            found.setdefault(rows.stream, []).append((record.number, rows))
    return found


def _joined(numbered: Sequence[tuple[int, RecordRows]]) -> pa.Table:
    """The rows of many commits with their numbers; a field that one did not bring is null there."""
    rows = pa.concat_tables([part.rows for _, part in numbered], promote_options="default")
    sizes = [part.rows.num_rows for _, part in numbered]
    numbers = np.repeat(np.array([number for number, _ in numbered], np.int64), sizes)
    return rows.combine_chunks().append_column("commit", pa.array(numbers))


def _name_tenants(cursor: Cursor, tenants: Iterable[Tenant]) -> None:
    """Tenants that only events name count in the zone that was the default's at their first event."""
    for tenant in tenants:
        cursor.execute(
            "INSERT OR IGNORE INTO tenants VALUES ($name, $timezone, $week_start, false)",
            {"name": tenant.name, "timezone": tenant.timezone, "week_start": tenant.week_start},
        )


def _number(cursor: Cursor, records: Sequence[Record]) -> None:
    cursor.execute(
        "INSERT INTO commits SELECT unnest($numbers), unnest($times)",
        {
            "numbers": [record.number for record in records],
            "times": [timestamp(record.arrival) for record in records],
        },
    )
