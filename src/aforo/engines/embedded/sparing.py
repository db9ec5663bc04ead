"""Sets that the weeks and months of a split do not keep, since they would be hardly smaller than their days'.

Where nearly everybody comes once, the set of a week is as large as those of its days together, and to read it
in their place saves nothing. Who asks for it reads the days, which hold at most twice as many members. A
rollup without a split keeps all of its sets: they are few, and most is asked of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aforo.engines.embedded.gathering import flat, lengths_of
from aforo.engines.embedded.layout import RollupLayout

FEW = 10_000
"""Members up to which a period keeps its sets whatever its days hold."""
SHARE = 0.5
"""Of the members of its days' sets, how many a period's may have to be kept."""

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Spared:
    """Rows of weeks or months as they are kept, and by tenant and start the measures without their sets."""

    rows: pa.Table
    without: Mapping[Place, list[str]]


def spare(layout: RollupLayout, days: pa.Table, rows: pa.Table) -> Spared:
    """Empties sets of `rows` that spare nothing against those of the `days` they were merged from."""
    without: dict[Place, list[str]] = {}
    for key in (each.key for each in layout.distincts if layout.dimensions):
        of_days = _members_by_place(days, key)
        large = {
            place
            for place, members in _members_by_place(rows, key).items()
            if members > max(FEW, SHARE * of_days[place])
        }
        if large:
            rows = _emptied(rows, key, large)
        for place in large:
            without.setdefault(place, []).append(key)
    return Spared(rows, without)


def _members_by_place(rows: pa.Table, key: str) -> dict[Place, int]:
    told = _places(rows).append_column("members", pa.array(lengths_of(rows[key].combine_chunks())))
    found = told.group_by(["tenant", "start"]).aggregate([("members", "sum")]).to_pydict()
    return dict(zip(zip(found["tenant"], found["start"], strict=True), found["members_sum"], strict=True))


def _places(rows: pa.Table) -> pa.Table:
    return pa.table({"tenant": rows["tenant"], "start": rows["start"].cast(pa.int64())})


def _emptied(rows: pa.Table, key: str, large: set[Place]) -> pa.Table:
    """The rows with nobody in the sets of some places."""
    told = _places(rows).to_pydict()
    gone = [place in large for place in zip(told["tenant"], told["start"], strict=True)]
    lengths = lengths_of(rows[key].combine_chunks())
    kept = flat([rows], key)[~np.repeat(gone, lengths)]
    bounds = np.concatenate(([0], np.cumsum(np.where(gone, 0, lengths))))
    sets = pa.LargeListArray.from_arrays(pa.array(bounds), pa.array(kept, pa.uint32()))
    return rows.set_column(rows.column_names.index(key), key, sets)
