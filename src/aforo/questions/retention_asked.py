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
from aforo.questions.faults import Faults
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


def resolved(desk: Desk, asked: RetentionAsked) -> tuple[Question, Measure, Measure]:
    """The question of both metrics by the period of cohorts, and the distinct measures behind them.

    Raises what a question does; everything that is wrong is told at once.
    """
    faults = Faults()
    grain = faults.taken("grain", lambda: _period(asked.grain)) or GRAINS[0]
    question = faults.taken("tenant", lambda: _resolved(desk, asked, grain))
    measures = None if question is None else _measures(question, desk.model, faults)
    faults.raise_if_any()
    assert question is not None, "what is no question is a fault"
    assert measures is not None, "what is no measure is a fault"
    return (question, *measures)


def _period(name: str) -> Grain:
    if name not in tuple(map(str, GRAINS)):
        raise UnknownName.of("period of cohorts", name, map(str, GRAINS))
    return Grain(name)


def _resolved(desk: Desk, asked: RetentionAsked, grain: Grain) -> Question:
    both = (asked.metric,) if asked.returns in (None, asked.metric) else (asked.metric, str(asked.returns))
    question = Asked(
        tenant=asked.tenant,
        metrics=both,
        from_=asked.from_,
        to=asked.to,
        grain=str(grain),
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


def _measures(question: Question, model: Model, faults: Faults) -> tuple[Measure, Measure] | None:
    """Those of who comes first and of who is back, of one stream and one entity."""
    joined = faults.taken("metric", lambda: _measure(question.metrics[0], question, model))
    returned = joined
    if len(question.metrics) > 1:
        returned = faults.taken("returns", lambda: _returned(question, joined, model))
    return None if joined is None or returned is None else (joined, returned)


def _measure(name: str, question: Question, model: Model) -> Measure:
    """The distinct measure that a metric is."""
    metric = model.metric(name)
    measures = model.asked_stream(metric.stream).measures
    measure = measures[metric.formula.measure] if isinstance(metric.formula, Ref) else None
    if measure is not None and measure.kind is MeasureKind.DISTINCT:
        return measure
    able = [each for each in model.metrics if _counts_entities(model, each)]
    able = [each for each in able if model.metric(each).stream == question.stream] or able
    raise InvalidRequest(
        f"{name} is {metric.text!r}, but cohorts are of a metric that counts entities",
        hint=f"such as {' or '.join(able)}" if able else "declare a metric that is a distinct measure",
    )


def _returned(question: Question, joined: Measure | None, model: Model) -> Measure:
    """That of who is back: of the same stream, and of the same entity."""
    first, last = (model.metric(question.metrics[at]) for at in (0, -1))
    if first.stream != last.stream:
        raise InvalidRequest(
            f"{first.name} is of stream {first.stream} and {last.name} of {last.stream}, "
            "but cohorts are of metrics of one stream",
            hint=f"ask a metric of {first.stream} as 'returns'",
        )
    measure = _measure(last.name, question, model)
    if joined is not None and joined.entity != measure.entity:
        raise InvalidRequest(
            f"{first.name} counts each {joined.entity} once and {last.name} each {measure.entity}, "
            "but both must count the same entity",
            hint="ask a metric of the same entity as 'returns'",
        )
    return measure


def _counts_entities(model: Model, name: str) -> bool:
    metric = model.metric(name)
    measures = model.asked_stream(metric.stream).measures
    return isinstance(metric.formula, Ref) and measures[metric.formula.measure].kind is MeasureKind.DISTINCT
