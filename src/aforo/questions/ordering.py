"""What rows are ordered by, and which groups a limit keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

from aforo.engines.reads import Split
from aforo.errors import InvalidRequest, UnknownName
from aforo.model.formula import Distribution
from aforo.model.metric import Metric
from aforo.questions.asked import Asked, AskedOrder
from aforo.questions.faults import Faults
from aforo.questions.question import Order

Sortable: TypeAlias = object
T = TypeVar("T")

_DIRECTIONS = {"asc": False, "desc": True}


def order_of(
    asked: str | Sequence[AskedOrder], columns: Iterable[str], metrics: Iterable[Metric], faults: Faults
) -> tuple[Order, ...]:
    """The order that is asked, as text or one by one, over the columns that the answer will have."""
    if isinstance(asked, str):
        read = faults.taken("order", lambda: _parsed(asked)) or ()
        placed = [("order", each) for each in read]
    else:
        placed = [(f"order[{at}]", Order(each.column, each.descending)) for at, each in enumerate(asked)]
    told = {metric.name: metric for metric in metrics}
    known = tuple(columns)
    for path, each in placed:
        faults.taken(path, partial(_can_order, each, known, told))
    return tuple(each for _, each in placed)


def ranking_of(order: Iterable[Order], metrics: Sequence[Metric]) -> Order:
    """What groups are ranked by: the first metric of the order, else the first of all, the highest first."""
    names = {metric.name for metric in metrics}
    named = next((each for each in order if each.column in names), None)
    return named or Order(metrics[0].name, descending=True)


def check_limit(asked: Asked, order: Iterable[Order], metrics: Sequence[Metric]) -> None:
    """Raises InvalidRequest where there is nothing that a limit could rank."""
    if asked.limit is None or not metrics:
        return
    if not asked.by:
        raise InvalidRequest(
            "'limit' keeps the first groups of a split, and nothing is split", hint="ask 'by' as well"
        )
    ranked = ranking_of(order, metrics).column
    if any(isinstance(metric.formula, Distribution) for metric in metrics if metric.name == ranked):
        raise InvalidRequest(
            f"groups are ranked by {ranked}, which is a distribution",
            hint="order by a metric that is a number",
        )


def by_values(groups: Iterable[Split]) -> list[Split]:
    """Groups in the order of their values, nulls last; the one of all others after them."""
    return sorted(groups, key=lambda group: (not group, tuple((value is None, value) for value in group)))


def ranked(values: Mapping[Split, object], descending: bool) -> list[Split]:
    """Groups by a value of each, nulls last; the equal ones in the order of the groups' values."""
    return ordered(by_values(values), [values[group] for group in by_values(values)], descending=descending)


def ordered(things: Sequence[T], keys: Sequence[Sortable], *, descending: bool) -> list[T]:
    """Things by the key that stands at the place of each, null keys last, equal ones as they stood."""
    there = [at for at, key in enumerate(keys) if key is not None]
    there.sort(key=keys.__getitem__, reverse=descending)  # type: ignore[arg-type]
    missing = [at for at, key in enumerate(keys) if key is None]
    return [things[at] for at in (*there, *missing)]


def _parsed(text: str) -> tuple[Order, ...]:
    """`flights desc, origin`: names of columns, each with `asc` or `desc` behind it or nothing."""
    return tuple(_one(part) for part in text.split(",")) if text.strip() else ()


def _one(part: str) -> Order:
    words = part.split()
    if not words or len(words) > 2:
        raise InvalidRequest(
            f"{part.strip()!r} is no column to order by", hint="for example: flights desc, origin"
        )
    direction = words[1].casefold() if len(words) == 2 else "asc"
    if direction not in _DIRECTIONS:
        raise UnknownName.of("direction", words[1], _DIRECTIONS)
    return Order(words[0], _DIRECTIONS[direction])


def _can_order(order: Order, columns: tuple[str, ...], metrics: Mapping[str, Metric]) -> None:
    if order.column not in columns:
        raise UnknownName.of("column of this answer", order.column, columns)
    metric = metrics.get(order.column)
    if metric is not None and isinstance(metric.formula, Distribution):
        raise InvalidRequest(f"{order.column} is a distribution, which no rows are ordered by")
