"""Funnels: how many of an entity came how far.

One step, and steps in any order, are told by sets, from a rollup where one can serve. An order is not: a set
knows who was there and not when, and even the sets of slots do not tell which of two events of a slot came
first. So ordered steps are read from the raw events, within the limits of every raw question, and the proof
says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from pyroaring import BitMap

from aforo.engines.folds import Period
from aforo.engines.keeping import Seal
from aforo.engines.reads import PathsRequest, Segment, Standing, States, StatesRequest
from aforo.errors import RollupReplaced
from aforo.model.condition import Condition
from aforo.model.measure import Measure, MeasureKind
from aforo.model.stream import Stream
from aforo.questions.ask import Desk
from aforo.questions.funnel_asked import FunnelAsked, FunnelQuestion, Step, resolve
from aforo.questions.guard import few_enough_raw, none_sealed
from aforo.questions.paths import reached
from aforo.questions.plan import Plan, Span, plan
from aforo.questions.proof import Freshness, Proof, Reads, Source
from aforo.states import distinct
from aforo.windows import Bucket, Grain

ORDER = "an order of steps is kept by the raw events only"
REMEDY = "ask the steps in any order ('ordered': false)"


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many entities reached each step, and what it was read from."""

    entity: str
    steps: tuple[str, ...]
    counts: tuple[int, ...]
    proof: Proof

    def as_json(self) -> dict[str, object]:
        """The reply, ready for JSON; a share of nobody is null."""
        before = (self.counts[0], *self.counts)
        return {
            "entity": self.entity,
            "steps": [
                {
                    "step": at + 1,
                    "name": name,
                    "count": count,
                    "share": _share(count, self.counts[0]),
                    "shareOfPrevious": _share(count, before[at]),
                }
                for at, (name, count) in enumerate(zip(self.steps, self.counts, strict=True))
            ],
            "proof": self.proof.as_json(),
        }


@dataclass(frozen=True, slots=True)
class _Read:
    """The counts; the plan, of which stream it is, what was read, and how far all was folded."""

    counts: tuple[int, ...]
    plan: Plan
    stream: Stream
    states: States  # without values: how many rows, and of which periods
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class _StepSet:
    """The set of a step: a distinct measure under conditions, and what it is read from."""

    step: Step
    measure: Measure
    where: tuple[Condition, ...]
    plan: Plan


def funnel(desk: Desk, asked: FunnelAsked) -> Funnel:
    """The counts with the proof. Raises what a question does."""
    begun, asked_at = desk.clock.monotonic(), desk.clock.now()
    question = resolve(asked, desk.model, desk.tenant_zone(asked.tenant), asked_at)
    seals, read = _read_unsealed(desk, question)
    sealed = max(seal.events_from for seal in seals.values())
    names = tuple(step.name for step in question.steps)
    proof = Proof(
        reads={read.stream.name: Reads(source=Source.of(read.plan, read.stream, read.states))},
        freshness=Freshness.of_all(read.standings, asked_at),
        exact=dict.fromkeys(names, True),
        zone=question.zone,
        sealed_until=sealed if question.window.start < sealed else None,
        model_version=desk.model.version,
        took_seconds=desk.clock.monotonic() - begun,
    )
    desk.answered(proof)
    return Funnel(asked.entity, names, read.counts, proof)


def _read_unsealed(desk: Desk, question: FunnelQuestion) -> tuple[Mapping[str, Seal], _Read]:
    """Reads, and does so again where something was purged meanwhile."""
    by_sets = len(question.steps) == 1 or not question.ordered
    while True:
        seals = _seals(desk, question)
        try:
            read = (
                _from_sets(desk, _served(desk, question), seals)
                if by_sets
                else _from_events(desk, question, seals)
            )
        except RollupReplaced:
            continue  # what was being built serves now, and is read the next time
        if _seals(desk, question) == seals:
            return seals, read


def _served(desk: Desk, question: FunnelQuestion) -> FunnelQuestion:
    """The question over streams with the rollups that may be read now."""
    steps = tuple(replace(step, stream=desk.served(step.stream.name)) for step in question.steps)
    return replace(question, steps=steps)


def _seals(desk: Desk, question: FunnelQuestion) -> Mapping[str, Seal]:
    """How far back each stream of the steps is kept."""
    names = dict.fromkeys(step.stream.name for step in question.steps)
    return {name: desk.engine.seal(name, question.tenant) for name in names}


