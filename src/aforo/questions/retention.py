"""Who comes back: entities by the period in which a measure saw them first, and how many a measure saw later.

A cohort holds those whom the metric saw in its period and never before, over all time that is kept; nobody is
in two. Everything is computed from sets, so that every number is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import msgspec
from pyroaring import BitMap

from aforo.engines.reads import States
from aforo.errors import Fault, InvalidRequest, QuestionTooLarge, UnknownName
from aforo.model.formula import Ref
from aforo.model.measure import Measure, MeasureKind
from aforo.model.model import Model
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked, AskedCondition
from aforo.questions.asked import decoded as decoded_as
from aforo.questions.proof import Proof
from aforo.questions.question import Question
from aforo.questions.sighting import before_each
from aforo.states import distinct
from aforo.windows import Bucket, Grain

GRAINS = (Grain.DAY, Grain.WEEK, Grain.MONTH)


class RetentionAsked(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}
):
    """The body of a question of retention. `metric` counts entities, and is whose first time makes a cohort.

    `returns` is the metric that counts who is back; `metric` itself where it is not said. `grain` is `day`,
    `week` or `month`. The rest is as in a query.
    """

    tenant: str
    metric: str
    returns: str | None = None
    from_: str | None = None
    to: str | None = None
    grain: str = "week"
    where: str | tuple[AskedCondition, ...] = ()
    timezone: str | None = None


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


def decode(body: object) -> RetentionAsked:
    """The question in a decoded JSON body; InvalidRequest names every parameter that nobody knows."""
    return decoded_as(body, RetentionAsked, _SHAPE)


_SHAPE = 'for example {"tenant": "nyc", "metric": "planes", "from": "2013-01-01", "to": "2013-03-31"}'


def retention(desk: Desk, asked: RetentionAsked) -> Retention:
    """The cohorts with the proof. Raises what a question does."""
    begun = desk.clock.monotonic()
    question = _resolved(desk, asked)
    joined, returned = _measures(question, desk.model)
    periods = question.zone.buckets(question.window, question.grain)
    _few_enough(len(periods), desk.settings.questions.max_rows)
    part = desk.read(question, sets=(returned.name,), seen=(joined.name,))
    read = part.read
    begun_periods = sum(period.start < read.asked_at for period in periods)
    assert read.own.past is not None, "what was seen before is read wherever there is a period"
    counts = matrix(
        _sets(read.own.states, joined.name, begun_periods),
        _sets(read.own.states, returned.name, begun_periods),
        list(map(BitMap, before_each(read.own.past, joined.name, range(begun_periods)))),
    )
    proof = desk.proof(part, begun)
    desk.answered(proof)
    cohorts = tuple(
        _cohort(period, at, counts, len(periods), read.asked_at) for at, period in enumerate(periods)
    )
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


def _resolved(desk: Desk, asked: RetentionAsked) -> Question:
    if asked.grain not in tuple(map(str, GRAINS)):
        raise UnknownName.of("period of cohorts", asked.grain, map(str, GRAINS))
    both = (asked.metric,) if asked.returns in (None, asked.metric) else (asked.metric, str(asked.returns))
    question = Asked(
        tenant=asked.tenant,
        metrics=both,
        from_=asked.from_,
        to=asked.to,
        grain=asked.grain,
        where=asked.where,
        timezone=asked.timezone,
    )
    try:
        return desk.resolve(question)
    except InvalidRequest as error:
        error.faults = tuple(
            Fault(_PLACES.get(fault.path, fault.path), fault.code, fault.message) for fault in error.faults
        )
        raise


_PLACES = {"metrics": "metric", "metrics[0]": "metric", "metrics[1]": "returns"}


def _measures(question: Question, model: Model) -> tuple[Measure, Measure]:
    """The distinct measures behind both metrics, of one entity."""
    _of_one_stream(question, model)
    stream = model.asked_stream(question.stream)
    found: list[Measure] = []
    for name in question.metrics:
        metric = model.metric(name)
        measure = stream.measures[metric.formula.measure] if isinstance(metric.formula, Ref) else None
        if measure is None or measure.kind is not MeasureKind.DISTINCT:
            able = [each for each in model.metrics if _counts_entities(model, each)]
            able = [each for each in able if model.metric(each).stream == question.stream] or able
            raise InvalidRequest(
                f"{name} is {metric.text!r}, but cohorts are of a metric that counts entities",
                hint=f"such as {' or '.join(able)}"
                if able
                else "declare a metric that is a distinct measure",
            )
        found.append(measure)
    if found[0].entity != found[-1].entity:
        raise InvalidRequest(
            f"{question.metrics[0]} counts each {found[0].entity} once and {question.metrics[-1]} each "
            f"{found[-1].entity}, but both must count the same entity",
            hint="ask a metric of the same entity as 'returns'",
        )
    return found[0], found[-1]


def _of_one_stream(question: Question, model: Model) -> None:
    first, last = (model.metric(question.metrics[at]) for at in (0, -1))
    if first.stream != last.stream:
        raise InvalidRequest(
            f"{first.name} is of stream {first.stream} and {last.name} of {last.stream}, "
            "but cohorts are of metrics of one stream",
            hint=f"ask a metric of {first.stream} as 'returns'",
        )


def _counts_entities(model: Model, name: str) -> bool:
    metric = model.metric(name)
    measures = model.asked_stream(metric.stream).measures
    return isinstance(metric.formula, Ref) and measures[metric.formula.measure].kind is MeasureKind.DISTINCT


def _few_enough(periods: int, limit: int) -> None:
    cells = periods * (periods + 1) // 2
    if cells > limit:
        raise QuestionTooLarge(
            f"{periods:,} periods make {cells:,} numbers, and an answer may have {limit:,}",
            hint="ask a shorter window or a longer period",
        )
