"""Derive: what follows from the events of some days comes of one snapshot and is written where it differs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.embedded import deriving_sql as sql
from aforo.engines.embedded import unheld
from aforo.engines.embedded.calendar import SPANS, Calendar, as_times, places_table, stretches
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.derive_marks import WHOLE
from aforo.engines.embedded.landing import Landing
from aforo.engines.embedded.layout import events_table, ordinal_column
from aforo.engines.embedded.marks import Marks
from aforo.engines.embedded.modelling import last_commit
from aforo.engines.embedded.parameters import Parameters
from aforo.engines.folds import Derived, Places
from aforo.model.derivation import DerivationKind
from aforo.model.model import Model
from aforo.model.stream import Stream
from aforo.windows import SLOT, Zone

SLOTS_AT_ONCE = 4_000

MARKED_STREAM = """
-- The stream with the newest slot that something waits to be derived from.
SELECT stream FROM derive_marks WHERE list_contains($streams, stream) ORDER BY slot DESC, stream LIMIT 1
"""

MARKED_SLOTS = """
-- Slots that a stream waits to be derived from, newest first; sealed ones have nothing that may change.
SELECT m.tenant, epoch_us(m.slot) AS slot, sum(m.events)::BIGINT AS events, min(m.since) AS since,
    max(m.number) AS number, coalesce(m.slot < max(s.events_from), false) AS sealed