def _from_sets(desk: Desk, question: FunnelQuestion, seals: Mapping[str, Seal]) -> _Read:
    """Those who made all steps up to each: the intersections of the steps' sets."""
    sets = [
        _set_of(
            step,
            question,
            seals[step.stream.name],
            days_wait=desk.engine.days_wait(step.stream.name, question.tenant),
        )
        for step in question.steps
    ]
    raw = [each for each in sets if each.plan.rollup is None]
    if raw:
        read_raw = {name: seals[name] for name in (each.step.stream.name for each in raw)}
        _guard(desk, question, read_raw, raw[0].plan.reason, raw[0].plan.remedy)
    standings = tuple(_standing(desk, question, each) for each in sets)
    counts: list[int] = []
    rows, periods, remaining = 0, set[Period](), None
    for each in sets:
        found = desk.engine.read_states(
            StatesRequest(
                tenant=question.tenant,
                stream=each.step.stream,
                rollup=each.plan.rollup,
                measures=(each.measure,),
                by=(),
                where=each.where,
                segments=each.plan.segments,
                edges=each.plan.edges,
                sets=(each.measure.name,),
            ),
            time_limit_seconds=desk.settings.questions.time_limit_seconds,
        )
        here = next(iter(cast(Sequence[BitMap], found.values[each.measure.name])), distinct.empty())
        remaining = here if remaining is None else distinct.common(remaining, here)
        rows += found.rows_read
        periods |= set(found.periods)
        counts.append(distinct.finish(remaining))
    told = (raw or sets)[0]
    read = States((), {}, rows, periods=tuple(period for period in Period if period in periods))
    return _Read(tuple(counts), told.plan, told.step.stream, read, standings)


def _set_of(step: Step, question: FunnelQuestion, seal: Seal, *, days_wait: bool) -> _StepSet:
    """From a rollup where a distinct measure of the entity means the step, else from the events."""
    window = question.window
    buckets = (Bucket(window.start, window.end, False, None),)
    span = Span(window, Grain.TOTAL, buckets, question.tenant_zone, seal.slots_from, days_wait)
    bare = Measure(
        name=f"each {step.entity.name}",
        kind=MeasureKind.DISTINCT,
        entity=step.entity.name,
        field=step.entity.field,
    )
    tried = [
        _StepSet(step, measure, where, plan(step.stream, (measure,), (), where, span))
        for measure, where in (*_meant_by(step), (bare, step.where))
    ]
    able = [(len(each.plan.rollup.dimensions), each) for each in tried if each.plan.rollup is not None]
    return min(able, key=lambda one: one[0])[1] if able else tried[0]


def _meant_by(step: Step) -> Iterator[tuple[Measure, tuple[Condition, ...]]]:
    """Declared measures of the entity, with the conditions that are left to ask for the step."""
    for measure in step.stream.measures.values():
        if measure.kind is not MeasureKind.DISTINCT or measure.entity != step.entity.name:
            continue
        if set(measure.where) <= set(step.where):
            yield measure, tuple(each for each in step.where if each not in measure.where)


def _standing(desk: Desk, question: FunnelQuestion, each: _StepSet) -> Standing:
    found = desk.engine.standing(each.step.stream.name, question.tenant, question.window)
    return found if each.plan.rollup is not None else _unbound(found, each.step.stream)


def _unbound(found: Standing, stream: Stream) -> Standing:
    """What waits for a fold does not matter where the events are read, but those of some wait themselves."""
    if stream.derivation is not None:
        return found
    return Standing(found.commit, None, None, found.revision)


def _from_events(desk: Desk, question: FunnelQuestion, seals: Mapping[str, Seal]) -> _Read:
    window = question.window
    streams = {step.stream.name: step for step in question.steps}
    _guard(desk, question, seals, ORDER, REMEDY)
    standings = tuple(
        _unbound(desk.engine.standing(name, question.tenant, window), step.stream)
        for name, step in streams.items()
    )
    found = [
        desk.engine.read_paths(
            PathsRequest(
                tenant=question.tenant,
                stream=first.stream,
                entity=first.entity,
                steps=tuple(
                    (at, step.where)
                    for at, step in enumerate(question.steps)
                    if step.stream.name == first.stream.name
                ),
                window=window,
            ),
            time_limit_seconds=desk.settings.questions.time_limit_seconds,
        )
        for first in streams.values()
    ]
    counts = reached(found, len(question.steps), question.within)
    read = Plan(None, ORDER, REMEDY, (Segment(Period.SLOT, window.start, window.end),), (window.start,), ())
    rows = sum(len(each.times) for each in found)
    return _Read(counts, read, question.steps[0].stream, States((), {}, rows), standings)


def _guard(desk: Desk, question: FunnelQuestion, seals: Mapping[str, Seal], reason: str, remedy: str) -> None:
    """Refuses to read raw events that were purged, and more than is allowed."""
    for name, seal in seals.items():
        none_sealed(question.window.start, seal, name, question.tenant_zone, reason, remedy)
    rows = sum(desk.engine.estimate_raw(name, question.tenant, question.window) for name in seals)
    few_enough_raw(rows, desk.settings.questions.raw_rows_limit, reason, remedy)


def _share(count: int, of: int) -> float | None:
    return count / of if of else None
