"""Rollups born after a seal: they begin at it, with what an older one of the same split kept before."""

from __future__ import annotations

from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.layout import MeasureLayout, RollupLayout, quoted
from aforo.engines.folds import Period
from aforo.model.stream import Stream

CREATE = """
-- From when on a rollup keeps a measure of a tenant, where that is not from the first event on.
CREATE TABLE IF NOT EXISTS births (
    hash VARCHAR NOT NULL, tenant VARCHAR NOT NULL, measure VARCHAR NOT NULL, begins TIMESTAMP NOT NULL
)
"""

SEALED = "SELECT 1 FROM seals WHERE stream = $stream LIMIT 1"

OTHERS = """
-- The other rollups of a stream, with the columns of their days.
SELECT r.hash, list(c.column_name) FROM rollups AS r
JOIN information_schema.columns AS c ON c.table_name = concat('rollup_', r.hash, '_', $period)
WHERE r.stream = $stream AND r.hash <> $hash GROUP BY r.hash ORDER BY r.hash
"""

BORN = """
-- Measures that nothing kept before the seal begin there.
INSERT INTO births
SELECT $hash, s.tenant, m.measure, s.events_from
FROM seals AS s CROSS JOIN (SELECT unnest($measures) AS measure) AS m WHERE s.stream = $stream
"""

TAKEN_OVER = """
-- Measures that another rollup has kept begin where they began there.
INSERT INTO births SELECT $hash, tenant, measure, begins FROM births
WHERE hash = $other AND list_contains($measures, measure)
"""

ALL = "SELECT hash, tenant, measure, epoch_us(begins) FROM births"

FORGET = "DELETE FROM births WHERE hash NOT IN (SELECT hash FROM rollups)"


def born(cursor: Cursor, stream: Stream, layout: RollupLayout) -> None:
    """Gives a rollup that was just made what is known of the time before the seals of its stream."""
    if first_row(cursor, SEALED, {"stream": stream.name}) is None:
        return
    other, shared = _nearest(cursor, stream, layout)
    named = {"hash": layout.hash, "stream": stream.name}
    fresh = [each.key for each in layout.measures if each not in shared]
    cursor.execute(BORN, {**named, "measures": fresh})
    if other is None:
        return
    keys = [each.key for each in shared]
    cursor.execute(TAKEN_OVER, {"hash": layout.hash, "other": other, "measures": keys})
    for period in (each for each in layout.periods if each in (Period.SLOT, Period.DAY)):
        _take_over(cursor, stream, layout, other, period, shared)


def forget_dropped(cursor: Cursor) -> None:
    """Forgets what is known of rollups that are gone."""
    cursor.execute(FORGET)


def read(cursor: Cursor) -> dict[tuple[str, str], dict[str, int]]:
    """From when on measures are kept, by rollup's hash and tenant."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for hash_, tenant, measure, begins in cursor.execute(ALL).fetchall():
        found.setdefault((hash_, tenant), {})[measure] = begins
    return found


def _nearest(
    cursor: Cursor, stream: Stream, layout: RollupLayout
) -> tuple[str | None, tuple[MeasureLayout, ...]]:
    """Another rollup of the same split that keeps the most of the same measures."""
    best: tuple[str | None, tuple[MeasureLayout, ...]] = (None, ())
    period = layout.periods[0]
    dimensions = {name.strip('"') for name in layout.dimensions}
    others = cursor.execute(
        OTHERS, {"stream": stream.name, "hash": layout.hash, "period": str(period)}
    ).fetchall()
    for other, columns in others:
        split = {each for each in columns if each not in ("tenant", "start") and not each.startswith("__m_")}
        if split != dimensions:
            continue
        shared = tuple(each for each in layout.measures if _columns(each) <= set(columns))
        if len(shared) > len(best[1]):
            best = (other, shared)
    return best


def _columns(measure: MeasureLayout) -> set[str]:
    """The names of a measure's columns, unquoted."""
    return {*(each.name.strip('"') for each in measure.columns), *(each.name for each in measure.lists)}


def _take_over(
    cursor: Cursor,
    stream: Stream,
    layout: RollupLayout,
    other: str,
    period: Period,
    shared: tuple[MeasureLayout, ...],
) -> None:
    """The sealed rows of the other rollup; what comes after the seal is folded from events."""
    same = [column.name for each in shared for column in each.columns]
    same += [quoted(column.name) for each in shared for column in each.lists]
    names = ["tenant", "start", *layout.dimensions, *same]
    cursor.execute(
        f"INSERT INTO {layout.table(period)} ({', '.join(names)}) "
        f"SELECT {', '.join(f'o.{name}' for name in names)} FROM {quoted(f'rollup_{other}_{period}')} AS o "
        "JOIN seals AS s ON s.stream = $stream AND s.tenant = o.tenant WHERE o.start < s.events_from",
        {"stream": stream.name},
    )
