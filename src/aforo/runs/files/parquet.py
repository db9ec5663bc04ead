"""Parquet, with the types it has."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aforo.runs.files.wanted import Wanted, told


def read(path: Path, wanted: Wanted) -> pa.Table:
    """The wanted columns; its rows are counted before any is read."""
    with told(wanted), pq.ParquetFile(path) as file:
        wanted.check_columns(file.schema_arrow.names)
        wanted.check_rows(file.metadata.num_rows)
        return file.read(columns=wanted.names, use_threads=False)
