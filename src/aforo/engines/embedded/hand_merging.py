"""Merged states of a request from rows that lie in memory, as `reading` merges those of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from aforo.engines.embedded.hand_rows import Column, Rows, Values
from aforo.engines.embedded.layout import MeasureLayout, RollupLayout
from aforo.engines.embedded.matching import holds
from aforo.engines.folds import Period
from aforo.engines.reads import Segment, Split, StatesRequest, few_enough
from aforo.model.measure import MeasureKind
from aforo.states import histogram, maximum, minimum
from aforo.states import sum as sum_
from aforo.states.histogram import Histogram

Ints: TypeAlias = npt.NDArray[np.int64]
Key: TypeAlias = tuple[int, Split]
RowsOf: TypeAlias = Callable[[Period, MeasureLayout | None], Rows]


@dataclass(frozen=True, slots=True)
class Picked:
    """The rows that a request reads, each with its bucket and the codes of what it is split by."""

    buckets: Ints
    codes: tuple[npt.NDArray[np.int32], ...]
    columns: dict[str, Column]

    @classmethod
    def joined(cls, parts: Sequence[Picked]) -> Picked:
        """All of them, one after another."""
        if len(parts) == 1:
            return parts[0]
        names = parts[0].columns
        return cls(
            np.concatenate([each.buckets for each in parts]),
            tuple(np.concatenate(own) for own in zip(*(each.codes for each in parts), strict=True)),
            {name: np.concatenate([each.columns[name] for each in parts]) for name in names},
        )


@dataclass(frozen=True, slots=True)
class Groups:
    """The different groups of some rows, and which of them each row is of."""

    keys: list[Key]
    of: Ints


class HandMerging:
    """One request being answered from memory; `rows_of` gives a period's numbers or a measure's lists."""

    def __init__(
        self,
        request: StatesRequest,
        layout: RollupLayout,
        measures: Sequence[MeasureLayout],
        segments: Sequence[Segment],
        values: Sequence[Values],
        rows_of: RowsOf,
    ) -> None:
        self._request = request
        self._measures = measures
        self._segments = segments
        self._rows_of = rows_of
        self._edges = np.array(request.edges, np.int64)
        places = {name: at for at, name in enumerate(layout.rollup.dimensions)}
        self._by = tuple(places[name] for name in request.by)
        self._values = [values[at] for at in self._by]
        self._tests = [
            (places[each.field], values[places[each.field]], holds(each, request.stream.fields[each.field]))
            for each in request.where
        ]
        self.sql: dict[str, None] = {}

    def merged(self) -> tuple[list[Key], dict[str, Sequence[object]], int]:
        """The keys, the states by measure's name in their order, and how many rows were read."""
        columns = [column.name for each in self._measures for column in each.columns]
        picked = self._picked(None, columns)
        groups = self._groups(picked)
        few_enough(len(groups.keys), self._request.most_keys)
        read, many = len(picked.buckets), len(groups.keys)
        found: dict[str, Sequence[object]] = {}
        for each in self._measures:
            own = [
                _merged(each, column.name, picked.columns[column.name], groups.of, many)
                for column in each.columns
            ]
            if each.measure.kind is MeasureKind.HISTOGRAM:
                found[each.measure.name], rows = self._histograms(each, own, groups)
            elif each.measure.kind is MeasureKind.DISTINCT:
                found[each.measure.name], rows = self._sets(each, groups)
            else:
                (found[each.measure.name],), rows = own, 0
            read += rows
        return groups.keys, found, read

    def _histograms(
        self, measure: MeasureLayout, extremes: Sequence[Sequence[Any]], groups: Groups
    ) -> tuple[Sequence[object], int]:
        picked = self._picked(measure, [measure.keys, measure.counts])
        keys, counts = picked.columns[measure.keys], picked.columns[measure.counts]
        of = self._of(picked, groups)
        lengths = np.fromiter(map(len, keys), np.int64, len(keys))
        bounds, own, sums = histogram.added(
            np.repeat(of, lengths), _flat(keys, np.int32), _flat(counts, np.int64), len(groups.keys)
        )
        least, greatest = extremes
        told = [
            Histogram(
                own[bounds[at] : bounds[at + 1]], sums[bounds[at] : bounds[at + 1]], least[at], greatest[at]
            )
            for at in range(len(groups.keys))
        ]
        return told, len(keys)

    def _sets(self, measure: MeasureLayout, groups: Groups) -> tuple[Sequence[object], int]:
        picked = self._picked(measure, [measure.key])
        sets = picked.columns[measure.key]
        unions = [
            BitMap.union(*sets[at]) if len(at) else BitMap()
            for at in _members(self._of(picked, groups), len(groups.keys))
        ]
        wanted = measure.measure.name in self._request.sets
        return (unions if wanted else [len(each) for each in unions]), len(sets)

    def _picked(self, measure: MeasureLayout | None, columns: Iterable[str]) -> Picked:
        names = dict.fromkeys(columns)
        periods = dict.fromkeys(each.period for each in self._segments)
        parts = []
        for period in periods:
            rows = self._rows_of(period, measure)
            self.sql[rows.sql] = None
            parts.append(self._of_period(rows, period, names))
        return Picked.joined(parts)

    def _of_period(self, rows: Rows, period: Period, names: Iterable[str]) -> Picked:
        own = [each for each in self._segments if each.period is period]
        edges = np.array([(each.start, each.end) for each in own], np.int64)
        bounds = rows.starts.searchsorted(edges)
        at = np.concatenate([np.arange(first, last) for first, last in bounds.tolist()])
        for place, values, test in self._tests:
            passes = np.fromiter(map(test, values.all), np.bool_)
            at = at[passes[rows.codes[place][at]]]
        return Picked(
            self._edges.searchsorted(rows.starts[at], side="right") - 1,
            tuple(rows.codes[place][at] for place in self._by),
            {name: rows.columns[name][at] for name in names},
        )

    def _groups(self, picked: Picked) -> Groups:
        if not len(picked.buckets):
            return Groups([], picked.buckets)
        if not self._by and len(self._edges) == 1:
            return Groups([(0, ())], np.zeros(len(picked.buckets), np.int64))
        codes = picked.buckets
        for own, values in zip(picked.codes, self._values, strict=True):
            codes = codes * len(values.all) + own
        _, first, of = np.unique(codes, return_index=True, return_inverse=True)
        buckets = picked.buckets[first].tolist()
        columns = [
            [values.all[code] for code in own[first].tolist()]
            for own, values in zip(picked.codes, self._values, strict=True)
        ]
        splits: Iterable[Split] = zip(*columns, strict=True) if columns else [()] * len(buckets)
        return self._of_kept(Groups(list(zip(buckets, splits, strict=True)), of))

    def _of_kept(self, groups: Groups) -> Groups:
        """Those that are kept, and all others of a bucket as one."""
        if self._request.kept is None:
            return groups
        kept = set(self._request.kept)
        told = [(bucket, split if split in kept else ()) for bucket, split in groups.keys]
        places = {key: at for at, key in enumerate(dict.fromkeys(told))}
        return Groups(list(places), np.array([places[key] for key in told], np.int64)[groups.of])

    def _of(self, picked: Picked, groups: Groups) -> Ints:
        """The place in `groups` of the group of each picked row, which are some of its rows."""
        own = self._groups(picked)
        places = {key: at for at, key in enumerate(groups.keys)}
        return np.array([places[key] for key in own.keys], np.int64)[own.of]


def _merged(measure: MeasureLayout, name: str, column: Column, of: Ints, groups: int) -> Sequence[Any]:
    """A column of numbers by group; None for a group in which none was given."""
    adds = measure.measure.kind in (MeasureKind.COUNT, MeasureKind.SUM)
    if adds and column.dtype == np.int64:
        sums = np.zeros(groups, np.int64)
        np.add.at(sums, of, column)
        return list(sums.tolist())
    greatest = measure.measure.kind is MeasureKind.MAXIMUM or name == measure.greatest
    merge: Callable[[Any, Any], Any] = sum_.merge if adds else maximum.merge if greatest else minimum.merge
    found: list[Any] = [None] * groups
    for group, value in zip(of.tolist(), column.tolist(), strict=True):
        found[group] = merge(found[group], value)
    return found


def _members(of: Ints, groups: int) -> Iterator[Ints]:
    """Which rows each group has."""
    order = of.argsort(kind="stable")
    bounds = of[order].searchsorted(np.arange(groups + 1))
    return (order[first:last] for first, last in pairwise(bounds.tolist()))


def _flat(lists: Column, kind: type[np.integer[Any]]) -> npt.NDArray[Any]:
    return np.concatenate(lists) if len(lists) else np.empty(0, kind)
