"""A series as a Parquet file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aforo.runs.manifest import DATE_COLUMN, VALUE_COLUMN
from aforo.runs.series import Series


def write_series(path: Path, series: Series) -> None:
    """Writes dates and values, null where there is none."""
    table = pa.table(
        {
            DATE_COLUMN: pa.array(series.dates, pa.date32()),
            VALUE_COLUMN: pa.array(series.values, pa.float64(), from_pandas=True),
        }
    )
    pq.write_table(table, path)
