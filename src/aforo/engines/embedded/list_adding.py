"""Sets and histograms added up from the lists that rows hold, by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aforo.engines.embedded.gathering import lengths_of
from aforo.engines.embedded.layout import ListColumn, MeasureLayout
from aforo.engines.reads import Split
from aforo.model.measure import MeasureKind
from aforo.states import distinct, histogram
from aforo.states.distinct import Numbers, Words
from aforo.states.histogram import Histogram

Key = tuple[int, Split]
Merged = dict[Key, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups that a table's rows are of, and which of them each row is of."""

    keys: list[Key]
    of_row: Numbers


def add_lists(
    measure: MeasureLayout, table: pa.Table, groups: Groups, merged: Merged, *, wanted: bool, kept: bool
) -> None:
    """Puts a measure's histogram or set of each group into `merged`; of a set its size, unless it is wanted.

    Lists are read by row and added up here, which takes a third of the time of a merge in SQL. Sets that are
    `kept` are gaps, those of events are members.
    """
    if measure.measure.kind is MeasureKind.HISTOGRAM:
        _histograms(measure, table, groups, merged)
        return
    lists = _lists(table, *measure.lists)
    lengths, numbers = lengths_of(lists), lists.flatten().to_numpy()
    members = distinct.members(lengths, numbers) if kept else numbers
    add = _sets if wanted else _sizes
    add(measure, np.repeat(groups.of_row, lengths), members, groups, merged)


def rows_with(measure: MeasureLayout, table: pa.Table) -> int:
    """How many rows hold anything of the measure."""
    return int(np.count_nonzero(lengths_of(_lists(table, measure.lists[0]))))


def _histograms(measure: MeasureLayout, table: pa.Table, groups: Groups, merged: Merged) -> None:
    name = measure.measure.name
    lists, counts = (_lists(table, column) for column in measure.lists)
    bounds, values, sums = histogram.added(
        np.repeat(groups.of_row, lengths_of(lists)),
        lists.flatten().to_numpy(),
        counts.flatten().to_numpy(),
        len(groups.keys),
    )
    for at, key in enumerate(groups.keys):
        own, many = values[bounds[at] : bounds[at + 1]], sums[bounds[at] : bounds[at + 1]]
        bare = merged[key][name]
        assert isinstance(bare, Histogram)
        merged[key][name] = Histogram(own, many, bare.minimum, bare.maximum)


def _sets(measure: MeasureLayout, of: Numbers, ordinals: Words, groups: Groups, merged: Merged) -> None:
    bounds, members = distinct.grouped(of, ordinals, len(groups.keys))
    for at, key in enumerate(groups.keys):
        merged[key][measure.measure.name] = distinct.of_members(members[bounds[at] : bounds[at + 1]])


def _sizes(measure: MeasureLayout, of: Numbers, ordinals: Words, groups: Groups, merged: Merged) -> None:
    sizes = distinct.sizes(of, ordinals, len(groups.keys)).tolist()
    for key, size in zip(groups.keys, sizes, strict=True):
        merged[key][measure.measure.name] = size


def _lists(table: pa.Table, column: ListColumn) -> pa.ListArray:
    return table[column.name].combine_chunks()