FROM derive_marks AS m LEFT JOIN (
    SELECT tenant, max(events_from) AS events_from FROM seals
    WHERE stream = $stream OR stream = $source GROUP BY tenant
) AS s ON s.tenant = m.tenant
WHERE m.stream = $stream GROUP BY m.tenant, m.slot ORDER BY m.slot DESC, m.tenant
"""

OVERTAKEN = """
-- Whether anything went, in whole slots of these tenants, after the marks were read.
SELECT 1 FROM derive_marks
WHERE stream = $stream AND since = $whole AND number > $number AND list_contains($tenants, tenant) LIMIT 1
"""

ANSWERED = """
-- Marks that came after the snapshot stay.
DELETE FROM derive_marks USING places AS p
WHERE stream = $stream AND derive_marks.tenant = p.tenant AND slot = p.start AND number <= $number
"""

CHANGED = """
-- The slots of derived events that came or went, with how many.
SELECT tenant, epoch_us(time_bucket(INTERVAL 15 MINUTES, time)) AS slot, count(*) AS events
FROM (SELECT tenant, time FROM gone UNION ALL SELECT tenant, time FROM fresh)
GROUP BY ALL ORDER BY tenant, slot
"""

MARK = """
-- These slots are to be folded again. That no events are said to have come has them made anew, not merged.
INSERT INTO ledger
SELECT $stream, tenant, start, $commit, unnest([events, 0]) FROM changed
"""

RAISE = """
-- Days that were changed beneath a fold: what it has read of them is old, and it leaves them out.
MERGE INTO revisions AS r USING places AS p
ON r.stream = $stream AND r.tenant = p.tenant AND r.day = p.start
WHEN MATCHED THEN UPDATE SET revision = r.revision + 1
WHEN NOT MATCHED THEN INSERT (stream, tenant, day, revision) VALUES ($stream, p.tenant, p.start, 1)
"""

Numbers = npt.NDArray[np.int64]
Zones = Callable[[str], Zone]


@dataclass(frozen=True, slots=True)
class Marked:
    """Slots of the source that are answered together, as of the mark of a `number`.

    `open` are those that are not sealed, with the commit `since` which events of each are new.
    """

    answered: Places
    open: Places
    since: Numbers
    number: int

    @property
    def whole(self) -> bool:
        """Whether events may have gone."""
        return bool((self.since == WHOLE).any())


@dataclass(frozen=True, slots=True)
class Found:
    """Derived events to be removed and added, and the marks that this answers."""

    stream: Stream
    marked: Marked
    gone: pa.Table
    fresh: pa.Table

    @property
    def tenants(self) -> frozenset[str]:
        """Whose marks are answered, and whose events come and go."""
        changed = (pc.unique(each["tenant"]).to_pylist() for each in (self.gone, self.fresh))
        return frozenset(self.marked.answered.tenants.tolist()).union(*changed)


Write = Callable[[Callable[[Cursor], Derived], frozenset[str]], Derived]
"""Runs a change in a write transaction, told whom it touches."""


class Deriving:
    """Derives one portion after the other: two at once might both add what follows, or what did."""

    def __init__(self, landing: Landing, marks: Marks) -> None:
        self._landing = landing
        self._marks = marks
        self._one_at_a_time = Lock()

    def step(
        self,
        landed: Callable[[], AbstractContextManager[Cursor]],
        write: Write,
        model: Model,
        zone_of: Zones,
        max_rows: int,
    ) -> Derived | None:
        """Derives what waits of the newest days, of about so many events; None where nothing waits."""
        if not any(stream.derivation for stream in model.streams.values()):
            return None
        with self._one_at_a_time:
            with landed() as cursor:
                found = find(cursor, model, zone_of, max_rows)
            if found is None:
                return None
            return write(lambda cursor: self._write(cursor, found, zone_of), found.tenants)

    def _write(self, cursor: Cursor, found: Found, zone_of: Zones) -> Derived:
        """Writes what was found; nothing where events have gone meanwhile: what they made would come back."""
        stream, marked = found.stream, found.marked
        nothing = Derived(stream.name, Places.of({}), Places.of({}), 0, 0)
        tenants = np.unique(marked.answered.tenants).tolist()
        asked = {"stream": stream.name, "whole": WHOLE, "number": marked.number, "tenants": tenants}
        if first_row(cursor, OVERTAKEN, asked):
            return nothing
        changed = self._exchange(cursor, found, zone_of)
        cursor.register("places", places_table(marked.answered))
        cursor.execute(ANSWERED, {"stream": stream.name, "number": marked.number})
        cursor.unregister("places")
        return Derived(stream.name, marked.answered, changed, found.fresh.num_rows, found.gone.num_rows)

    def _exchange(self, cursor: Cursor, found: Found, zone_of: Zones) -> Places:
        """Removes and adds events, and marks exactly the slots in which any came or went."""
        stream = found.stream
        if not found.gone.num_rows and not found.fresh.num_rows:
            return Places.of({})
        self._marks.forget()
        commit = last_commit(cursor)
        cursor.register("gone", found.gone)
        cursor.register("fresh", found.fresh)
        _remove(cursor, stream, found.gone)
        if found.gone.num_rows:
            assert stream.derivation is not None
            of = stream.derivation
            unheld.note_underived(cursor, of.entity, ordinal_column(of.entity, of.field))
        rows = cursor.execute(CHANGED).fetchnumpy()
        cursor.unregister("gone")
        cursor.unregister("fresh")
        self._add(cursor, stream, found.fresh, commit)
        changed = Places(np.asarray(rows["tenant"], np.object_), np.asarray(rows["slot"], np.int64))
        cursor.register("changed", places_table(changed).append_column("events", pa.array(rows["events"])))
        cursor.execute(MARK, {"stream": stream.name, "commit": commit})
        cursor.unregister("changed")
        cursor.register("places", places_table(Calendar.of(changed, zone_of).days))
        cursor.execute(RAISE, {"stream": stream.name})
        cursor.unregister("places")
        return changed

    def _add(self, cursor: Cursor, stream: Stream, fresh: pa.Table, commit: int) -> None:
        """The entity keeps its number; what else the events name is numbered as it is when events come."""
        if not fresh.num_rows:
            return
        assert stream.derivation is not None
        names = list(sql.columns(stream, stream.derivation))
        carried = ordinal_column(stream.derivation.entity, stream.derivation.field)
        for at, entity in enumerate(stream.entities.values()):
            column = ordinal_column(entity.name, entity.field)
            if column != carried:
                fresh = fresh.append_column(f"__new{at}", self._landing.number(cursor, entity, fresh))
                names.append(f"__new{at} AS {column}")
        cursor.register("fresh", fresh)
        cursor.execute(
            f"INSERT INTO {events_table(stream.name)} BY NAME "
            f'SELECT {", ".join(names)}, false AS untimed, $commit AS "commit" FROM fresh ORDER BY time',
            {"commit": commit},
        )
        cursor.unregister("fresh")


def find(cursor: Cursor, model: Model, zone_of: Zones, max_rows: int) -> Found | None:
    """What is derived from the newest marked days, set against what is kept of it."""
    derived = [stream.name for stream in model.streams.values() if stream.derivation is not None]
    newest = first_row(cursor, MARKED_STREAM, {"streams": derived})
    if newest is None:
        return None
    stream = model.streams[newest[0]]
    derivation = stream.derivation
    assert derivation is not None
    source = model.streams[derivation.source]
    marked = _marked(cursor, stream.name, source.name, zone_of, max_rows)
    empty = pa.table({"tenant": pa.array([], pa.string()), "time": as_times(np.empty(0, np.int64))})
    if not len(marked.open):
        return Found(stream, marked, empty, empty)
    calendar = Calendar.of(marked.open, zone_of)
    cursor.register("calendar", calendar.table())
    cursor.register("dirty", _dirty_table(marked))
    spans = stretches(marked.open.starts, SPANS)
    _register(cursor, "touched", sql.touched_sql, stream, derivation, spans)
    if derivation.kind is DerivationKind.SESSIONS:
        days = stretches(calendar.slots.starts, SPANS)
        _register(cursor, "derived", sql.sessions_sql, source, derivation, days)
        _register(cursor, "kept", sql.kept_sessions_sql, stream, derivation)
    else:
        among = None if marked.whole else spans
        _register(cursor, "candidates", sql.firsts_sql, source, derivation, among)
        _register(cursor, "all_kept", sql.kept_firsts_sql, stream, derivation)
        _register(cursor, "derived", sql.new_firsts_sql, derivation, marked.whole)
        _register(cursor, "kept", sql.old_firsts_sql, derivation, marked.whole)
    gone, fresh = (
        cursor.sql(sql.difference_sql(stream, derivation, *pair)).to_arrow_table()
        for pair in (("kept", "derived"), ("derived", "kept"))
    )
    return Found(stream, marked, gone, fresh)


def _register(cursor: Cursor, name: str, text: Callable[..., str], *asked: object) -> None:
    """Runs one statement and has the next ones see its rows under a name."""
    parameters = Parameters()
    written = text(*asked, parameters)
    cursor.register(name, cursor.sql(written, params=parameters).to_arrow_table())


def _marked(cursor: Cursor, stream: str, source: str, zone_of: Zones, max_rows: int) -> Marked:
    """The newest marked slots of about so many events, and all others of the same days."""
    rows = cursor.execute(MARKED_SLOTS, {"stream": stream, "source": source}).fetchnumpy()
    tenants, slots = np.asarray(rows["tenant"], np.object_), np.asarray(rows["slot"], np.int64)
    taken = np.cumsum(rows["events"]) <= max_rows
    taken[SLOTS_AT_ONCE:] = False
    taken[0] = True
    days = Calendar.of(_ordered(tenants[taken], slots[taken]), zone_of).slots
    names = np.unique(tenants)
    keys = np.searchsorted(names, tenants) << 32 | slots // SLOT
    chosen = np.isin(keys, np.searchsorted(names, days.tenants) << 32 | days.starts // SLOT)
    open_ = np.flatnonzero(chosen & ~np.asarray(rows["sealed"], np.bool_))
    open_ = open_[np.argsort(keys[open_])]
    return Marked(
        answered=_ordered(tenants[chosen], slots[chosen]),
        open=Places(tenants[open_], slots[open_]),
        since=np.asarray(rows["since"], np.int64)[open_],
        number=int(np.max(rows["number"])),
    )


def _ordered(tenants: npt.NDArray[np.object_], slots: Numbers) -> Places:
    order = np.lexsort((slots, tenants))
    return Places(tenants[order], slots[order])


def _dirty_table(marked: Marked) -> pa.Table:
    return pa.table(
        {
            "__tenant": pa.array(marked.open.tenants, pa.string()),
            "__slot": as_times(marked.open.starts),
            "__since": pa.array(marked.since),
        }
    )


def _remove(cursor: Cursor, stream: Stream, gone: pa.Table) -> None:
    if not gone.num_rows:
        return
    span = pc.min_max(gone["time"]).as_py()
    table = events_table(stream.name)
    cursor.execute(
        f"""
        -- Derived events that no longer follow.
        DELETE FROM {table} USING gone AS g
        WHERE {table}.tenant = g.tenant AND {table}.id = g.id AND {table}.time = g.time
            AND {table}.time BETWEEN $first AND $last
        """,
        {"first": span["min"], "last": span["max"]},
    )
