"""The flights as typed Arrow columns, what plain DuckDB does with them, and the same through Aforo."""

from __future__ import annotations

import shutil
from collections import deque
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from bench.measure import seconds

from aforo.assembly import Aforo
from aforo.assembly.demo import chunks
from aforo.assembly.loading import IN_FLIGHT
from aforo.clock import SystemClock
from aforo.events.columns import Source
from aforo.events.draft import Draft
from aforo.events.receipt import Receipt
from aforo.events.steps import Rules, as_table, walk
from aforo.settings import Settings

CHUNK = 50_000
MEMORY_MB = 256
THREADS = 2
PLAIN_MEASURES = """
    count(*) AS a, count(*) FILTER (WHERE dep_time IS NULL) AS b, sum(dep_delay) AS c, count(dep_delay) AS d,
    quantile_disc(dep_delay, [0.05, 0.5, 0.95]) AS e, min(dep_delay) AS f, max(dep_delay) AS g,
    sum(arr_delay) AS h, count(arr_delay) AS i, count(DISTINCT tailnum) AS j, count(DISTINCT dest) AS k,
    sum(distance) AS l, sum(air_time) AS m
"""
SLOT = "time_bucket(INTERVAL 15 MINUTES, time)"
DAY = "date_trunc('day', time - INTERVAL 5 HOURS)"
PLAIN_GROUPS = (
    (SLOT, ""),
    (SLOT, "origin"),
    (SLOT, "carrier"),
    (DAY, ""),
    (DAY, "origin"),
    (DAY, "carrier"),
    (DAY, "origin, carrier"),
    (DAY, "origin, carrier, dest"),
)
"""The groups that the pack's rollups keep, as plain queries."""


def opened(directory: Path) -> Aforo:
    """An empty Aforo over a directory, taking events and folding only when told."""
    shutil.rmtree(directory, ignore_errors=True)
    settings = Settings()
    engine = replace(settings.engine, memory_mb=MEMORY_MB, threads=THREADS)
    aforo = Aforo(replace(settings, data=directory, engine=engine), SystemClock())
    aforo.start_taking()
    return aforo


def typed_rows(directory: Path) -> pa.Table:
    """All flights as an engine keeps them, with their ids."""
    aforo = opened(directory)
    rules = Rules(aforo.clock.now(), 600, "nyc")
    stream = aforo.model.stream("flights")
    walked = [
        walk(Draft(stream, Source.TEXT, dict(chunk.columns), chunk.numbers), rules)[0] for chunk in chunks()
    ]
    aforo.stop()
    return pa.concat_tables([as_table(draft) for draft in walked])


def insert_plainly(rows: pa.Table, directory: Path) -> float:
    """Seconds of DuckDB's own insert of the same rows from Arrow, committed to a file."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    config = {"memory_limit": f"{MEMORY_MB}MB", "threads": str(THREADS)}
    with duckdb.connect(directory / "plain.duckdb", config=config) as plain:
        plain.register("rows", rows)
        plain.execute("CREATE TABLE events AS SELECT * FROM rows LIMIT 0")
        return seconds(lambda: plain.execute("INSERT INTO events SELECT * FROM rows"))


def load_through_intake(rows: pa.Table, directory: Path) -> float:
    """Seconds of the same rows through every step of the intake, acknowledged."""
    aforo = opened(directory)
    stream = aforo.model.stream("flights")
    fields = [name for name in rows.column_names if name != "untimed"]

    def load() -> None:
        waiting: deque[Future[Receipt]] = deque()
        accepted = 0
        for first in range(0, rows.num_rows, CHUNK):
            part = rows.slice(first, CHUNK)
            columns = {name: _zoned(part[name]) for name in fields}
            index = np.arange(first, first + part.num_rows, dtype=np.int64)
            waiting.append(aforo.intake.take_draft(Draft(stream, Source.ARROW, columns, index)))
            if len(waiting) >= IN_FLIGHT:
                accepted += waiting.popleft().result().accepted
        accepted += sum(receipt.result().accepted for receipt in waiting)
        assert accepted == rows.num_rows, f"{accepted} of {rows.num_rows} rows were accepted"

    took = seconds(load)
    aforo.stop()
    return took


def _zoned(column: pa.ChunkedArray) -> pa.Array:
    """A table's times say their zone, as Parquet's do: without one an instant is unknown."""
    array = column.combine_chunks()
    return array.cast(pa.timestamp("us", "UTC")) if pa.types.is_timestamp(array.type) else array


def fold_everything(directory: Path, rows: pa.Table) -> float:
    """Seconds of folding all slots and days of all rollups of freshly loaded rows."""
    load_through_intake(rows, directory)
    aforo = Aforo(replace(Settings(), data=directory), SystemClock())
    took = seconds(aforo.folder.run_until_clean)
    aforo.stop()
    return took


def group_plainly(rows: pa.Table, directory: Path) -> float:
    """Seconds of the GROUP BY queries that give the same numbers, from a table in a file, kept as tables."""
    insert_plainly(rows, directory)
    config = {"memory_limit": f"{MEMORY_MB}MB", "threads": str(THREADS)}
    with duckdb.connect(directory / "plain.duckdb", config=config) as plain:

        def group() -> None:
            for at, (start, dimensions) in enumerate(PLAIN_GROUPS):
                keys = f"tenant, {start} AS start" + (f", {dimensions}" if dimensions else "")
                plain.execute(
                    f"CREATE TABLE groups_{at} AS SELECT {keys}, {PLAIN_MEASURES} FROM events GROUP BY ALL"
                )

        return seconds(group)
