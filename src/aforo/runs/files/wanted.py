"""What is wanted of a file, and how its failures are told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from aforo.errors import InvalidSeries, suggestion


@dataclass(frozen=True, slots=True)
class Wanted:
    """The column of dates and those of numbers, and how many rows; `file` is what people call it."""

    file: str
    date: str
    columns: tuple[str, ...]
    most_rows: int

    @property
    def names(self) -> list[str]:
        """All columns, the dates first."""
        return [self.date, *self.columns]

    def check_columns(self, there: Sequence[str]) -> None:
        """Raises InvalidSeries for a wanted column that is not there once."""
        for name in self.names:
            count = there.count(name)
            if count != 1:
                told = f"{count} columns named {name!r}" if count else f"no column {name!r}"
                raise InvalidSeries(f"{self.file} has {told}", hint=suggestion(name, there))

    def check_rows(self, rows: int) -> None:
        """Raises InvalidSeries for more rows than may be read."""
        if rows > self.most_rows:
            raise InvalidSeries(
                f"{self.file} has {rows} rows, with which there are more than may be read",
                hint="worker.max_rows says how many rows one run may read of a dataset",
            )


@contextmanager
def told(wanted: Wanted) -> Iterator[None]:
    """Tells what Arrow says of a file as InvalidSeries; that memory ran out is no fault of the file."""
    try:
        yield
    except pa.ArrowMemoryError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        said = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise InvalidSeries(
            f"{wanted.file} cannot be read: {said[:300]}", hint="is it of the format that its manifest tells?"
        ) from error
