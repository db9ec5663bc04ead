"""By what rows are told apart: the values of a split, or which of some groups that are kept they are of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import SQL_TYPES, quoted
from aforo.engines.reads import Split, StatesRequest

KEPT = "__kept"


@dataclass(frozen=True, slots=True)
class Grouping:
    """A join (or nothing), what of the joined rows is picked, and the columns of that which tell groups."""

    join: str
    items: tuple[str, ...]
    columns: tuple[str, ...]
    kept: tuple[Split, ...] | None

    def splits(self, values: Mapping[str, Sequence[Any]]) -> Iterable[Split]:
        """The split of each row, of whose values those of the columns are told."""
        if self.kept is not None:
            kept = self.kept
            return (() if at is None else kept[at] for at in values[KEPT])
        if not self.columns:
            return iter([()] * len(values["__bucket"]))
        return zip(*(values[name] for name in self.columns), strict=True)


def grouping(cursor: Cursor, request: StatesRequest) -> Grouping:
    """How rows, called `r`, are told apart; the kept groups are registered as a table on the cursor."""
    if request.kept is None:
        return Grouping("", tuple(f"r.{quoted(name)}" for name in request.by), request.by, None)
    values = list(zip(*request.kept, strict=True)) or [()] * len(request.by)
    columns = {f"__value_{at}": pa.array(list(each)) for at, each in enumerate(values)}
    cursor.register(
        "kept_groups", pa.table({"__place": pa.array(range(len(request.kept)), pa.int32()), **columns})
    )
    same = " AND ".join(
        # Nulls alone have no type of their own.
        f"r.{quoted(name)} IS NOT DISTINCT FROM k.__value_{at}::{SQL_TYPES[request.stream.fields[name].type]}"
        for at, name in enumerate(request.by)
    )
    join = f" LEFT JOIN kept_groups AS k ON {same}"
    return Grouping(join, (f"k.__place AS {KEPT}",), (KEPT,), request.kept)
