"""The proof of a question that was planned and read."""

from __future__ import annotations

from aforo.model.stream import Stream
from aforo.questions.finish import accuracy
from aforo.questions.planned import Planned, Side
from aforo.questions.proof import Freshness, Proof, Source
from aforo.questions.reading import Found, Read


def evidence(planned: Planned, read: Read, model_version: str, took_seconds: float) -> Proof:
    """What was read, how fresh it is, and how exact."""
    other = None
    if planned.other is not None and read.other is not None:
        other = _source(planned.other, planned.stream, read.other)
    return Proof(
        source=_source(planned.own, planned.stream, read.own),
        comparison=other,
        freshness=Freshness.of(read.standing, read.standing_of_other, read.asked_at),
        exact={metric.name: accuracy(metric) for metric in planned.metrics},
        zone=planned.question.zone,
        sealed_until=_sealed(planned),
        unmeasured_until=_unmeasured(planned),
        model_version=model_version,
        took_seconds=took_seconds,
    )


def _source(side: Side, stream: Stream, found: Found) -> Source:
    before = None
    if side.past is not None and found.past is not None:
        before = Source.of(side.past.plan, stream, found.past)
    return Source.of(side.plan, stream, found.states, before)


def _sealed(planned: Planned) -> int | None:
    """The seal, where anything is read of the time before it."""
    seal = planned.seal.events_from
    return seal if any(window.start < seal for window, _ in planned.reads) else None


def _unmeasured(planned: Planned) -> dict[str, int]:
    """Up to when each metric is null, for those that were not measured when a window began."""
    found: dict[str, int] = {}
    for side in planned.sides:
        for name, begins in side.measured_from.items():
            found[name] = max(begins, found.get(name, 0))
    return found
