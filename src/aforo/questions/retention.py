"""Who comes back: entities by the period in which a measure saw them first, and how many a measure saw later.

A cohort holds those whom the metric saw in its period and never before, over all time that is kept; nobody is
in two. Everything is computed from sets, so that every number is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from pyroaring import BitMap

from aforo.engines.reads import States
from aforo.errors import QuestionTooLarge
from aforo.model.measure import Measure
from aforo.questions.ask import Desk
from aforo.questions.evidence import Part
from aforo.questions.ground import Ground
from aforo.questions.kept import Anew, Form, KeptProof, WithProof, unpacking
from aforo.questions.proof import Proof
from aforo.questions.question import Question
from aforo.questions.retention_asked import RetentionAsked, resolved
from aforo.questions.sighting import before_each
from aforo.states import distinct
from aforo.windows import Bucket, Grain


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who came first in a period. `returned[k]` counts who was seen k periods later.

    It is None for a period that has not begun. `partial` where the window or now cuts the period.
    """

    bucket: Bucket
    partial: bool
    size: int
    returned: tuple[int | None, ...]

    @property
    def shares(self) -> tuple[float | None, ...]:
        """Of the cohort, who was seen; None for a cohort of nobody."""
        return tuple(None if count is None or not self.size else count / self.size for count in self.returned)


@dataclass(frozen=True, slots=True)
class Retention:
    """The cohorts in order of time, each with as many counts as there are periods from its own on."""

    metric: str
    returns: str
    grain: Grain
    cohorts: tuple[Cohort, ...]
    proof: Proof

    def as_json(self) -> dict[str, object]:
        """The reply, ready for JSON."""
        return {
            "metric": self.metric,
            "returns": self.returns,
            "grain": str(self.grain),
            "cohorts": [
                {
                    "cohort": cohort.bucket.date.isoformat() if cohort.bucket.date else None,
                    "partial": cohort.partial,
                    "size": cohort.size,
                    "returned": list(cohort.returned),
                    "shares": list(cohort.shares),
                }
                for cohort in self.cohorts
            ],
            "proof": self.proof.as_json(),
        }


class KeptRetention(WithProof, frozen=True, array_like=True, kw_only=True):
    """Cohorts as they are kept."""

    metric: str
    returns: str
    grain: Grain
    cohorts: tuple[Cohort, ...]

    @classmethod
    def of(cls, told: Retention, read_at: int) -> KeptRetention:
        """What is kept of cohorts that were begun to be read at an instant."""
        proof = KeptProof.of(told.proof, read_at)
        return cls(
            proof=proof, metric=told.metric, returns=told.returns, grain=told.grain, cohorts=told.cohorts
        )

    def told(self, proof: Proof) -> Retention:
        """The cohorts as they are given out."""
        return Retention(self.metric, self.returns, self.grain, self.cohorts, proof)


COHORTS = Form(KeptRetention.of, unpacking(KeptRetention), KeptRetention.told)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked with its names looked up, and when: that tells which periods have begun."""

    question: Question
    joined: Measure
    returned: Measure
    periods: tuple[Bucket, ...]
    now: int

    @property
    def begun(self) -> int:
        return sum(period.start < self.now for period in self.periods)

    @property
    def passed(self) -> int:
        return sum(period.end <= self.now for period in self.periods)


def retention(desk: Desk, asked: RetentionAsked) -> Retention:
    """The cohorts with the proof. Raises what a question does."""
    begun = desk.clock.monotonic()
    question, joined, returned = resolved(desk, asked)
    periods = question.zone.buckets(question.window, question.grain)
    _few_enough(len(periods), desk.settings.questions.max_rows)
    wanted = _Asked(question, joined, returned, periods, desk.clock.now())
    sets, seen = (wanted.returned.name,), (wanted.joined.name,)
    planned, allowed = desk.guarded(question, sets, seen)
    ground = Ground.of([planned], 1, desk.engine, wanted.now)
    told = desk.remembered(
        COHORTS,
        ground.wanted(
            question, desk.model.version, kind="cohorts", more=(sets, seen, wanted.begun, wanted.passed)
        ),
        Anew(question.zone, ground.freshness, begun),
        lambda: _read(desk, wanted, desk.read(question, sets, seen, planned=planned), begun),
    )
    desk.answered(told.proof)
    return replace(told, proof=desk.limited(told.proof, allowed))


def _read(desk: Desk, asked: _Asked, part: Part, begun: float) -> Retention:
    """The cohorts of what was read."""
    own, question, periods = part.read.own, asked.question, asked.periods
    assert own.past is not None, "what was seen before is read wherever there is a period"
    counts = matrix(
        _sets(own.states, asked.joined.name, asked.begun),
        _sets(own.states, asked.returned.name, asked.begun),
        list(map(BitMap, before_each(own.past, asked.joined.name, range(asked.begun)))),
    )
    cohorts = tuple(_cohort(period, at, counts, len(periods), asked.now) for at, period in enumerate(periods))
    proof = desk.proof(part, begun)
    return Retention(question.metrics[0], question.metrics[-1], question.grain, cohorts, proof)


def matrix(
    joined: Sequence[BitMap], returned: Sequence[BitMap], before: Sequence[BitMap]
) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Of each period how many were seen first, and how many of them in it and in each later one."""
    cohorts = [distinct.without(came, seen) for came, seen in zip(joined, before, strict=True)]
    return tuple(
        (distinct.finish(cohort), tuple(distinct.shared(cohort, later) for later in returned[at:]))
        for at, cohort in enumerate(cohorts)
    )


def _cohort(
    period: Bucket, at: int, counts: Sequence[tuple[int, tuple[int, ...]]], periods: int, now: int
) -> Cohort:
    size, returned = counts[at] if at < len(counts) else (0, ())
    unbegun = (None,) * (periods - at - len(returned))
    return Cohort(period, period.partial or now < period.end, size, (*returned, *unbegun))


def _sets(states: States, name: str, periods: int) -> list[BitMap]:
    """The set of each period that has begun; of nobody where none was found."""
    sets = cast(Sequence[BitMap], states.values[name])
    found = dict(zip((bucket for bucket, _ in states.keys), sets, strict=True))
    return [found.get(at, distinct.empty()) for at in range(periods)]


def _few_enough(periods: int, limit: int) -> None:
    cells = periods * (periods + 1) // 2
    if cells > limit:
        raise QuestionTooLarge(
            f"{periods:,} periods make {cells:,} numbers, and an answer may have {limit:,}",
            hint="ask a shorter window or a longer period",
        )
