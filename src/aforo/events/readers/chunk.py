"""Some rows of a file as raw columns, and how the file is to be taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aforo.errors import Fault, UnreadableFile, suggestion
from aforo.events.columns import Column, Source
from aforo.events.draft import ENVELOPE
from aforo.events.readers.marks import Marks
from aforo.events.refusals import Refusal, RefusalCode, shown

CHUNK_ROWS = 50_000
# Rows that share no names would make a column for each name, as long as the chunk: then the chunk ends early.
MOST_COLUMNS = 2_000

Numbers: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileShape:
    """How a file is taken.

    `mapping` names, for a field or one of the envelope, the column it comes from; a column that is mapped is
    not also kept under its own name, and a column of a mapped field's name gives way. `nulls` are the texts
    that stand for no value, quoted or not. `marks` tell a reader of growing files where to go on, unless it
    is to begin `from_start`.
    """

    mapping: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    nulls: frozenset[str] = frozenset({""})
    chunk_rows: int = CHUNK_ROWS
    marks: Marks | None = None
    from_start: bool = False

    def targets(self, names: Sequence[str]) -> dict[str, str]:
        """The column each target comes from, in the file's order, mapped ones last."""
        used = set(self.mapping.values())
        kept = {name: name for name in names if name not in used and name not in self.mapping}
        return {**kept, **self.mapping}

    def checked_targets(self, path: Path, names: Sequence[str]) -> dict[str, str]:
        """The targets of a file whose columns are known; UnreadableFile where they cannot be told apart."""
        repeated = sorted({name for name in names if list(names).count(name) > 1})
        if repeated:
            raise UnreadableFile(
                f"{path} has more than one column named {', '.join(map(repr, repeated))}",
                hint="give every column its own name",
            )
        unknown = [column for column in self.mapping.values() if column not in names]
        if unknown:
            raise UnreadableFile(
                f"{path} has no column named {unknown[0]!r}",
                hint=suggestion(unknown[0], names),
                faults=[Fault(column, "unknown_column", suggestion(column, names)) for column in unknown[1:]],
            )
        return self.targets(names)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is read of a file that grows: from `begun_at`, without `left` bytes of a line still written."""

    begun_at: int
    left: int


def _nothing_to_do() -> None:
    """What most chunks do once they are acknowledged."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Rows of a file by column, in the file's order; each column holds `rows` values.

    `numbers` are the rows' places in the file, from 0, and `refusals` those near them that are in no column,
    under such a number too. `bytes_read` and `bytes_total` are of the file as it lies on the disk.
    `acknowledged` is called once the chunk and all before it are durable.
    """

    first_row: int
    rows: int
    columns: Mapping[str, Column]
    bytes_read: int
    bytes_total: int
    source: Source
    numbers: Numbers
    refusals: tuple[Refusal, ...] = ()
    acknowledged: Callable[[], None] = _nothing_to_do
    stretch: Stretch | None = None


def columns_of(rows: Sequence[object]) -> dict[str, list[object]]:
    """Decoded objects as one list a name, None where a row has it not.

    A row is flat, or has its fields under `fields` beside the envelope; a field there that bears a name of
    the envelope is kept as `fields.time`, which no field is named, and so refused or dropped as unknown.
    """
    flat = [_flat(row) for row in rows]
    names = dict.fromkeys(name for row in flat for name in row)
    return {name: [row.get(name) for row in flat] for name in names}


def no_object(index: int, what: object) -> Refusal:
    """The refusal of a row that is something else than an object."""
    return Refusal(index, RefusalCode.NOT_AN_OBJECT, f"came {shown(what)}, wanted an object")


def _flat(row: object) -> Mapping[str, object]:
    if not isinstance(row, dict):
        return {}
    inner = row.get("fields")
    if not isinstance(inner, dict):
        return row
    outer = {name: value for name, value in row.items() if name != "fields"}
    return {(f"fields.{name}" if name in ENVELOPE else name): value for name, value in inner.items()} | outer
