"""What a funnel stands on: the sets that its steps are planned to be read from, and how far those are folded.

Which of the events of whom are read as well is known only once the sets have been. As long as nothing of the
window waits for a fold the revisions of its days tell of its events too, since whatever changes events marks
their slots to be folded; where something waits, the last commit and the last write do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from aforo.engines.reads import Standing
from aforo.questions.ask import Desk
from aforo.questions.cache import Wanted, tier_of
from aforo.questions.funnel_asked import FunnelQuestion
from aforo.questions.proof import Freshness
from aforo.questions.step_sets import Seals, StepSet, set_of, unbound
from aforo.windows import Grain


@dataclass(frozen=True, slots=True)
class Prepared:
    """A funnel over the streams as they are served now, with how far back these are kept, and its sets."""

    question: FunnelQuestion
    seals: Seals
    sets: tuple[StepSet, ...]

    @classmethod
    def of(cls, desk: Desk, question: FunnelQuestion) -> Prepared:
        """The funnel as it would be read now."""
        seals = seals_of(desk, question)
        steps = tuple(replace(step, stream=desk.served(step.stream.name)) for step in question.steps)
        served = replace(question, steps=steps)
        grain = Grain.DAY if in_order(question) else Grain.TOTAL
        sets = tuple(
            set_of(desk, step, served, seals[step.stream.name], grain, question.window) for step in steps
        )
        return cls(served, seals, sets)


@dataclass(frozen=True, slots=True)
class FunnelGround:
    """A funnel and the standings of its steps, read after `asked_at`."""

    asked_at: int
    prepared: Prepared
    standings: tuple[Standing, ...]  # of each step's stream
    writes: int  # of the engine, before those

    @classmethod
    def of(cls, desk: Desk, prepared: Prepared, asked_at: int) -> FunnelGround:
        """The ground as it is now."""
        question, writes = prepared.question, desk.engine.writes()
        found = {
            name: desk.engine.standing(name, question.tenant, question.window) for name in prepared.seals
        }
        return cls(asked_at, prepared, tuple(found[step.stream.name] for step in question.steps), writes)

    @property
    def freshness(self) -> Freshness:
        """How fresh an answer on this ground is now."""
        told = [
            found if each.plan.rollup is not None else unbound(found, each.step.stream)
            for each, found in zip(self.prepared.sets, self.standings, strict=True)
        ]
        return Freshness.of_all(told, self.asked_at)

    def wanted(self, desk: Desk) -> Wanted:
        """The funnel on this ground, as the cache knows it."""
        question, limits = self.prepared.question, desk.settings.questions
        steps = [
            (step.name, step.stream.name, list(step.stream.rollups.values()), step.entity, step.where)
            for step in question.steps
        ]
        zones = question.zone, question.tenant_zone
        asked = (question.tenant, steps, question.window, question.within, question.ordered, zones)
        read = [
            (
                each.measure,
                each.where,
                each.plan.rollup,
                each.plan.reason,
                each.plan.segments,
                each.plan.edges,
            )
            for each in self.prepared.sets
        ]
        allowed = (limits.raw_rows_limit, limits.raw_bytes_limit)
        stands = [(each.revision, each.commit if self._any_event else None) for each in self.standings]
        seals = sorted(
            (name, seal.slots_from, seal.events_from) for name, seal in self.prepared.seals.items()
        )
        writes = self.writes if self._any_event else None
        return Wanted(
            text=repr(("funnel", desk.model.version, asked, read, seals, allowed, stands, writes)),
            tags=(f"tenant:{question.tenant}", *(f"stream:{name}" for name in self.prepared.seals)),
            tier=tier_of(question.window, self.asked_at),
        )

    @property
    def _any_event(self) -> bool:
        """Whether the counts may change by what no revision tells of yet."""
        sets = self.prepared.sets
        if any(each.plan.rollup is None for each in sets):
            return True
        waits = any(each.dirty_from is not None for each in self.standings)
        derived = any(each.step.stream.derivation is not None for each in sets)
        return in_order(self.prepared.question) and (waits or derived)


def in_order(question: FunnelQuestion) -> bool:
    """Whether the order of the steps matters: of one there is none."""
    return question.ordered and len(question.steps) > 1


def seals_of(desk: Desk, question: FunnelQuestion) -> Seals:
    """How far back each stream of the steps is kept."""
    names = dict.fromkeys(step.stream.name for step in question.steps)
    return {name: desk.engine.seal(name, question.tenant) for name in names}
