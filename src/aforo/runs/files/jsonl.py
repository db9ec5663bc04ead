"""JSON lines: an object on each; a member that is not there is null, others are passed over."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import json

from aforo.runs.files.wanted import Wanted, told

BLOCK_BYTES = 2**20
"""No line may be longer."""


def read(path: Path, wanted: Wanted) -> pa.Table:
    """The wanted members as columns, dates as the text they are."""
    reading = json.ReadOptions(use_threads=False, block_size=BLOCK_BYTES)
    types = [(wanted.date, pa.string()), *((name, pa.float64()) for name in wanted.columns)]
    parsing = json.ParseOptions(explicit_schema=pa.schema(types), unexpected_field_behavior="ignore")
    if not path.stat().st_size:
        return pa.schema(types).empty_table()
    with told(wanted):
        table = json.read_json(path, read_options=reading, parse_options=parsing)
        if any(table.column(name).null_count == table.num_rows for name in wanted.names):
            # Perhaps nobody ever wrote a member of that name.
            with json.open_json(path, read_options=reading) as head:
                wanted.check_columns(head.schema.names)
    wanted.check_rows(table.num_rows)
    return table
