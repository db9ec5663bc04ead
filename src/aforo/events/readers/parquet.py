"""Parquet files, with the types they have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from aforo.events.columns import Source
from aforo.events.readers.chunk import Chunk, FileShape
from aforo.events.readers.files import opened


def read(path: Path, shape: FileShape) -> Iterator[Chunk]:
    """The rows as Arrow arrays; `nulls` does not apply, and progress is told by rows."""
    with opened(path, inflate=False) as file, pq.ParquetFile(file.stream) as table:
        names = list(table.schema_arrow.names)
        targets = shape.checked_targets(path, names)
        total = table.metadata.num_rows
        first = 0
        for batch in table.iter_batches(batch_size=shape.chunk_rows, use_threads=False):
            if not batch.num_rows:
                continue
            after = first + batch.num_rows
            yield Chunk(
                first_row=first,
                rows=batch.num_rows,
                columns={target: batch.column(names.index(name)) for target, name in targets.items()},
                bytes_read=file.bytes_total * after // total,
                bytes_total=file.bytes_total,
                source=Source.ARROW,
                numbers=np.arange(first, after),
            )
            first = after
