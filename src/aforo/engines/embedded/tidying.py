"""Tidying: the events of two blocks moved at once, so that in the end all blocks lie in order of time.

The engine keeps a table in blocks of rows and skips those whose times a question does not ask for. Late
events stretch the times of the blocks they lie in. Two blocks that overlap are read, put in order and written
as new ones: of two stretched blocks one is left, which holds what was late in both. What a move reads it
writes again in the same transaction, so that no reader sees anything but the same events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.layout import events_table
from aforo.errors import StorageError
from aforo.windows import DAY

Numbers = npt.NDArray[np.int64]

BLOCK_ROWS = 122_880
"""Rows of a full block: DuckDB calls it a row group. What is written in so many begins a block of its own."""

UNFOUND = -1

WIDEST_BLOCKS = 512
"""Of so many blocks each is held against each; of more, the widest."""

BLOCKS = """
-- Of each block of a table: its rows, those that were deleted as well, and its first and last time.
SELECT sum("count")::BIGINT AS rows, epoch_us(min(stats.min::TIMESTAMP)) AS first,
    epoch_us(max(stats.max::TIMESTAMP)) AS last
FROM (
    SELECT row_group_id, "count", CASE WHEN segment_type = 'TIMESTAMP' THEN stats END AS stats
    FROM pragma_storage_info($table) WHERE column_name = 'time' AND segment_type = 'TIMESTAMP'
) GROUP BY row_group_id ORDER BY row_group_id
"""

PIECES = """
-- A table in pieces of its row numbers: the first and last of each that is there, and its times.
SELECT min(rowid) AS first_row, max(rowid) AS last_row,
    epoch_us(min(time)) AS first, epoch_us(max(time)) AS last
FROM {table} GROUP BY rowid // 1024 ORDER BY first_row
"""

FREE = """
-- Room of the file that nothing is in.
SELECT block_size * free_blocks FROM pragma_database_size() WHERE database_name = current_database()
"""


@dataclass(frozen=True, slots=True)
class Move:
    """Rows of a table that are to be written anew together: spans of row numbers, half-open."""

    stream: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Blocks:
    begins: Numbers
    rows: Numbers
    first: Numbers
    last: Numbers
    filling: bool  # the last one

    def span(self, at: int) -> tuple[int, int]:
        return int(self.begins[at]), int(self.begins[at] + self.rows[at])


def next_move(cursor: Cursor, streams: list[str], *, loose_share: float) -> Move | None:
    """What is moved next; None where fewer than this share of each stream's blocks overlap others."""
    for stream in streams:
        blocks = _blocks(cursor, stream)
        pair = _overlapping(blocks, loose_share)
        if pair is not None:
            return Move(stream, tuple(blocks.span(at) for at in sorted(pair)))
    return None


def move(cursor: Cursor, asked: Move) -> int:
    """Writes the rows anew in order of time; how many.

    Rows that fill no block stay where they are: behind them the newest events would come into the same block.
    """
    table = events_table(asked.stream)
    within = " OR ".join(f"rowid >= $from{at} AND rowid < $to{at}" for at in range(len(asked.spans)))
    bounds = {
        f"{end}{at}": value
        for at, span in enumerate(asked.spans)
        for end, value in zip(("from", "to"), span, strict=True)
    }
    found = first_row(cursor, f"SELECT count(*) FROM {table} WHERE {within}", bounds)
    rows = 0 if found is None else int(found[0])
    whole = rows // BLOCK_ROWS * BLOCK_ROWS or rows
    cursor.execute(
        "-- What is moved, in the order it will lie in.\n"
        f"CREATE OR REPLACE TEMP TABLE moving AS SELECT rowid AS __row, * FROM {table} WHERE {within} "
        "ORDER BY time",
        bounds,
    )
    # No LIMIT above: with one DuckDB fails inside, where it selects and seeks row numbers at once.
    cursor.execute(
        "DELETE FROM moving WHERE __row IN (SELECT __row FROM moving ORDER BY time DESC LIMIT $left)",
        {"left": rows - whole},
    )
    left = "" if whole == rows else " AND rowid IN (SELECT __row FROM moving)"
    taken = first_row(cursor, f"DELETE FROM {table} WHERE ({within}){left}", bounds)
    written = first_row(cursor, f"INSERT INTO {table} SELECT * EXCLUDE (__row) FROM moving")
    if not taken == written == (whole,):
        raise StorageError(
            f"{whole:,} events of {asked.stream} were to be moved, {taken} were taken and {written} written; "
            "nothing was changed",
            hint="aforo compact without a server puts them in order too",
        )
    cursor.execute("DROP TABLE moving")
    return whole


