"""What is in a store, without the times and the names that differ between one go and another."""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy import select

from aforo.store.connect import Store
from aforo.store.metadata import metadata

TIMES = re.compile(r".*_at$|^at$|^until$|^not_before$|^needed_since$")
OF_THE_HOLDER = {"receipt", "receives", "body"}
"""Differ where a message was given out more often; a body has the time in it."""
RUN = re.compile(r"run_[0-9a-f]{16}")
NUMBERED = re.compile(r"(#|update )(\d+)")


NUMBERS = {
    "update_id": "dataset_updates",
    "metric_id": "metrics",
    "series_id": "series",
    "through": "event_log",
}
"""The tables that number what a column names; a number that was given out in vain is missed by nobody."""

Rows = dict[str, list[Any]]


def digest(store: Store) -> dict[str, list[str]]:
    """The rows of each table, in an order of their own."""
    with store.reading() as connection:
        rows: Rows = {
            table.name: [row._mapping for row in connection.execute(select(table))]
            for table in metadata.sorted_tables
        }
    places = {name: _places(of) for name, of in rows.items()}
    runs = _runs(rows)
    return {name: sorted(_row(name, row, runs, places) for row in of) for name, of in rows.items()}


def _places(rows: list[Any]) -> dict[Any, int]:
    return {number: place for place, number in enumerate(sorted(row["id"] for row in rows if "id" in row))}


def _runs(rows: Rows) -> dict[str, str]:
    """Runs by the order in which they were first told of."""
    told = [row["run_id"] for row in sorted(rows["event_log"], key=lambda row: row["id"]) if row["run_id"]]
    return {run_id: f"run {number}" for number, run_id in enumerate(dict.fromkeys(told))}


def _row(name: str, row: Any, runs: dict[str, str], places: dict[str, dict[Any, int]]) -> str:
    kept = {}
    for column, value in row.items():
        if TIMES.match(column) or column in OF_THE_HOLDER:
            continue
        if isinstance(value, str):
            value = RUN.sub(lambda found: runs[found[0]], value)
            value = NUMBERED.sub(lambda found: f"{found[1]}{places['dataset_updates'][int(found[2])]}", value)
        elif column == "id" or (column in NUMBERS and value is not None):
            value = places[NUMBERS.get(column, name)][value]
        kept[column] = value
    return json.dumps(kept, sort_keys=True)
