"""What a fold computed takes the place of what is kept: in short transactions, each of whole days."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.embedded import held, sealing
from aforo.engines.embedded.calendar import places_table
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import RollupLayout, quoted
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.portions import only
from aforo.engines.folds import Folded, FoldedPeriod, Places
from aforo.model.stream import Stream

REVISIONS = """
-- How often each of some days was folded, in their order.
SELECT coalesce(max(r.revision), 0)::BIGINT AS revision
FROM places AS p LEFT JOIN revisions AS r
    ON r.stream = $stream AND r.tenant = p.tenant AND r.day = p.start
GROUP BY p.tenant, p.start ORDER BY p.tenant, p.start
"""

SEALED = """
-- Which of some days have been purged, in their order.
SELECT coalesce(bool_or(p.start < s.events_from), false) AS sealed
FROM places AS p LEFT JOIN seals AS s ON s.stream = $stream AND s.tenant = p.tenant
GROUP BY p.tenant, p.start ORDER BY p.tenant, p.start
"""

ANSWERED = """
-- Marks that came after the snapshot stay.
DELETE FROM ledger USING places AS p
WHERE stream = $stream AND ledger.tenant = p.tenant AND slot = p.start AND "commit" <= $as_of
"""


def write(cursor: Cursor, folded: Folded, stream: Stream, now: int) -> None:
    """Replaces the rows of every folded period, raises the days' revisions and removes the answered marks.

    A day that another fold has overtaken would bring old rows back, or a day without the other's slots; and
    of one that was purged nothing may be put in the place of what is kept. Both are left out.
    """
    sealed = _sealed(cursor, stream.name, folded.days)
    for tenant in np.unique(folded.days.tenants[sealed]).tolist():
        sealing.sweep(cursor, stream.name, tenant)
    if sealed.any():
        held.let_go(cursor, stream.name, folded.claim.slots.only(sealed[folded.day_of]))
    current = ~sealed & (revisions(cursor, stream.name, folded.days) == folded.revisions)
    if not current.all():
        folded = only(folded, current)
    if not len(folded.days):
        return
    for period in folded.periods:
        replace_rows(cursor, RollupLayout.of(stream, period.rollup), period)
    _raise_revisions(cursor, stream.name, folded, now)
    held.keep(cursor, folded)
    _with_places(cursor, folded.claim.slots, ANSWERED, {"stream": stream.name, "as_of": folded.as_of})


def _sealed(cursor: Cursor, stream: str, days: Places) -> npt.NDArray[np.bool_]:
    cursor.register("places", places_table(days))
    found = cursor.execute(SEALED, {"stream": stream}).fetchnumpy()["sealed"]
    cursor.unregister("places")
    return np.asarray(found, np.bool_)


def revisions(cursor: Cursor, stream: str, days: Places) -> npt.NDArray[np.int64]:
    """How often each of the days was folded."""
    cursor.register("places", places_table(days))
    found = cursor.execute(REVISIONS, {"stream": stream}).fetchnumpy()["revision"]
    cursor.unregister("places")
    return np.asarray(found, np.int64)


def replace_rows(cursor: Cursor, layout: RollupLayout, period: FoldedPeriod) -> None:
    """Puts the rows of a folded period in the place of what is kept for its starts."""
    table = layout.table(period.period)
    if period.whole.any():
        places = period.starts.only(period.whole)
        same = f"{table}.tenant = p.tenant AND {table}.start = p.start"
        sql = f"DELETE FROM {table} USING places AS p WHERE {same} AND {_within(table)}"
        _with_places(cursor, places, sql, _bounds(places))
    if not period.rows.num_rows:
        return
    cursor.register("folded", period.rows)
    if not period.whole.all():
        _make_way(cursor, layout, table, _bounds(period.starts))
    names = ", ".join(quoted(name) for name in period.rows.column_names)
    cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM folded")
    cursor.unregister("folded")


def _make_way(cursor: Cursor, layout: RollupLayout, table: str, bounds: dict[str, object]) -> None:
    """Removes what the new rows were merged with: the kept ones of the same split."""
    same = "".join(f" AND {table}.{name} IS NOT DISTINCT FROM f.{name}" for name in layout.dimensions)
    cursor.execute(
        f"DELETE FROM {table} USING folded AS f "
        f"WHERE {table}.tenant = f.tenant AND {table}.start = f.start{same} AND {_within(table)}",
        bounds,
    )


def _within(table: str) -> str:
    """Spares what is far from all starts."""
    return f"{table}.start BETWEEN make_timestamp($first) AND make_timestamp($last)"


def _bounds(places: Places) -> dict[str, object]:
    return {"first": int(places.starts.min()), "last": int(places.starts.max())}


def _raise_revisions(cursor: Cursor, stream: str, folded: Folded, now: int) -> None:
    """Every folded day has a new version; the first is 1. What it was made from, and when, goes with it."""
    raised = places_table(folded.days).append_column("revision", pa.array(folded.revisions + 1))
    cursor.register("raised", raised)
    cursor.execute(
        "DELETE FROM revisions USING raised "
        "WHERE stream = $stream AND revisions.tenant = raised.tenant AND day = start",
        {"stream": stream},
    )
    cursor.execute(
        "INSERT INTO revisions SELECT $stream, tenant, start, revision, $as_of, $now FROM raised",
        {"stream": stream, "as_of": folded.as_of, "now": timestamp(now)},
    )
    cursor.unregister("raised")


def _with_places(cursor: Cursor, places: Places, sql: str, parameters: dict[str, object]) -> None:
    cursor.register("places", places_table(places))
    cursor.execute(sql, parameters)
    cursor.unregister("places")
