"""Files of events as chunks of raw columns: one file a format, each with `read(path, shape)`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from aforo.events.readers import access_log, csv, ndjson, parquet
from aforo.events.readers.chunk import Chunk, FileShape, Stretch
from aforo.events.readers.marks import Marks

__all__ = ["ACCESS_LOG", "READERS", "SUFFIXES", "Chunk", "FileShape", "Marks", "Stretch", "format_of"]

ACCESS_LOG = "access-log"

READERS: Mapping[str, Callable[[Path, FileShape], Iterator[Chunk]]] = MappingProxyType(
    {"csv": csv.read, "ndjson": ndjson.read, "parquet": parquet.read, ACCESS_LOG: access_log.read}
)
SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        ".csv": "csv",
        ".ndjson": "ndjson",
        ".jsonl": "ndjson",
        ".parquet": "parquet",
        ".pq": "parquet",
        ".log": ACCESS_LOG,
    }
)
# What rotation makes of a log's name: `access.log.1`, `access_log-20240301`.
ROTATED = re.compile(r".*(?:\.log|access_log)(?:[.-][0-9]+)*", flags=re.ASCII | re.DOTALL)


def format_of(path: Path) -> str | None:
    """The format a file's name tells, `.gz` set aside; None where it tells none."""
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    if ROTATED.fullmatch(name.name):
        return ACCESS_LOG
    return SUFFIXES.get(name.suffix.lower())
