"""One commit: events not seen before, what they dirtied, and what became of everything that arrived."""

from __future__ import annotations

from collections.abc import Container, Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import events_table, ordinal_column, quoted
from aforo.engines.embedded.marks import Marks
from aforo.engines.embedded.modelling import last_commit
from aforo.engines.embedded.ordinals import Ordinals
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.recognising import fresh
from aforo.engines.engine import ACCEPTED, DUPLICATE, Append, Claim, Commit, OutcomeCount, StreamRows
from aforo.model.stream import Stream
from aforo.model.tenant import Tenant
from aforo.windows import slot_of

STAGE = "stage"


class Appending:
    """Makes commits, and keeps at hand what every one of them needs to know of those before.

    Used on the writing thread only.
    """

    def __init__(self, *, untimed_id_seconds: int, entities_at_hand: int) -> None:
        self._untimed_id_seconds = untimed_id_seconds
        self._ordinals = Ordinals(entities_at_hand)
        self._marks = Marks()
        self._last: int | None = None

    def forget(self) -> None:
        """What is at hand may not be what the file holds: a transaction was rolled back, or another wrote."""
        self._ordinals.forget()
        self._marks.forget()
        self._last = None

    def append(self, cursor: Cursor, append: Append, default: Tenant, known: Container[str]) -> Commit:
        """Keeps the fresh rows, marks the ledger and counts every outcome, all under the next number.

        `known` are tenants that the file names already.
        """
        number = (last_commit(cursor) if self._last is None else self._last) + 1
        new = tuple(self._keep(cursor, rows, number, append.arrival) for rows in append.rows)
        _count(cursor, append, new, number)
        _name_tenants(cursor, [name for name in tenants_of(append.rows) if name not in known], default)
        cursor.execute(
            "INSERT INTO commits VALUES ($commit, $at)", {"commit": number, "at": timestamp(append.arrival)}
        )
        self._last = number
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


def _count(cursor: Cursor, append: Append, fresh: tuple[npt.NDArray[np.bool_], ...], number: int) -> None:
    counts = [
        *(count for given, new in zip(append.rows, fresh, strict=True) for count in _kept_counts(given, new)),
        *append.refused,
    ]
    if not counts:
        return
    slot = timestamp(slot_of(append.arrival))
    cursor.execute(
        """
        -- What became of what arrived.
        INSERT INTO outcomes SELECT $commit, $slot, unnest($streams), unnest($tenants), unnest($outcomes),
            unnest($counts)
        """,
        {
            "commit": number,
            "slot": slot,
            "streams": [count.stream for count in counts],
            "tenants": [count.tenant for count in counts],
            "outcomes": [count.outcome for count in counts],
            "counts": [count.count for count in counts],
        },
    )


def _kept_counts(given: StreamRows, fresh: npt.NDArray[np.bool_]) -> Iterable[OutcomeCount]:
    for outcome, chosen in ((ACCEPTED, fresh), (DUPLICATE, ~fresh)):
        if not chosen.any():
            continue
        for pair in pc.value_counts(given.rows["tenant"].filter(pa.array(chosen))).to_pylist():
            yield OutcomeCount(given.stream.name, pair["values"], outcome, pair["counts"])


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
