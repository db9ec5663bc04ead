"""The proof of what was planned and read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aforo.model.stream import Stream
from aforo.model.tenant import is_simulated
from aforo.questions.finish import accuracy
from aforo.questions.planned import Planned, Side
from aforo.questions.proof import Freshness, Guarded, Proof, Reads, Source
from aforo.questions.question import Question
from aforo.questions.reading import Found, Read


@dataclass(frozen=True, slots=True)
class Part:
    """A question of one stream, planned and read; `guarded` where raw events were, alone."""

    planned: Planned
    read: Read
    guarded: Guarded | None = None

    @property
    def stream(self) -> str:
        return self.planned.stream.name

    @property
    def source(self) -> Source:
        return _source(self.planned.own, self.planned.stream, self.read.own)

    @property
    def comparison(self) -> Source | None:
        if self.planned.other is None or self.read.other is None:
            return None
        return _source(self.planned.other, self.planned.stream, self.read.other)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that was read for an answer: its rows by stream, and what stands beside them."""

    rows: tuple[Part, ...]
    ranking: tuple[Part, ...] = ()  # of one stream; the second is of the compared window
    totals: tuple[Part, ...] = ()
    totals_compared: tuple[Part, ...] = ()

    @property
    def all(self) -> tuple[Part, ...]:
        return (*self.rows, *self.ranking, *self.totals, *self.totals_compared)


def evidence(question: Question, parts: Parts, model_version: str, took_seconds: float) -> Proof:
    """What was read, how fresh it is, and how exact."""
    standings = [standing for part in parts.all for standing in part.read.standings]
    asked_at = min(part.read.asked_at for part in parts.all)
    freshness = Freshness.of_all(standings, asked_at)
    revision = sum(part.read.standings[0].revision for part in parts.rows)
    exact = {metric.name: accuracy(metric) for part in parts.rows for metric in part.planned.metrics}
    return Proof(
        reads={part.stream: _reads(part, parts) for part in parts.rows},
        freshness=replace(freshness, revision=revision),
        exact={name: exact[name] for name in question.metrics},
        zone=question.zone,
        sealed_until=_sealed(parts.all),
        unmeasured_until=_unmeasured(parts.all),
        model_version=model_version,
        took_seconds=took_seconds,
        simulated=is_simulated(question.tenant),
    )


def _reads(part: Part, parts: Parts) -> Reads:
    return Reads(
        source=part.source,
        comparison=part.comparison,
        ranking=_of(part.stream, parts.ranking),
        ranking_comparison=_of(part.stream, parts.ranking[1:]),
        totals=_of(part.stream, parts.totals),
        totals_comparison=_of(part.stream, parts.totals_compared),
    )


def _of(stream: str, parts: Iterable[Part]) -> Source | None:
    return next((part.source for part in parts if part.stream == stream), None)


def _source(side: Side, stream: Stream, found: Found) -> Source:
    before = None
    if side.past is not None and found.past is not None:
        before = Source.of(side.past.plan, stream, found.past)
    return Source.of(side.plan, stream, found.states, before)


def _sealed(parts: Sequence[Part]) -> int | None:
    """The latest seal before which anything is read."""
    passed = [
        part.planned.seal.events_from
        for part in parts
        if any(window.start < part.planned.seal.events_from for window, _ in part.planned.reads)
    ]
    return max(passed, default=None)


def _unmeasured(parts: Iterable[Part]) -> dict[str, int]:
    """Up to when each metric is null, for those that were not measured when a window began."""
    found: dict[str, int] = {}
    for side in (side for part in parts for side in part.planned.sides):
        for name, begins in side.measured_from.items():
            found[name] = max(begins, found.get(name, 0))
    return found
