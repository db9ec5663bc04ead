"""What a fold computed takes the place of what is kept: in short transactions, each of whole days."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aforo.engines.embedded import held, sealing
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import RollupLayout, quoted
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.portions import only
from aforo.engines.embedded.removing import bounds, remove
from aforo.engines.folds import Folded, FoldedPeriod, Places
from aforo.model.stream import Stream

REVISIONS = """
-- How often days of some tenants were folded, from the first to the last of these days.
SELECT tenant, epoch_us(day) AS day, revision FROM revisions
WHERE stream = $stream AND day BETWEEN make_timestamp($first) AND make_timestamp($last)
    AND tenant IN (SELECT unnest($tenants))
"""

SEALED = """
-- Up to when tenants' events have been purged, where that is later than a time.
SELECT tenant, epoch_us(events_from) FROM seals
WHERE stream = $stream AND events_from > make_timestamp($first)
"""

RAISE = """
-- The new version of each day, what it was made from, and when.
INSERT INTO revisions
SELECT $stream, unnest($tenants), make_timestamp(unnest($days)), unnest($revisions), $as_of, $now
"""

OLDER = '"commit" <= $as_of'
"""Marks that came after the snapshot stay."""


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
    answered = {"stream": stream.name, "as_of": folded.as_of}
    remove(cursor, "ledger", "slot", folded.claim.slots, f"stream = $stream AND {OLDER}", answered)


def _sealed(cursor: Cursor, stream: str, days: Places) -> npt.NDArray[np.bool_]:
    """Which of the days have been purged."""
    asked = {"stream": stream, "first": int(days.starts.min())}
    until = dict(cursor.execute(SEALED, asked).fetchall())
    if not until:
        return np.zeros(len(days), np.bool_)
    return np.array([until.get(tenant, start) > start for tenant, start in days.pairs()], np.bool_)


def revisions(cursor: Cursor, stream: str, days: Places) -> npt.NDArray[np.int64]:
    """How often each of the days was folded."""
    asked = {"stream": stream, "tenants": days.names, **bounds(days)}
    found = cursor.execute(REVISIONS, asked).fetchnumpy()
    return days.spread(found["tenant"], found["day"], found["revision"], otherwise=0)


def replace_rows(cursor: Cursor, layout: RollupLayout, period: FoldedPeriod) -> None:
    """Puts the rows of a folded period in the place of what is kept for its starts."""
    table = layout.table(period.period)
    if period.whole.any():
        remove(cursor, table, "start", period.starts.only(period.whole))
    if not period.rows.num_rows:
        return
    cursor.register("folded", period.rows)
    if not period.whole.all():
        _make_way(cursor, layout, table, bounds(period.starts))
    names = ", ".join(quoted(name) for name in period.rows.column_names)
    cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM folded")
    cursor.unregister("folded")


def _make_way(cursor: Cursor, layout: RollupLayout, table: str, within: dict[str, object]) -> None:
    """Removes what the new rows were merged with: the kept ones of the same split."""
    same = "".join(f" AND {table}.{name} IS NOT DISTINCT FROM f.{name}" for name in layout.dimensions)
    cursor.execute(
        f"DELETE FROM {table} USING folded AS f "
        f"WHERE {table}.tenant = f.tenant AND {table}.start = f.start{same} "
        f"AND {table}.start BETWEEN make_timestamp($first) AND make_timestamp($last)",
        within,
    )


def _raise_revisions(cursor: Cursor, stream: str, folded: Folded, now: int) -> None:
    """Every folded day has a new version; the first is 1. What it was made from, and when, goes with it."""
    before = folded.revisions > 0
    if before.any():
        remove(cursor, "revisions", "day", folded.days.only(before), "stream = $stream", {"stream": stream})
    cursor.execute(
        RAISE,
        {
            "stream": stream,
            "tenants": folded.days.tenants.tolist(),
            "days": folded.days.starts.tolist(),
            "revisions": (folded.revisions + 1).tolist(),
            "as_of": folded.as_of,
            "now": timestamp(now),
        },
    )
