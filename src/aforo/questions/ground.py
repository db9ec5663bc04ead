"""What an answer stands on: the plans it is read by, and how far what they read is folded.

Equal questions on equal ground have equal answers, so that the ground is the key of a kept one. Of a rollup
it names the revisions of the days that are read, which every fold raises; of raw events the last commit and
the last write transaction, since anything may change them: a derived stream's events without a commit, but
not without a write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aforo.engines.engine import Engine
from aforo.engines.reads import Standing
from aforo.questions.before import days_passed
from aforo.questions.cache import Wanted, tier_of
from aforo.questions.planned import Planned, Side
from aforo.questions.proof import Freshness
from aforo.questions.question import Question
from aforo.questions.reading import standing_of


@dataclass(frozen=True, slots=True)
class Ground:
    """The plans of an answer and their standings, read after `asked_at`; first those of its rows."""

    asked_at: int
    plans: tuple[Planned, ...]
    standings: tuple[tuple[Standing, ...], ...]  # of each plan's sides
    rows: int  # how many of the plans are of the rows
    writes: int | None  # of the engine, where raw events are read

    @classmethod
    def of(cls, plans: Sequence[Planned], rows: int, engine: Engine, asked_at: int) -> Ground:
        """The ground as it is now."""
        raw = any(plan.rollup is None for planned in plans for _, plan in planned.reads)
        # Before the standings: what is written in between is then under another key the next time.
        writes = engine.writes() if raw else None
        standings = tuple(tuple(standing_of(each, side, engine) for side in each.sides) for each in plans)
        return cls(asked_at, tuple(plans), standings, rows, writes)

    @property
    def freshness(self) -> Freshness:
        """How fresh an answer on this ground is now."""
        every = [standing for standings in self.standings for standing in standings]
        revision = sum(standings[0].revision for standings in self.standings[: self.rows])
        return replace(Freshness.of_all(every, self.asked_at), revision=revision)

    def wanted(
        self, question: Question, model_version: str, kind: str = "query", more: object = None
    ) -> Wanted:
        """The question on this ground, as the cache knows it; `more` is what else the answer depends on."""
        streams = dict.fromkeys(planned.stream.name for planned in self.plans)
        now, buckets = self.asked_at, self.plans[0].own.buckets
        days = [days_passed(each, question.zone, now) for each in buckets] if question.daily else None
        read = [
            (_told(planned), self._revisions(standings))
            for planned, standings in zip(self.plans, self.standings, strict=True)
        ]
        return Wanted(
            text=repr((kind, model_version, question, days, read, self.writes, more)),
            tags=(
                f"tenant:{question.tenant}",
                *(f"stream:{stream}" for stream in streams),
                *(f"metric:{metric}" for metric in question.metrics),
            ),
            tier=tier_of(question.window, now),
        )

    def _revisions(self, standings: Sequence[Standing]) -> list[object]:
        return [each.revision if self.writes is None else (each.revision, each.commit) for each in standings]


def _told(planned: Planned) -> object:
    """All of a plan that the answer depends on; the time is in it where an unfinished window is compared."""
    against = planned.counterpart
    return (
        planned.stream.name,
        planned.seal,
        None if against is None else (against.window, against.buckets, against.pairs, against.cut),
        [_side(side) for side in planned.sides],
    )


def _side(side: Side) -> object:
    read = [(window, plan.rollup, plan.reason, plan.segments, plan.edges) for window, plan in side.reads]
    return read, sorted(side.measured_from.items())