def free_bytes(cursor: Cursor) -> int:
    """Room in the file that nothing is in."""
    found = first_row(cursor, FREE)
    return 0 if found is None else int(found[0])


def out_of_order(cursor: Cursor, stream: str) -> int:
    """How many events lie in blocks whose times overlap those of others by a day at least."""
    blocks = _blocks(cursor, stream)
    chosen, overlap = _overlaps(blocks)
    return int(blocks.rows[chosen[(overlap >= DAY).any(axis=1)]].sum())


def _blocks(cursor: Cursor, stream: str) -> _Blocks:
    table = events_table(stream)
    told = cursor.execute(BLOCKS, {"table": table}).fetchnumpy()
    blocks = {name: np.ma.filled(column, 0).astype(np.int64) for name, column in told.items()}
    pieces = cursor.execute(PIECES.format(table=table)).fetchnumpy()
    begins = _begins(blocks, {name: np.asarray(column, np.int64) for name, column in pieces.items()})
    found = begins != UNFOUND
    kept = {name: column[found] for name, column in blocks.items()}
    tail = bool(len(found)) and bool(found[-1]) and blocks["rows"][-1] < BLOCK_ROWS
    return _Blocks(begins[found], filling=tail, **kept)


def _begins(blocks: Mapping[str, Numbers], pieces: Mapping[str, Numbers]) -> Numbers:
    """The first row number of each block, or that it was not found, since nothing is in it.

    A block follows the one before, but for the numbers of those that have gone. What is there in its place
    shows by its times whether it is this block.
    """
    begins = np.full(len(blocks["rows"]), UNFOUND)
    at = 0
    for number, (rows, first, last) in enumerate(
        zip(*(blocks[name].tolist() for name in ("rows", "first", "last")), strict=True)
    ):
        piece = int(np.searchsorted(pieces["last_row"], at))
        if piece == len(pieces["last_row"]):
            break
        there = max(at, int(pieces["first_row"][piece]))
        inside = slice(piece, int(np.searchsorted(pieces["first_row"], there + rows)))
        times = pieces["first"][inside], pieces["last"][inside]
        if there == at or (
            times[0].min() <= first and times[1].max() >= last and _within(times, first, last)
        ):
            begins[number] = at = there
        at += rows
    return begins


def _within(times: tuple[Numbers, Numbers], first: int, last: int) -> bool:
    """Whether pieces are of a block of these times; those at its rims may be of its neighbours too."""
    return bool((times[0][1:-1] >= first).all() and (times[1][1:-1] <= last).all())


def _overlapping(blocks: _Blocks, loose_share: float) -> tuple[int, int] | None:
    """The two blocks whose times overlap most, by a day at least; None where few do.

    Each move shortens the times of all blocks together by the overlap, so that moves come to an end.
    """
    chosen, overlap = _overlaps(blocks)
    loose = int((overlap >= DAY).any(axis=0).sum())
    if loose < 2 or loose < loose_share * len(blocks.rows):
        return None
    one, other = divmod(int(overlap.argmax()), len(chosen))
    return int(chosen[one]), int(chosen[other])


def _overlaps(blocks: _Blocks) -> tuple[Numbers, Numbers]:
    """The widest blocks but the one that is being filled, and by how much each two of them overlap."""
    whole = np.arange(len(blocks.rows) - blocks.filling)
    length = blocks.last[whole] - blocks.first[whole]
    chosen = whole[np.argsort(-length, kind="stable")[:WIDEST_BLOCKS]]
    first, last = blocks.first[chosen], blocks.last[chosen]
    overlap: Numbers = np.minimum.outer(last, last) - np.maximum.outer(first, first)
    np.fill_diagonal(overlap, 0)
    return chosen, overlap
