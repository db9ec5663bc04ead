"""Ordered funnels: from the sets of days, then of slots, then from the events, as far as each is needed.

A set knows who was there and not when. But the days and slots that it is kept for bound when: the sets of two
days tell the order of two steps, and those of one day do not. So everyone whom the days decide is told by the
days; the slots are read for the others, and the events for those whom the slots leave open too. Whatever
decides, the counts are exact, and the proof tells all that was read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from pyroaring import BitMap

from aforo.engines.coarsening import coalesced
from aforo.engines.folds import Period
from aforo.engines.reads import PathsRequest, Segment
from aforo.questions.ask import Desk
from aforo.questions.funnel_asked import FunnelQuestion
from aforo.questions.funnel_ground import Prepared
from aforo.questions.paths import Traces, joined, of_events, of_sets, reached
from aforo.questions.plan import MOST_SEGMENTS, Plan
from aforo.questions.proof import Guarded
from aforo.questions.step_sets import (
    FunnelRead,
    Seals,
    Sources,
    StepSet,
    events_read,
    guard,
    read_sets,
    set_of,
    standing,
    unbound,
)
from aforo.states import distinct
from aforo.windows import SLOT, Grain, Window

# A slot's set takes about as long to read as so many events do: 26,000 sets took as long as 3 M events.
EVENTS_FOR_A_SET = 100
REMEDY = "ask the steps in any order ('ordered': false)"


def read_ordered(desk: Desk, prepared: Prepared) -> FunnelRead:
    """How many reached each step, each later than the one before.

    Raises NotServable and QuestionTooLarge where events must be read and may not be.
    """
    question, seals, sets = prepared.question, prepared.seals, prepared.sets
    lacking = next((each for each in sets if each.plan.rollup is None), None)
    if lacking is not None:
        return _from_events(desk, question, seals, lacking.plan)
    standings = tuple(standing(desk, question, each) for each in sets)
    walk = _Walk(desk, question, seals)
    walk.days(sets)
    if walk.undecided and not walk.events_are_cheaper():
        walk.slots()
    if walk.undecided:
        walk.events()
    return FunnelRead(tuple(walk.counts), walk.sources.told(), standings, walk.guarded)


class _Walk:
    """A funnel being told, coarse first: the counts of who is decided, and the traces of the others."""

    def __init__(self, desk: Desk, question: FunnelQuestion, seals: Seals) -> None:
        self.counts: list[int] = []
        self.undecided = distinct.empty()
        self.sources = Sources()
        self.guarded: Guarded | None = None
        self._desk = desk
        self._question = question
        self._seals = seals
        self._slots_from = max(seal.slots_from for seal in seals.values())
        self._events_from = max(seal.events_from for seal in seals.values())
        self._traces = of_events(())

    def days(self, sets: Sequence[StepSet]) -> None:
        """Tells all whom the sets of days decide; where the window cuts a day, of its part."""
        edges = sets[0].plan.edges
        found = [read_sets(self._desk, self._question.tenant, each, self.sources) for each in sets]
        first, second = (BitMap.union(distinct.empty(), *each.values()) for each in found[:2])
        self.counts = [distinct.finish(first)] + [0] * (len(sets) - 1)
        # Whoever is not at both is at the first step at most.
        ends = (*edges[1:], self._question.window.end)
        self._decide(_traces(found, distinct.common(first, second), edges, ends))

    def events_are_cheaper(self) -> bool:
        """Whether to leave the slots out, since there are too few events for their sets to save anything."""
        window = _hull(self._traces)
        events = self._events_in(window)
        sets = window.length // SLOT * len(self._question.steps)
        limit = self._desk.settings.questions.raw_rows_limit
        return window.start >= self._events_from and events <= min(limit, sets * EVENTS_FOR_A_SET)

    def slots(self) -> None:
        """Looks at the quarter hours of the days that leave someone open, where all steps have them."""
        fine = self._traces.earliest >= self._slots_from
        if not fine.any():
            return
        window = _hull(self._traces.where(fine))
        sets = self._sets_of_slots(window)
        if any(each.plan.rollup is None for each in sets):
            return
        segments = _segments(self._traces.where(fine))
        edges = tuple(start for each in segments for start in range(each.start, each.end, SLOT))
        tenant = self._question.tenant
        found = [read_sets(self._desk, tenant, each, self.sources, segments, edges) for each in sets]
        ends = [start + SLOT for start in edges]
        kept = self._traces.where(~fine)
        self._decide(joined((kept, _traces(found, self.undecided, edges, ends))))

    def events(self) -> None:
        """Reads the events of those whom the sets leave open, as far back as there are any.

        Raises NotServable where purged ones would be needed, or none may be read, and QuestionTooLarge.
        """
        there = self._traces.earliest >= self._events_from
        if there.any():
            window, why = _hull(self._traces.where(there)), self._why
            self.guarded = self._guard(window, why)
            plan = _plan_of_events(window, why)
            events = _events(self._desk, self._question, plan, self.sources, self.undecided)
            self._decide(joined((self._traces.where(~there), events)))
        if self.undecided:
            self._guard(_hull(self._traces), self._why)

    def _guard(self, window: Window, why: Plan) -> Guarded:
        reads = events_read(self._question, window, why)
        return guard(self._desk, self._question, self._seals, reads, why.reason, why.remedy)

    def _sets_of_slots(self, window: Window) -> list[StepSet]:
        question, seals = self._question, self._seals
        return [
            set_of(self._desk, step, question, seals[step.stream.name], Grain.SLOT, window)
            for step in question.steps
        ]

    def _events_in(self, window: Window) -> int:
        tenant = self._question.tenant
        return sum(self._desk.engine.estimate_raw(name, tenant, window) for name in self._seals)

    @property
    def _why(self) -> Plan:
        """Why the events are wanted: nothing that is kept tells the order of what lies within one span."""
        days = bool((self._traces.latest - self._traces.earliest >= SLOT).any())
        entity, open_ = self._question.steps[0].entity.name, len(self.undecided)
        reason = (
            f"sets of {'days' if days else 'quarter hours'} leave open how far {open_:,} came "
            f"(each one {entity}), since they tell no order within one"
        )
        return Plan(None, reason, REMEDY, (), (), ())

    def _decide(self, traces: Traces) -> None:
        """Counts those who are decided by their traces, and keeps the traces of the others."""
        found = reached(traces, len(self._question.steps), self._question.within)
        for step, those in enumerate(found.decided[1:], start=1):
            self.counts[step] += distinct.finish(those)
        self.undecided, self._traces = found.undecided, traces.among(found.undecided)


def _traces(
    found: Sequence[Mapping[int, BitMap]], entities: BitMap, starts: Sequence[int], ends: Sequence[int]
) -> Traces:
    """The traces of some entities in the sets of every step, by span."""
    begun, done = np.array(starts, np.int64), np.array(ends, np.int64)
    return joined(
        [
            of_sets({at: distinct.common(here, entities) for at, here in sets.items()}, step, begun, done)
            for step, sets in enumerate(found)
        ]
    )


def _segments(traces: Traces) -> tuple[Segment, ...]:
    """The slots of all the spans; of the time from the first to the last where those are many pieces."""
    spans = np.unique(np.stack((traces.earliest, traces.latest + 1)), axis=1).T.tolist()
    pieces = coalesced(Segment(Period.SLOT, start, end) for start, end in spans)
    if len(pieces) <= MOST_SEGMENTS:
        return pieces
    return (Segment(Period.SLOT, pieces[0].start, pieces[-1].end),)


def _hull(traces: Traces) -> Window:
    return Window(int(traces.earliest.min()), int(traces.latest.max()) + 1)


def _from_events(desk: Desk, question: FunnelQuestion, seals: Seals, why: Plan) -> FunnelRead:
    """All of it from the events: of some step no sets are kept."""
    window, sources = question.window, Sources()
    guarded = guard(desk, question, seals, events_read(question, window, why), why.reason, why.remedy)
    standings = tuple(
        unbound(desk.engine.standing(stream.name, question.tenant, window), stream)
        for stream in {step.stream.name: step.stream for step in question.steps}.values()
    )
    traces = _events(desk, question, _plan_of_events(window, why), sources)
    told = reached(traces, len(question.steps), question.within)
    return FunnelRead(tuple(map(distinct.finish, told.decided)), sources.told(), standings, guarded)


def _plan_of_events(window: Window, why: Plan) -> Plan:
    return replace(
        why, rollup=None, segments=(Segment(Period.SLOT, window.start, window.end),), edges=(window.start,)
    )


def _events(
    desk: Desk, question: FunnelQuestion, plan: Plan, sources: Sources, among: BitMap | None = None
) -> Traces:
    """The events that are steps, of everyone or of some, each stream read once."""
    [segment] = plan.segments
    found = []
    for first in {step.stream.name: step for step in question.steps}.values():
        request = PathsRequest(
            tenant=question.tenant,
            stream=first.stream,
            entity=first.entity,
            steps=tuple(
                (at, step.where)
                for at, step in enumerate(question.steps)
                if step.stream.name == first.stream.name
            ),
            window=Window(segment.start, segment.end),
            among=among,
        )
        limit = desk.settings.questions.time_limit_seconds
        found.append(desk.engine.read_paths(request, time_limit_seconds=limit))
        sources.took(plan, first.stream, len(found[-1].times))
    return of_events(found)
