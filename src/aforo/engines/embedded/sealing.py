"""The seals: up to when raw events were purged, by stream and tenant, and the events that are older."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import RLock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.appends import Append, Commit, OutcomeCount, StreamRows
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.keeping import Seal
from aforo.engines.outcomes import sealed_detail
from aforo.engines.refused import Sample
from aforo.model.ingest import SEALED

Key = tuple[str, str]
NOTHING_SEALED = Seal()

CREATE = """
-- Up to when raw events were purged, and up to when rollups' slots were; whole days of the tenant.
CREATE TABLE IF NOT EXISTS seals (
    stream VARCHAR NOT NULL, tenant VARCHAR NOT NULL, events_from TIMESTAMP NOT NULL, slots_from TIMESTAMP
)
"""

ALL = """
-- Every seal there is.
SELECT stream, tenant, epoch_us(events_from), epoch_us(slots_from) FROM seals
"""

ONE = """
-- The seal of a stream and tenant.
SELECT epoch_us(events_from), epoch_us(slots_from) FROM seals WHERE stream = $stream AND tenant = $tenant
"""

DELETE = "DELETE FROM seals WHERE stream = $stream AND tenant = $tenant"

INSERT = "INSERT INTO seals VALUES ($stream, $tenant, $events_from, $slots_from)"

SWEEP = """
-- Marks that nothing can answer any more: what they ask to be folded was purged.
DELETE FROM ledger WHERE stream = $stream AND tenant = $tenant AND slot < $until
"""


class Seals:
    """All seals at hand. Taking and sealing exclude each other, so that no event falls between them.

    A seal is raised here before anything below it goes: who finds it unmoved after reading missed nothing.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._seals: dict[Key, Seal] = {}

    def read(self, cursor: Cursor) -> None:
        """Takes what stands in the table."""
        with self._lock:
            self._seals = {
                (stream, tenant): Seal(events, slots or 0)
                for stream, tenant, events, slots in cursor.execute(ALL).fetchall()
            }

    def of(self, stream: str, tenant: str) -> Seal:
        """How far back the stream and tenant are kept."""
        return self._seals.get((stream, tenant), NOTHING_SEALED)

    @contextmanager
    def unmoved(self) -> Iterator[Mapping[Key, Seal]]:
        """The seals, none of which moves while they are held."""
        with self._lock:
            yield self._seals

    @contextmanager
    def raised(self, stream: str, tenant: str, seal: Seal) -> Iterator[Callable[[Seal], None]]:
        """Raises a seal; it falls back where the block fails, or to what the block says was kept."""
        key = (stream, tenant)

        def lowered(to: Seal) -> None:
            with self._lock:
                self._seals[key] = to

        with self._lock:
            before = self.of(stream, tenant)
            self._seals[key] = seal
        try:
            yield lowered
        except BaseException:
            lowered(before)
            raise


def seal_of(cursor: Cursor, stream: str, tenant: str) -> Seal:
    """The seal as the cursor sees it; nothing that is older may be folded or marked."""
    found = first_row(cursor, ONE, {"stream": stream, "tenant": tenant})
    return NOTHING_SEALED if found is None else Seal(found[0], found[1] or 0)


def keep(cursor: Cursor, stream: str, tenant: str, seal: Seal) -> None:
    """Writes a seal in the transaction that purges."""
    named: dict[str, object] = {"stream": stream, "tenant": tenant}
    cursor.execute(DELETE, named)
    slots_from = timestamp(seal.slots_from) if seal.slots_from else None
    cursor.execute(INSERT, {**named, "events_from": timestamp(seal.events_from), "slots_from": slots_from})


def sweep(cursor: Cursor, stream: str, tenant: str) -> None:
    """Removes the marks of what is sealed: folding it would put nothing in the place of what is kept."""
    until = timestamp(seal_of(cursor, stream, tenant).events_from)
    cursor.execute(SWEEP, {"stream": stream, "tenant": tenant, "until": until})


def apart(
    append: Append, seals: Mapping[Key, Seal], most_samples: int
) -> tuple[Append, tuple[Mapping[int, int], ...]]:
    """The append without what is older than its seal, which is counted as refused, and these rows.

    They are told for each stream as row -> the seal it is older than.
    """
    found = tuple(_older(given, seals) for given in append.rows)
    if not any(found):
        return append, found
    kept = tuple(
        StreamRows(given.stream, given.rows.filter(pa.array(_stay(given.rows.num_rows, older))))
        for given, older in zip(append.rows, found, strict=True)
    )
    counts: list[OutcomeCount] = []
    samples: list[Sample] = []
    for given, older in zip(append.rows, found, strict=True):
        counts += _counted(given, older)
        samples += [_sample(given, row, seal) for row, seal in list(older.items())[-most_samples:]]
    taken = replace(
        append,
        rows=kept,
        refused=(*append.refused, *counts),
        samples=(*append.samples, *(samples if most_samples else ())),
    )
    return taken, found


def told(commit: Commit, append: Append, older: Sequence[Mapping[int, int]]) -> Commit:
    """The commit with the rows that were left out back in their places."""
    if not any(older):
        return replace(commit, sealed=tuple(older))
    fresh = []
    for given, new, sealed in zip(append.rows, commit.fresh, older, strict=True):
        whole = np.zeros(given.rows.num_rows, np.bool_)
        whole[_stay(given.rows.num_rows, sealed)] = new
        fresh.append(whole)
    return replace(commit, fresh=tuple(fresh), sealed=tuple(older))


def _older(given: StreamRows, seals: Mapping[Key, Seal]) -> Mapping[int, int]:
    name = given.stream.name
    limits = {tenant: seal.events_from for (stream, tenant), seal in seals.items() if stream == name}
    if not limits or not given.rows.num_rows:
        return {}
    tenants = given.rows["tenant"].combine_chunks().dictionary_encode()
    limit = np.array([limits.get(tenant, 0) for tenant in tenants.dictionary.to_pylist()], np.int64)
    of_row = limit[tenants.indices.to_numpy(zero_copy_only=False)]
    times = pc.cast(given.rows["time"], pa.int64()).to_numpy()
    return {row: int(of_row[row]) for row in np.flatnonzero(times < of_row).tolist()}


def _stay(rows: int, older: Mapping[int, int]) -> npt.NDArray[np.bool_]:
    out = np.ones(rows, np.bool_)
    out[list(older)] = False
    return out


def _counted(given: StreamRows, older: Mapping[int, int]) -> list[OutcomeCount]:
    if not older:
        return []
    tenants = given.rows["tenant"].take(pa.array(list(older), pa.int64()))
    return [
        OutcomeCount(given.stream.name, pair["values"], SEALED, pair["counts"])
        for pair in pc.value_counts(tenants).to_pylist()
    ]


def _sample(given: StreamRows, row: int, seal: int) -> Sample:
    """The names that the event brought; of its values only the time is told."""
    names = {"stream": "string", "tenant": "string", "id": "string", "time": "timestamp"}
    for name, field in given.stream.fields.items():
        if name in given.rows.column_names and given.rows[name][row].is_valid:
            names[f"fields.{name}"] = str(field.type)
    came = int(given.rows["time"][row].cast(pa.int64()).as_py())
    return Sample(
        given.stream.name, given.rows["tenant"][row].as_py(), SEALED, sealed_detail(came, seal), names
    )
