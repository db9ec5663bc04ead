"""From what is asked to a question whose every word is known: names looked up, defaults put in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from aforo.clock import Clock
from aforo.errors import InvalidRequest, QuestionTooLarge, UnknownName, suggestion
from aforo.model import condition as conditions
from aforo.model.condition import Condition, Op
from aforo.model.field import FieldType
from aforo.model.metric import Metric
from aforo.model.model import Model
from aforo.model.stream import Stream
from aforo.questions import comparison
from aforo.questions.asked import Asked, AskedCondition
from aforo.questions.comparison import Against
from aforo.questions.faults import Faults
from aforo.questions.finish import adds_up
from aforo.questions.ordering import check_limit, order_of
from aforo.questions.question import OTHER, PARTIAL, TIME, Question, suffixes_of
from aforo.settings import Settings
from aforo.windows import (
    EARLIEST,
    LATEST,
    Grain,
    Window,
    Zone,
    buckets_at_least,
    parse_date,
    parse_instant,
    window_of_dates,
)

DEFAULT_DAYS = 30
_DAY = timedelta(days=1)


def resolve(asked: Asked, model: Model, tenant_zone: Zone, settings: Settings, clock: Clock) -> Question:
    """The question that is asked; every fault in it is told at once, names with the nearest right one."""
    faults = Faults()
    metrics = _metrics(asked.metrics, model, faults)
    streams = {metric.stream: model.asked_stream(metric.stream) for metric in metrics}
    zone = faults.taken("timezone", lambda: zone_of(asked.timezone, tenant_zone)) or tenant_zone
    grain = faults.taken("grain", lambda: _grain(asked.grain)) or Grain.TOTAL
    window = window_of(asked, zone, clock.now(), faults)
    compare = faults.taken("compare", lambda: comparison.parse(asked.compare) if asked.compare else None)
    if asked.match_weekdays:
        compare = faults.taken("matchWeekdays", lambda: comparison.with_weekdays(compare))
    where = conditions_of(asked.where, tuple(streams.values()), faults)
    _check_split(asked, tuple(streams.values()), faults)
    columns = _columns(asked, metrics, compare, streams)
    faults.taken("metrics", lambda: _each_once(columns, limited=asked.limit is not None))
    known = columns if grain is Grain.TOTAL else (TIME, *columns)
    order = order_of(asked.order, known, metrics, faults)
    faults.taken("limit", lambda: check_limit(asked, order, metrics, compare))
    faults.taken("compare", lambda: _has_before(compare, grain))
    faults.taken("daily", lambda: _has_days(asked, metrics, streams))
    faults.raise_if_any()
    assert window is not None, "what is no window is a fault"
    _few_enough(window, grain, zone, settings.questions.max_buckets)
    return Question(
        tenant=asked.tenant,
        stream=metrics[0].stream,
        metrics=asked.metrics,
        window=window,
        grain=grain,
        by=asked.by,
        where=where,
        compare=compare,
        daily=asked.daily,
        order=order,
        limit=asked.limit,
        totals=asked.totals,
        zone=zone,
        tenant_zone=tenant_zone,
    )


def _metrics(names: tuple[str, ...], model: Model, faults: Faults) -> tuple[Metric, ...]:
    """The metrics that there are."""
    taken = [faults.taken(f"metrics[{at}]", partial(model.metric, name)) for at, name in enumerate(names)]
    faults.taken("metrics", lambda: _any(names, model))
    return tuple(metric for metric in taken if metric is not None)


def _any(names: tuple[str, ...], model: Model) -> None:
    if not names:
        raise InvalidRequest("no metric is asked", hint=suggestion("", model.asked_metrics))


def zone_of(name: str | None, tenant_zone: Zone) -> Zone:
    """The zone that is asked, with the tenant's week start; else the tenant's own."""
    return tenant_zone if name is None else Zone(name, tenant_zone.week_start)


def _grain(name: str) -> Grain:
    if name not in tuple(Grain):
        raise UnknownName.of("grain", name, Grain)
    return Grain(name)


def window_of(asked: Asked, zone: Zone, now: int, faults: Faults) -> Window | None:
    """The asked window; without `to` until today's end, without `from` the 30 local days up to `to`."""
    end = faults.taken("to", lambda: _end(asked.to, zone, now))
    return None if end is None else faults.taken("from", lambda: _until(end, asked, zone))


def _end(text: str | None, zone: Zone, now: int) -> int:
    end = zone.day_start(zone.date_of(now) + _DAY) if text is None else _read(text, zone).end
    _within(end)
    return end


def _until(end: int, asked: Asked, zone: Zone) -> Window:
    if asked.from_ is not None:
        start = _read(asked.from_, zone).start
    else:
        start = zone.day_start(zone.date_of(end - 1) - (DEFAULT_DAYS - 1) * _DAY)
    _within(start)
    if start == end and asked.from_ == asked.to and not _names_time(str(asked.to)):
        raise InvalidRequest(
            f"there was no {asked.to} in {zone.name}, whose clocks skipped that day",
            hint="ask the day before it or the one after it",
        )
    if start >= end:
        told = [f"{name} {text}" for name, text in (("from", asked.from_), ("to", asked.to)) if text]
        raise InvalidRequest(
            f"the window is empty or ends before it begins: {', '.join(told)}",
            hint="dates are both included; of two instants the last is excluded",
        )
    return Window(start, end)


def _within(time: int) -> None:
    if not EARLIEST <= time <= LATEST:
        raise InvalidRequest("the window reaches beyond the years 1973 to 2999, for which times are kept")


def _read(text: str, zone: Zone) -> Window:
    """The local day of a date, or the window of no length at an instant."""
    if _names_time(text):
        instant = parse_instant(text)
        return Window(instant, instant)
    day = parse_date(text)
    return window_of_dates(day, day, zone)


