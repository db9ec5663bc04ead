"""From the files of a version to series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from aforo.errors import InvalidManifest, InvalidSeries
from aforo.runs.files import csv, jsonl, parquet
from aforo.runs.files.columns import dates_of, numbers_of
from aforo.runs.files.wanted import Wanted
from aforo.runs.manifest import Format
from aforo.runs.series import Dates, Numbers, Series

READERS: Mapping[Format, Callable[[Path, Wanted], pa.Table]] = MappingProxyType(
    {Format.PARQUET: parquet.read, Format.CSV: csv.read, Format.JSONL: jsonl.read}
)


@dataclass(frozen=True, slots=True)
class FileHere:
    """A file of a version, copied to this machine; `uri` is what people know it by."""

    path: Path
    uri: str
    row_count: int | None = None


def read_series(
    files: Sequence[FileHere], form: Format, date: str, columns: Mapping[str, str], *, most_rows: int
) -> dict[str, Series]:
    """The series of all files together, by the codes that `columns` tells the columns of, by rising date.

    Raises InvalidSeries for what is no series, a date that is there twice among it, and InvalidManifest for a
    file that does not have as many rows as was said.
    """
    names = tuple(sorted(set(columns.values())))
    dates: list[Dates] = []
    numbers: dict[str, list[Numbers]] = {name: [] for name in names}
    for file in files:
        rows = sum(map(len, dates))
        table = READERS[form](file.path, Wanted(file.uri, date, names, most_rows - rows))
        _check_count(file, table.num_rows)
        dates.append(dates_of(table.column(date), file.uri, date))
        for name in names:
            numbers[name].append(numbers_of(table.column(name), file.uri, name))
    whole = np.concatenate(dates)
    order = np.argsort(whole, kind="stable")
    rising = whole[order]
    _check_once(rising, files[0].uri)
    found = {name: np.concatenate(parts)[order] for name, parts in numbers.items()}
    return {code: Series(rising, found[name]) for code, name in columns.items()}


def _check_count(file: FileHere, rows: int) -> None:
    if file.row_count not in (None, rows):
        raise InvalidManifest(
            f"{file.uri} has {rows} rows, and its manifest says {file.row_count}",
            hint="was the file written anew? A new version wants a new manifest and new files",
        )


def _check_once(rising: Dates, uri: str) -> None:
    again = np.flatnonzero(rising[1:] == rising[:-1])
    if len(again):
        raise InvalidSeries(
            f"the date {rising[again[0]]} is there twice in {uri}, or in it and the files beside it",
            hint="a series has one value for each date; write the sum or average of a day's rows",
        )
