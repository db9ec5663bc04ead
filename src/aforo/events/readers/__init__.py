"""Files of events as chunks of raw columns: one file a format, each with `read(path, shape)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from aforo.events.readers import csv, ndjson, parquet
from aforo.events.readers.chunk import Chunk, FileShape

__all__ = ["READERS", "SUFFIXES", "Chunk", "FileShape", "format_of"]

READERS: Mapping[str, Callable[[Path, FileShape], Iterator[Chunk]]] = MappingProxyType(
    {"csv": csv.read, "ndjson": ndjson.read, "parquet": parquet.read}
)
SUFFIXES: Mapping[str, str] = MappingProxyType(
    {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet", ".pq": "parquet"}
)


def format_of(path: Path) -> str | None:
    """The format a file's name tells, `.gz` set aside; None where it tells none."""
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return SUFFIXES.get(name.suffix.lower())
