"""CSV with a header; an empty cell, and the words that stand for none, are null."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from aforo.runs.files.wanted import Wanted, told

BLOCK_BYTES = 2**20


def read(path: Path, wanted: Wanted) -> pa.Table:
    """The wanted columns, dates as the text they are."""
    reading = csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES)
    with told(wanted):
        # As text nothing of the first block can be wrong, so that a missing name is told before a bad number.
        as_text = csv.ConvertOptions(column_types=dict.fromkeys(wanted.names, pa.string()))
        with csv.open_csv(path, read_options=reading, convert_options=as_text) as head:
            wanted.check_columns(head.schema.names)
        types = {wanted.date: pa.string(), **dict.fromkeys(wanted.columns, pa.float64())}
        converting = csv.ConvertOptions(column_types=types, include_columns=wanted.names)
        table = csv.read_csv(path, read_options=reading, convert_options=converting)
    wanted.check_rows(table.num_rows)
    return table
