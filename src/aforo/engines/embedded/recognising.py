"""Which rows of an append were not there before: law 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.appends import StreamRows
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import events_table
from aforo.engines.embedded.named import Mask
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.record import KEYS

BROUGHT = "brought"
FEW = 500
"""Up to so many rows are quicker given as lists than as a table."""

_TIMED = ("tenant", "id", "time")
_UNTIMED = ("tenant", "id")
_WINDOW = ("time BETWEEN $earliest AND $latest", "untimed = $untimed")


def firsts(given: StreamRows) -> Mask:
    """The rows that no earlier row of theirs has the name of: tenant, id and, where it came, time."""
    untimed = given.rows["untimed"].to_numpy()
    if pc.count_distinct(given.rows["id"]).as_py() == given.rows.num_rows:
        return np.ones(given.rows.num_rows, np.bool_)
    out = np.zeros(given.rows.num_rows, np.bool_)
    for rows, names in ((np.flatnonzero(~untimed), _TIMED), (np.flatnonzero(untimed), _UNTIMED)):
        out[rows] = _firsts(given.rows.select(_TIMED).take(rows), names)
    return out


def waiting(pending: Sequence[tuple[int, pa.Table]], given: StreamRows, arrival: int, reach: int) -> Mask:
    """The rows whose name an event has that waits to be kept; these come with the times of their commits.

    One that came without a time is recognised as in `kept`.
    """
    out = np.zeros(given.rows.num_rows, np.bool_)
    if not pending:
        return out
    rows = pa.concat_tables([each.select(KEYS) for _, each in pending])
    came = np.repeat([commit for commit, _ in pending], [each.num_rows for _, each in pending])
    alike = pc.is_in(rows["id"], value_set=given.rows["id"].combine_chunks()).to_numpy()
    theirs, ours = rows["untimed"].to_numpy(), given.rows["untimed"].to_numpy()
    near = np.abs(came - arrival) <= reach
    for mine, of_kind, names in ((~ours, ~theirs, _TIMED), (ours, theirs & near, _UNTIMED)):
        found = rows.filter(pa.array(alike & of_kind))
        out[mine] = _among(given.rows.filter(pa.array(mine)), names, found)
    return out


def kept(cursor: Cursor, given: StreamRows, arrival: int, reach: int) -> Mask:
    """The rows whose name a kept event has.

    One that came without a time is recognised by its id for a while (`reach` microseconds) on both sides of
    its arrival, since a clock may have been set back meanwhile.
    """
    untimed = given.rows["untimed"].to_numpy()
    out = np.zeros(given.rows.num_rows, np.bool_)
    for rows, names in ((np.flatnonzero(~untimed), _TIMED), (np.flatnonzero(untimed), _UNTIMED)):
        if not len(rows):
            continue
        mine = given.rows.select(_TIMED).take(rows)
        if names is _TIMED:
            span = pc.min_max(mine["time"]).as_py()
            earliest, latest = span["min"], span["max"]
        else:
            earliest, latest = timestamp(arrival - reach), timestamp(arrival + reach)
        alike = _alike(cursor, given.stream.name, mine, earliest, latest, untimed=names is _UNTIMED)
        out[rows] = _among(mine, names, alike)
    return out


def _alike(
    cursor: Cursor, stream: str, rows: pa.Table, earliest: object, latest: object, *, untimed: bool
) -> pa.Table:
    """The kept events of a window that have one of the rows' ids (and times), whose ever they are.

    One late row makes the window as long as the stream. Times are looked for first and by themselves, since
    DuckDB would look for ids in the same scan and read them all: few kept events have one of the times.
    Rows keep their numbers for as long as the cursor's snapshot lasts, however others purge and checkpoint.
    """
    window: dict[str, object] = {"earliest": earliest, "latest": latest, "untimed": untimed}
    if untimed:
        return _search(cursor, stream, "tenant, id, time", {"id": rows["id"]}, _WINDOW, window)
    numbers = _search(cursor, stream, "rowid", {"time": rows["time"]}, _WINDOW, window)["rowid"]
    if not len(numbers):
        return rows.slice(0, 0)
    return _search(cursor, stream, "tenant, id, time", {"rowid": numbers, "id": rows["id"]})


def _search(
    cursor: Cursor,
    stream: str,
    what: str,
    among: Mapping[str, pa.ChunkedArray],
    conditions: Sequence[str] = (),
    parameters: Mapping[str, object] | None = None,
) -> pa.Table:
    """What is said of the kept events each of whose columns is among some values, under more conditions."""
    lists: dict[str, object] = {}
    many = {name: values for name, values in among.items() if len(values) > FEW}
    for name, values in among.items():
        if name in many:
            cursor.register(f"{BROUGHT}_{name}", pa.table({name: values}))
            conditions = (*conditions, f"{name} IN (SELECT {name} FROM {BROUGHT}_{name})")
        else:
            lists[f"{name}s"] = values.to_pylist()
            conditions = (*conditions, f"{name} IN (SELECT unnest(${name}s))")
    found = cursor.sql(
        f"""
        -- Kept events that have one of these names. All of a time are searched, and not by tenant: what is
        -- written of one time stands together.
        SELECT {what} FROM {events_table(stream)} WHERE {" AND ".join(conditions)}
        """,
        params={**(parameters or {}), **lists},
    ).to_arrow_table()
    for name in many:
        cursor.unregister(f"{BROUGHT}_{name}")
    return found


def _firsts(rows: pa.Table, names: Sequence[str]) -> Mask:
    """The first row of each name."""
    numbered = rows.append_column("__row", pa.array(np.arange(rows.num_rows)))
    firsts = numbered.group_by(names, use_threads=False).aggregate([("__row", "min")])["__row_min"]
    out = np.zeros(rows.num_rows, np.bool_)
    out[firsts.to_numpy()] = True
    return out


def _among(rows: pa.Table, names: Sequence[str], kept: pa.Table) -> Mask:
    """The rows whose name a kept event has."""
    out = np.zeros(rows.num_rows, np.bool_)
    if kept.num_rows:
        alike = np.flatnonzero(pc.is_in(rows["id"], value_set=kept["id"]).to_numpy())
        there = set(_names(kept, names))
        out[alike] = [name in there for name in _names(rows.take(alike), names)]
    return out


def _names(rows: pa.Table, names: Sequence[str]) -> list[tuple[object, ...]]:
    columns = [
        pc.cast(rows[name], pa.int64()) if name == "time" else rows[name] for name in names
    ]  # microseconds: a datetime for each would take longer
    return list(zip(*(column.to_pylist() for column in columns), strict=True))
