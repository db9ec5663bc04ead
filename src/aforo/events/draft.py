"""Events of one stream on their way in: columns, and where in its batch each row stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.events.columns import Column, Mask, Source
from aforo.events.refusals import Refusal
from aforo.model.stream import Stream

Index: TypeAlias = npt.NDArray[np.int64]
ENVELOPE = ("stream", "tenant", "id", "time")
"""What every event has beside its stream's own fields."""


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """Rows that no step has refused yet.

    `columns` are named by envelope or field, as they came until a step has made them typed; `index` is each
    row's place in its batch.
    """

    stream: Stream
    source: Source
    columns: Mapping[str, Column]
    index: Index

    @property
    def rows(self) -> int:
        return len(self.index)

    def having(self, columns: Mapping[str, Column]) -> Draft:
        """The draft with these columns added or replaced."""
        return Draft(self.stream, self.source, {**self.columns, **columns}, self.index)

    def lacking(self, names: Sequence[str]) -> Draft:
        """The draft without these columns."""
        if not names:
            return self
        return replace(self, columns={name: self.columns[name] for name in self.columns if name not in names})

    def kept(self, mask: Mask) -> Draft:
        """The rows for which the mask holds."""
        if mask.all():
            return self
        chosen = {name: _chosen(column, mask) for name, column in self.columns.items()}
        return replace(self, columns=chosen, index=self.index[mask])


Stepped: TypeAlias = tuple[Draft, Sequence[Refusal]]


def value_at(column: Column, row: int) -> object:
    """One value of a column as a Python object, for a refusal's words."""
    value = column[row]
    return value.as_py() if isinstance(value, pa.Scalar) else value


def _chosen(column: Column, mask: Mask) -> Column:
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return column.filter(pa.array(mask))
    return [column[row] for row in np.flatnonzero(mask).tolist()]
