"""A question with what it is answered from: both windows, each with its plan and the time before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aforo.engines.engine import Engine
from aforo.engines.keeping import Seal
from aforo.model.measure import Measure
from aforo.model.metric import Metric
from aforo.model.stream import Stream
from aforo.questions.compare import Counterpart, counterpart
from aforo.questions.plan import Plan, Span, plan
from aforo.questions.question import Question
from aforo.questions.sighting import Past, past_of, sighted
from aforo.questions.unmeasured import Births, late_rollups, measured_from
from aforo.windows import Bucket, Window


@dataclass(frozen=True, slots=True)
class Side:
    """One window of a question and how it is read; `past` where it asks who was seen before."""

    window: Window
    buckets: tuple[Bucket, ...]
    plan: Plan
    past: Past | None
    measured_from: Mapping[str, int]  # of metrics that were not measured when the window began

    @property
    def reads(self) -> tuple[tuple[Window, Plan], ...]:
        """Everything that is read for it."""
        own = (self.window, self.plan)
        return (own,) if self.past is None else (own, (self.past.window, self.past.plan))


@dataclass(frozen=True, slots=True)
class Planned:
    """A question with what it is answered from; `other` is there where its counterpart holds any time."""

    question: Question
    stream: Stream
    metrics: tuple[Metric, ...]
    measures: tuple[Measure, ...]
    own: Side
    counterpart: Counterpart | None
    other: Side | None
    sets: tuple[str, ...]  # measures whose sets are wanted themselves
    seal: Seal

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.own,) if self.other is None else (self.own, self.other)

    @property
    def reads(self) -> tuple[tuple[Window, Plan], ...]:
        """Everything that is read for both windows."""
        return tuple(read for side in self.sides for read in side.reads)


@dataclass(frozen=True, slots=True)
class Keeping:
    """What the engine keeps of a stream and tenant, as far as a plan depends on it."""

    seal: Seal
    days_wait: bool
    births: Births

    @classmethod
    def of(cls, engine: Engine, stream: str, tenant: str) -> Keeping:
        """As it is now."""
        return cls(
            engine.seal(stream, tenant), engine.days_wait(stream, tenant), engine.births(stream, tenant)
        )


def planned(
    question: Question,
    stream: Stream,
    metrics: tuple[Metric, ...],
    keeping: Keeping,
    now: int,
    sets: tuple[str, ...] = (),
    seen: tuple[str, ...] = (),
) -> Planned:
    """What both windows of the question would be read from, `stream` being as it is served now.

    `sets` are distinct measures whose sets are wanted themselves, `seen` those of which it matters whom
    they saw before, beside what the metrics ask.
    """
    seal, births = keeping.seal, keeping.births
    used = dict.fromkeys(name for metric in metrics for name in metric.measures)
    measures = tuple(stream.measures[name] for name in used)
    seen = tuple(dict.fromkeys((*seen, *(leaf.measure for leaf in sighted(metrics)))))

    def side(window: Window, buckets: tuple[Bucket, ...]) -> Side:
        late = late_rollups(births, measures, window.start)
        zone = question.tenant_zone
        span = Span(window, question.grain, buckets, zone, seal.slots_from, keeping.days_wait, late)
        own = plan(stream, measures, question.by, question.where, span)
        # What the window itself tells of its earlier buckets is not read a second time.
        told_whole = not (question.by or question.where) and {*seen} <= {*used}
        past = past_of(stream, seen, replace(span, buckets=buckets[:1]) if told_whole else span)
        return Side(window, buckets, own, past, measured_from(metrics, own, past, births))

    own = side(question.window, question.zone.buckets(question.window, question.grain))
    against = None
    if question.compare is not None:
        against = counterpart(question, question.compare, own.buckets, now)
    other = side(against.window, against.buckets) if against is not None and against.buckets else None
    return Planned(question, stream, metrics, measures, own, against, other, sets, seal)
