"""How far entities came on an ordered path of steps, from when they were at each.

An entity has reached step k where there are events e1 to ek of it, ei being step i, each later than the one
before, and ek no later than a limit after e1. Of two events of one microsecond neither is later, so no order
of arrival can change the answer, and no event is two steps.

Of an event the instant is known. Of a kept set only the span of time is: someone was at the step within it.
So there are two readings. *Surely* reached is what holds whenever in its span each event was: spans follow
one upon another, and the limit holds from the first one's beginning to the last one's end. *Possibly* reached
is what some choice of instants allows: steps may share a span, and the limit need only hold from the first
one's end to the last one's beginning. Where both agree the answer is exact; of events they always do.

For each trace that is step k the latest start from which it can be reached is kept, over all that came
before: a later start never reaches less. Traces are ordered by entity and time, so that a start is the
number of a row, and the latest before a row is a running maximum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from aforo.engines.reads import Paths
from aforo.states import distinct

Rows = npt.NDArray[np.int64]
_NEVER = -1
_NOBODY = np.empty(0, np.uint32)
_NO_TIMES = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Traces:
    """Entities at steps, in any order: bit i of `steps` is set for step i.

    `earliest` and `latest` are the first and last microsecond in which it may have been. Two spans of one
    entity are the same or do not overlap.
    """

    ordinals: npt.NDArray[np.uint32]
    earliest: Rows
    latest: Rows
    steps: npt.NDArray[np.uint8]

    def where(self, kept: npt.NDArray[np.bool_]) -> Traces:
        """The rows for which `kept` is true."""
        return Traces(self.ordinals[kept], self.earliest[kept], self.latest[kept], self.steps[kept])

    def among(self, entities: BitMap) -> Traces:
        """The rows of some entities."""
        return self.where(np.isin(self.ordinals, np.array(entities.to_array(), np.uint32)))


def of_events(found: Iterable[Paths]) -> Traces:
    """Events, each in a span of one instant."""
    nothing = of_sets({}, 0, _NO_TIMES, _NO_TIMES)
    return joined([nothing, *(Traces(each.ordinals, each.times, each.times, each.steps) for each in found)])


def of_sets(sets: Mapping[int, BitMap], step: int, starts: Rows, ends: Rows) -> Traces:
    """Those who were at a step in each of some spans, by place; a span does not include its end."""
    parts = [np.array(each.to_array(), np.uint32) for each in sets.values()]
    ordinals = np.concatenate([_NOBODY, *parts])
    spans = np.repeat(np.array(list(sets), np.int64), [len(each) for each in parts])
    bits = np.full(len(ordinals), 1 << step, np.uint8)
    return Traces(ordinals, starts[spans], ends[spans] - 1, bits)


def joined(parts: Sequence[Traces]) -> Traces:
    """All of one or more."""
    return Traces(
        np.concatenate([each.ordinals for each in parts]),
        np.concatenate([each.earliest for each in parts]),
        np.concatenate([each.latest for each in parts]),
        np.concatenate([each.steps for each in parts]),
    )


@dataclass(frozen=True, slots=True)
class Reached:
    """Who reached each step, for all but those who are `undecided`: they may have come further or not."""

    decided: tuple[BitMap, ...]
    undecided: BitMap


def reached(traces: Traces, steps: int, within: int | None) -> Reached:
    """Who reached each step; `within` is microseconds from the first step to any later one."""
    ordered = _Ordered.of(traces)
    surely = ordered.reached(steps, within, surely=True)
    if not ordered.spans:
        return Reached(surely, distinct.empty())
    possibly = ordered.reached(steps, within, surely=False)
    undecided = BitMap.union(*map(distinct.without, possibly, surely))
    return Reached(tuple(distinct.without(each, undecided) for each in surely), undecided)


@dataclass(frozen=True, slots=True)
class _Ordered:
    """Traces by entity and time; of each row the last one in an earlier span, and the last one in its own."""

    traces: Traces
    before: Rows
    last: Rows
    spans: bool

    @classmethod
    def of(cls, traces: Traces) -> _Ordered:
        order = np.lexsort((traces.earliest, traces.ordinals))
        traces = Traces(
            traces.ordinals[order], traces.earliest[order], traces.latest[order], traces.steps[order]
        )
        changes = np.ones(len(order), bool)
        changes[1:] = traces.ordinals[1:] != traces.ordinals[:-1]
        changes[1:] |= traces.earliest[1:] != traces.earliest[:-1]
        first = np.flatnonzero(changes)
        sizes = np.diff(first, append=len(order))
        before, last = np.repeat(first - 1, sizes), np.repeat(first + sizes - 1, sizes)
        longer = traces.latest > traces.earliest
        return cls(traces, before, np.where(longer, last, before), bool(longer.any()))

    def reached(self, steps: int, within: int | None, *, surely: bool) -> tuple[BitMap, ...]:
        """The entities of each step, at the far ends of the spans or at the near ones."""
        traces = self.traces
        upto = self.before if surely else self.last
        begun, done = (traces.earliest, traces.latest) if surely else (traces.latest, traces.earliest)
        starts: Rows = np.where(traces.steps & 1, np.arange(len(traces.steps)), _NEVER)
        found = [self._entities(starts)]
        for step in range(1, steps):
            latest = np.maximum.accumulate(starts)[upto] if len(starts) else starts
            on = (upto != _NEVER) & (latest != _NEVER) & ((traces.steps >> step) & 1).astype(bool)
            on &= traces.ordinals[latest] == traces.ordinals
            if within is not None:
                on &= done - begun[latest] <= within
            starts = np.where(on, latest, _NEVER)
            found.append(self._entities(starts))
        return tuple(found)

    def _entities(self, starts: Rows) -> BitMap:
        return distinct.of_members(np.unique(self.traces.ordinals[starts != _NEVER]))
