"""CSV with a header, in UTF-8: all columns are text, and the stream's fields say what it means."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from aforo.errors import UnreadableFile
from aforo.events.cast import arrow
from aforo.events.cast.typed import Mask
from aforo.events.columns import Source
from aforo.events.readers.chunk import Chunk, FileShape, Numbers
from aforo.events.readers.files import Opened, head, opened
from aforo.events.refusals import Refusal, RefusalCode, shown

BLOCK_BYTES = 512 * 1024  # the parser reads 32 blocks ahead, and a row must fit one
HEADER_BYTES = 1024 * 1024


def read(path: Path, shape: FileShape) -> Iterator[Chunk]:
    """The rows as text, null texts as null.

    A row with more or fewer values than the header, or that is not UTF-8, is refused by its number and the
    rest is read. Blank lines are no rows.
    """
    names = _header(path)
    targets = shape.checked_targets(path, names)
    numbering = _Numbering()
    with opened(path) as file:
        batches = _stream(file, names, shape, numbering)
        if batches is None:
            return
        if list(batches.schema.names) != names:
            raise UnreadableFile(
                f"{path} has a header that cannot be read", hint="is every quote in it closed?"
            )
        for table in _tables(batches, shape.chunk_rows):
            yield _chunk(table, numbering, targets, file)
        if numbering.ragged:
            yield _chunk(batches.schema.empty_table(), numbering, targets, file)


class _Numbering:
    """Tells each row its number in the file, those that the parser leaves out set aside as refusals.

    It counts the bytes of the rows too, since the parser has read far ahead of them.
    """

    def __init__(self) -> None:
        self.next = 0
        self.bytes = 0
        self.ragged: list[Refusal] = []

    def skip(self, row: arrow_csv.InvalidRow) -> str:
        """What the parser does with a ragged row; its number counts the header, and from 1."""
        values = f"{row.actual_columns} value{'' if row.actual_columns == 1 else 's'}"
        detail = f"came {shown(row.text)}, a row of {values}, wanted {row.expected_columns}"
        self.ragged.append(Refusal(row.number - 2, RefusalCode.NOT_AN_OBJECT, detail))
        return "skip"

    def take(self, rows: int) -> tuple[Numbers, list[Refusal]]:
        """The numbers of the next rows, and the ragged ones before the last of them, or all for no rows."""
        ahead = np.arange(self.next, self.next + rows + len(self.ragged))
        skipped = [refusal.index for refusal in self.ragged]
        numbers = np.setdiff1d(ahead, skipped, assume_unique=True)[:rows]
        if rows:
            self.next = int(numbers[-1]) + 1
        passed = [refusal for refusal in self.ragged if not rows or refusal.index < self.next]
        self.ragged = self.ragged[len(passed) :]
        return numbers, passed


def _header(path: Path) -> list[str]:
    start = head(path, HEADER_BYTES)
    text = start.decode("utf-8-sig", "surrogateescape")
    try:
        names = next((record for record in csv.reader(io.StringIO(text)) if record), [])
        "".join(names).encode()
    except UnicodeEncodeError:
        raise UnreadableFile(f"the header of {path} is not UTF-8", hint="save it as UTF-8") from None
    except csv.Error as error:
        raise UnreadableFile(
            f"the header of {path} cannot be read: {error}", hint="is it a CSV file?"
        ) from error
    if not names:
        raise UnreadableFile(f"{path} is empty", hint="the first line names the columns")
    if any("\0" in name for name in names):
        raise UnreadableFile(f"{path} is no text", hint="is it a CSV file? --input names another format")
    return names


def _stream(
    file: Opened, names: list[str], shape: FileShape, numbering: _Numbering
) -> arrow_csv.CSVStreamingReader | None:
    try:
        return arrow_csv.open_csv(
            file.stream,
            # One thread, because only then the parser knows the numbers of the rows it leaves out.
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=numbering.skip),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.binary()),
                null_values=sorted(shape.nulls),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):  # a header without an end of line, and nothing after it
            return None
        raise


def _tables(batches: arrow_csv.CSVStreamingReader, rows: int) -> Iterator[pa.Table]:
    """Tables of exactly so many rows, but for the last."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        if count >= rows:
            table = pa.Table.from_batches(waiting)
            whole = count - count % rows
            yield from (table.slice(start, rows) for start in range(0, whole, rows))
            waiting, count = table.slice(whole).to_batches(), count - whole
    if count:
        yield pa.Table.from_batches(waiting)


def _chunk(table: pa.Table, numbering: _Numbering, targets: dict[str, str], file: Opened) -> Chunk:
    first = numbering.next
    numbers, refusals = numbering.take(table.num_rows)
    numbering.bytes += _bytes(table)
    columns: dict[str, pa.Array] = {}
    garbled = np.zeros(table.num_rows, np.bool_)
    for target, column in targets.items():
        columns[target], bad = _texts(table.column(column))
        for row in np.flatnonzero(bad & ~garbled).tolist():
            detail = f"column {column} is not UTF-8"
            refusals.append(Refusal(int(numbers[row]), RefusalCode.NOT_AN_OBJECT, detail))
        garbled |= bad
    if garbled.any():
        numbers = numbers[~garbled]
        columns = {name: column.filter(pa.array(~garbled)) for name, column in columns.items()}
    return Chunk(
        first_row=first,
        rows=len(numbers),
        columns=columns,
        bytes_read=file.bytes_read(numbering.bytes),
        bytes_total=file.bytes_total,
        source=Source.TEXT,
        numbers=numbers,
        refusals=tuple(sorted(refusals, key=lambda refusal: refusal.index)),
    )


def _bytes(table: pa.Table) -> int:
    """What the rows take in the file, quotes aside: their values, each with what ends it."""
    total: int = table.num_rows * table.num_columns
    for column in table.columns:
        total += int(pc.sum(pc.binary_length(column)).as_py() or 0)
    return total


def _texts(column: pa.ChunkedArray) -> tuple[pa.Array, Mask]:
    """Bytes as text, and the rows that are none."""
    read = arrow.strings(column.combine_chunks())
    return read.array, read.bad
