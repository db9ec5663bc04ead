"""A question of who comes back as it comes from outside, and with every name looked up."""

from __future__ import annotations

import msgspec

from aforo.errors import Fault, InvalidRequest, UnknownName
from aforo.model.formula import Ref
from aforo.model.measure import Measure, MeasureKind
from aforo.model.model import Model
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked, AskedCondition
from aforo.questions.asked import decoded as decoded_as
from aforo.questions.question import Question
from aforo.windows import Grain

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


def decode(body: object) -> RetentionAsked:
    """The question in a decoded JSON body; InvalidRequest names every parameter that nobody knows."""
    return decoded_as(body, RetentionAsked, _SHAPE)


_SHAPE = 'for example {"tenant": "nyc", "metric": "planes", "from": "2013-01-01", "to": "2013-03-31"}'


def resolved(desk: Desk, asked: RetentionAsked) -> Question:
    """The question of both metrics by the period of cohorts. Raises what a question does."""
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


def measures_of(question: Question, model: Model) -> tuple[Measure, Measure]:
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
