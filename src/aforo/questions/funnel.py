"""Funnels: how many of an entity came how far.

One step, and steps in any order, are told by whole sets, from a rollup where one can serve; steps in order by
the sets of days and slots, and by the events of those alone whom these leave open (`ordered.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aforo.engines.keeping import Seal
from aforo.errors import RollupReplaced
from aforo.model.tenant import is_simulated
from aforo.questions.ask import Desk
from aforo.questions.cost import RawRead
from aforo.questions.funnel_asked import FunnelAsked, FunnelQuestion, resolve
from aforo.questions.ordered import read_ordered
from aforo.questions.proof import Freshness, Proof, Reads
from aforo.questions.step_sets import FunnelRead, Seals, Sources, guard, read_sets, set_of, standing
from aforo.states import distinct
from aforo.windows import Grain


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


def funnel(desk: Desk, asked: FunnelAsked) -> Funnel:
    """The counts with the proof. Raises what a question does."""
    begun, asked_at = desk.clock.monotonic(), desk.clock.now()
    question = resolve(asked, desk.model, desk.tenant_zone(asked.tenant), asked_at)
    seals, read = _read_unsealed(desk, question)
    sealed = max(seal.events_from for seal in seals.values())
    names = tuple(step.name for step in question.steps)
    proof = Proof(
        reads={question.steps[0].stream.name: Reads(source=read.source)},
        freshness=Freshness.of_all(read.standings, asked_at),
        exact=dict.fromkeys(names, True),
        zone=question.zone,
        sealed_until=sealed if question.window.start < sealed else None,
        model_version=desk.model.version,
        took_seconds=desk.clock.monotonic() - begun,
        simulated=is_simulated(asked.tenant),
        guarded=read.guarded,
    )
    desk.answered(proof)
    return Funnel(asked.entity, names, read.counts, proof)


def _read_unsealed(desk: Desk, question: FunnelQuestion) -> tuple[Seals, FunnelRead]:
    """Reads, and does so again where something was purged meanwhile."""
    ordered = question.ordered and len(question.steps) > 1
    while True:
        seals = _seals(desk, question)
        try:
            read = (read_ordered if ordered else _read_unordered)(desk, _served(desk, question), seals)
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


def _read_unordered(desk: Desk, question: FunnelQuestion, seals: Seals) -> FunnelRead:
    """Those who made all steps up to each: the intersections of the steps' sets."""
    sets = [
        set_of(desk, step, question, seals[step.stream.name], Grain.TOTAL, question.window)
        for step in question.steps
    ]
    raw = [
        RawRead.of(each.step.stream, question.window, each.plan, (each.measure,), each.where)
        for each in sets
        if each.plan.rollup is None
    ]
    guarded = None
    if raw:
        why = raw[0].plan
        guarded = guard(desk, question, seals, raw, why.reason, why.remedy)
    standings = tuple(standing(desk, question, each) for each in sets)
    counts: list[int] = []
    sources, remaining = Sources(), None
    for each in sets:
        found = read_sets(desk, question.tenant, each, sources)
        here = next(iter(found.values()), distinct.empty())
        remaining = here if remaining is None else distinct.common(remaining, here)
        counts.append(distinct.finish(remaining))
    return FunnelRead(tuple(counts), sources.told(), standings, guarded)


def _share(count: int, of: int) -> float | None:
    return count / of if of else None