def _names_time(text: str) -> bool:
    """Whether it is meant as an instant, and not as a date."""
    return ":" in text or text[len("2013-01-31") :].upper().startswith("T")


def _has_before(compare: comparison.Comparison | None, grain: Grain) -> None:
    if compare is not None and compare.against is Against.BEFORE and grain is Grain.TOTAL:
        raise InvalidRequest(
            "'before' compares each bucket with the one before it, and a total is no bucket",
            hint="ask a grain like week or month, or compare with 'previous'",
        )


def _has_days(asked: Asked, metrics: tuple[Metric, ...], streams: Mapping[str, Stream]) -> None:
    if not asked.daily or not metrics:
        return
    if not any(adds_up(metric.formula, streams[metric.stream]) for metric in metrics):
        raise InvalidRequest(
            f"{' and '.join(metric.name for metric in metrics)} does not add up from day to day, "
            "so there is no average day",
            hint="ask a count or a sum, or leave 'daily' out",
        )


def _few_enough(window: Window, grain: Grain, zone: Zone, limit: int) -> None:
    count = buckets_at_least(window, grain)
    # What is surely too much is never cut into buckets.
    if count <= limit:
        count = len(zone.buckets(window, grain))
    if count > limit:
        raise QuestionTooLarge(
            f"the window has at least {count:,} buckets of grain {grain}, and an answer may have {limit:,}",
            hint="ask a shorter window or a coarser grain",
        )


def _check_split(asked: Asked, streams: tuple[Stream, ...], faults: Faults) -> None:
    """Looks at what the answer is split by, which every stream must have."""
    for at, name in enumerate(asked.by):
        for stream in streams:
            faults.taken(f"by[{at}]", partial(_can_split, name, stream))
        faults.taken(f"by[{at}]", partial(_of_one_type, name, streams))


def _of_one_type(name: str, streams: tuple[Stream, ...]) -> None:
    """Groups of two streams are the same where their values are."""
    types = {stream.name: stream.fields[name].type for stream in streams if name in stream.fields}
    if len(set(types.values())) > 1:
        told = " and ".join(f"of type {kind} in {stream}" for stream, kind in types.items())
        raise InvalidRequest(f"{name} is {told}", hint="ask a question for each stream")


def _columns(
    asked: Asked,
    metrics: tuple[Metric, ...],
    compare: comparison.Comparison | None,
    streams: Mapping[str, Stream],
) -> tuple[str, ...]:
    """The names of the answer's columns but for its time and its marks."""
    of_metrics = (
        metric.name + suffix
        for metric in metrics
        for suffix in suffixes_of(
            compare, per_day=asked.daily and adds_up(metric.formula, streams[metric.stream])
        )
    )
    return (*asked.by, *of_metrics)


def _each_once(columns: tuple[str, ...], *, limited: bool) -> None:
    whole = [TIME, PARTIAL, *((OTHER,) if limited else ()), *columns]
    twice = [name for name in dict.fromkeys(whole) if whole.count(name) > 1]
    if twice:
        raise InvalidRequest(
            f"the answer would have two columns named {' and '.join(twice)}", hint="ask each name once"
        )


def _can_split(name: str, stream: Stream) -> None:
    if name not in stream.fields:
        raise UnknownName.of(f"dimension of {stream.name}", name, _splittable(stream))
    if stream.fields[name].type is FieldType.NUMBER:
        raise InvalidRequest(
            f"{name} is a number with fractions, which no answer is split by",
            hint=suggestion(name, _splittable(stream)),
        )


def _splittable(stream: Stream) -> tuple[str, ...]:
    return tuple(name for name, field in stream.fields.items() if field.type is not FieldType.NUMBER)


def conditions_of(
    asked: str | tuple[AskedCondition, ...], streams: tuple[Stream, ...], faults: Faults, place: str = "where"
) -> tuple[Condition, ...]:
    """The conditions that are asked, as text or one by one, over fields that every stream has."""
    if isinstance(asked, str):
        read = faults.taken(place, lambda: conditions.parse(asked) if asked.strip() else ()) or ()
        placed = [(place, condition) for condition in read]
    else:
        taken = [(f"{place}[{at}]", one) for at, one in enumerate(asked)]
        tried = [(path, faults.taken(path, partial(_condition, one))) for path, one in taken]
        placed = [(path, condition) for path, condition in tried if condition is not None]
    for path, condition in placed:
        for stream in streams:
            faults.taken(path, partial(_fits, condition, stream))
    return tuple(condition for _, condition in placed)


def _condition(asked: AskedCondition) -> Condition:
    op = " ".join(asked.op.casefold().split())
    if op not in tuple(Op):
        raise UnknownName.of("comparison", asked.op, Op)
    value = asked.value
    if isinstance(value, tuple):
        if any(one is None for one in value):
            raise InvalidRequest(f"{asked.dimension} is compared with a list that holds null", hint=_NULL)
        return Condition(asked.dimension, Op(op), tuple(one for one in value if one is not None))
    if value is None and Op(op) not in (Op.IS_NULL, Op.NOT_NULL):
        raise InvalidRequest(f"{asked.dimension} is compared with null by '{op}'", hint=_NULL)
    return Condition(asked.dimension, Op(op), value)


_NULL = "ask for nulls with the op 'is null' or 'is not null'"


def _fits(condition: Condition, stream: Stream) -> None:
    if condition.field not in stream.fields:
        raise UnknownName.of(f"dimension of {stream.name}", condition.field, stream.fields)
    wrong = conditions.check(condition, stream.fields[condition.field])
    if wrong is not None:
        raise InvalidRequest(wrong)
