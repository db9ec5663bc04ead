"""One commit: events not seen before, what they dirtied, and what became of everything that arrived."""

from __future__ import annotations

from collections.abc import Container, Iterable
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.embedded import counting, sampling
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import events_table, ordinal_column, quoted
from aforo.engines.embedded.marks import Marks
from aforo.engines.embedded.modelling import last_commit
from aforo.engines.embedded.ordinals import Ordinals
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.recognising import fresh
from aforo.engines.engine import Append, Claim, Commit, StreamRows
from aforo.engines.outcomes import attributed, outcomes_of
from aforo.engines.refused import SampleLimits, newest
from aforo.model.stream import Stream
from aforo.model.tenant import Tenant
from aforo.windows import slot_of

STAGE = "stage"


class Appending:
    """Makes commits, and keeps at hand what every one of them needs to know of those before.

    Used on the writing thread only.
    """

    def __init__(self, *, untimed_id_seconds: int, entities_at_hand: int, samples: SampleLimits) -> None:
        self._untimed_id_seconds = untimed_id_seconds
        self._samples = samples
        self._ordinals = Ordinals(entities_at_hand)
        self._marks = Marks()
        self._last: int | None = None
        self._counting_slot: int | None = None

    def forget(self) -> None:
        """What is at hand may not be what the file holds: a transaction was rolled back, or another wrote."""
        self._ordinals.forget()
        self._marks.forget()
        self._last = None
        self._counting_slot = None

    def append(self, cursor: Cursor, append: Append, default: Tenant, known: Container[str]) -> Commit:
        """Keeps the fresh rows, marks the ledger and counts every outcome, all under the next number.

        `known` are tenants that the file names already.
        """
        slot = slot_of(append.arrival)
        if slot != self._counting_slot:
            counting.put_together(cursor, append.arrival)
        number = (last_commit(cursor) if self._last is None else self._last) + 1
        new = tuple(self._keep(cursor, rows, number, append.arrival) for rows in append.rows)
        named = tenants_of(append.rows)
        of_known = partial(attributed, known=lambda name: name in named or name in known)
        counting.count(cursor, outcomes_of(append, new, of_known), number, append.arrival)
        sampling.keep(
            cursor, newest(append.samples, self._samples, of_known), number, append.arrival, self._samples
        )
        _name_tenants(cursor, [name for name in named if name not in known], default)
        cursor.execute(
            "INSERT INTO commits VALUES ($commit, $at)", {"commit": number, "at": timestamp(append.arrival)}
        )
        self._last, self._counting_slot = number, slot
        return Commit(number, new, self._dirty_from(cursor, append.rows))

    def folded(self, cursor: Cursor, claim: Claim) -> None:
        """A fold has answered marks of a claim's tenant."""
        self._marks.answered(cursor, claim.stream, claim.tenant)

    def _keep(self, cursor: Cursor, given: StreamRows, number: int, arrival: int) -> npt.NDArray[np.bool_]:
        new = fresh(cursor, given, arrival, self._untimed_id_seconds)
        if new.any():
            rows = given.rows if new.all() else given.rows.filter(pa.array(new))
            self._insert(cursor, given.stream, rows, number)
            self._marks.mark(cursor, given.stream.name, rows, number)
        return new

    def _insert(self, cursor: Cursor, stream: Stream, rows: pa.Table, number: int) -> None:
        entities = [entity for entity in stream.entities.values() if entity.field in rows.column_names]
        fields = [name for name in stream.fields if name in rows.column_names]
        stage = rows
        for at, entity in enumerate(entities):
            stage = stage.append_column(f"__ordinal{at}", self._ordinals.of(cursor, entity, rows))
        columns = [
            *("tenant", "id", "time", "untimed", '"commit"'),
            *map(quoted, fields),
            *(ordinal_column(entity.name, entity.field) for entity in entities),
        ]
        picked = [
            *("tenant", "id", "time", "untimed", "$commit"),
            *map(quoted, fields),
            *(f"__ordinal{at}" for at in range(len(entities))),
        ]
        cursor.register(STAGE, stage)
        cursor.execute(
            f"INSERT INTO {events_table(stream.name)} ({', '.join(columns)}) "
            f"SELECT {', '.join(picked)} FROM {STAGE} ORDER BY time",
            {"commit": number},
        )
        # Not where something failed: DuckDB would say that the transaction is aborted, and hide the reason.
        cursor.unregister(STAGE)

    def _dirty_from(self, cursor: Cursor, rows: tuple[StreamRows, ...]) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for given in rows:
            tenants = pc.unique(given.rows["tenant"]).to_pylist()
            found |= self._marks.dirty_from(cursor, given.stream.name, tenants)
        return found


def tenants_of(rows: tuple[StreamRows, ...]) -> list[str]:
    """The names of all tenants that rows are of."""
    return sorted({name for given in rows for name in pc.unique(given.rows["tenant"]).to_pylist()})


def _name_tenants(cursor: Cursor, names: Iterable[str], default: Tenant) -> None:
    """Tenants that only events name count in the default's zone from their first event on."""
    for name in names:
        cursor.execute(
            "INSERT OR IGNORE INTO tenants VALUES ($name, $timezone, $week_start, false)",
            {"name": name, "timezone": default.timezone, "week_start": default.week_start},
        )
