"""Funnels: how many of an entity came how far.

One step, and steps in any order, are told by whole sets, from a rollup where one can serve; steps in order by
the sets of days and slots, and by the events of those alone whom these leave open (`ordered.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from aforo.errors import RollupReplaced
from aforo.model.tenant import is_simulated
from aforo.questions.ask import Desk
from aforo.questions.cost import RawRead
from aforo.questions.funnel_asked import FunnelAsked, resolve
from aforo.questions.funnel_ground import FunnelGround, Prepared, in_order, seals_of
from aforo.questions.kept import Anew, Form, KeptProof, WithProof, unpacking
from aforo.questions.ordered import read_ordered
from aforo.questions.proof import Freshness, Guarded, Proof, Reads
from aforo.questions.step_sets import FunnelRead, Seals, Sources, guard, read_sets, standing
from aforo.states import distinct


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


class KeptFunnel(WithProof, frozen=True, array_like=True, kw_only=True):
    """A funnel as it is kept; `guarded` is what was expected before it was read."""

    entity: str
    steps: tuple[str, ...]
    counts: tuple[int, ...]
    guarded: Guarded | None

    @classmethod
    def of(cls, told: Funnel, read_at: int) -> KeptFunnel:
        """What is kept of a funnel that was begun to be read at an instant."""
        proof = KeptProof.of(told.proof, read_at)
        return cls(
            proof=proof,
            entity=told.entity,
            steps=told.steps,
            counts=told.counts,
            guarded=told.proof.guarded,
        )

    def told(self, proof: Proof) -> Funnel:
        """The funnel as it is given out."""
        return Funnel(self.entity, self.steps, self.counts, replace(proof, guarded=self.guarded))


FUNNELS = Form(KeptFunnel.of, unpacking(KeptFunnel), KeptFunnel.told)


def funnel(desk: Desk, asked: FunnelAsked) -> Funnel:
    """The counts with the proof. Raises what a question does."""
    begun, asked_at = desk.clock.monotonic(), desk.clock.now()
    question = resolve(asked, desk.model, desk.tenant_zone(asked.tenant), asked_at)
    prepared = Prepared.of(desk, question)
    ground = FunnelGround.of(desk, prepared, asked_at)
    told = desk.remembered(
        FUNNELS,
        ground.wanted(desk),
        Anew(question.zone, ground.freshness, begun),
        lambda: _read(desk, prepared, asked_at, begun),
    )
    desk.answered(told.proof)
    return replace(told, proof=desk.limited(told.proof, told.proof.guarded))


def _read(desk: Desk, prepared: Prepared, asked_at: int, begun: float) -> Funnel:
    """The funnel as its sets and events tell it now."""
    seals, read = _read_unsealed(desk, prepared)
    sealed, question = max(seal.events_from for seal in seals.values()), prepared.question
    names = tuple(step.name for step in question.steps)
    proof = Proof(
        reads={question.steps[0].stream.name: Reads(source=read.source)},
        freshness=Freshness.of_all(read.standings, asked_at),
        exact=dict.fromkeys(names, True),
        zone=question.zone,
        sealed_until=sealed if question.window.start < sealed else None,
        model_version=desk.model.version,
        took_seconds=desk.clock.monotonic() - begun,
        simulated=is_simulated(question.tenant),
        guarded=read.guarded,
    )
    return Funnel(question.steps[0].entity.name, names, read.counts, proof)


def _read_unsealed(desk: Desk, prepared: Prepared) -> tuple[Seals, FunnelRead]:
    """Reads, and does so again where something was purged or swapped in meanwhile."""
    ordered = in_order(prepared.question)
    while True:
        try:
            read = (read_ordered if ordered else _read_unordered)(desk, prepared)
            if seals_of(desk, prepared.question) == prepared.seals:
                return prepared.seals, read
        except RollupReplaced:
            pass  # what was being built serves now
        prepared = Prepared.of(desk, prepared.question)


def _read_unordered(desk: Desk, prepared: Prepared) -> FunnelRead:
    """Those who made all steps up to each: the intersections of the steps' sets."""
    question, sets = prepared.question, prepared.sets
    raw = [
        RawRead.of(each.step.stream, question.window, each.plan, (each.measure,), each.where)
        for each in sets
        if each.plan.rollup is None
    ]
    guarded = None
    if raw:
        why = raw[0].plan
        guarded = guard(desk, question, prepared.seals, raw, why.reason, why.remedy)
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
