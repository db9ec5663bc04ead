"""What rows are ordered by, and which groups a limit keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias, TypeVar

from aforo.engines.reads import Split
from aforo.errors import InvalidRequest, UnknownName
from aforo.model.formula import Distribution
from aforo.model.metric import Metric
from aforo.questions.asked import Asked, AskedOrder
from aforo.questions.comparison import Against, Comparison
from aforo.questions.faults import Faults
from aforo.questions.question import CHANGE, COMPARED, DELTA, PER_DAY, Order

Sortable: TypeAlias = object
T = TypeVar("T")

_OF_OTHER = (COMPARED, CHANGE, DELTA)
_SUFFIXES = ("", PER_DAY, *_OF_OTHER)
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


@dataclass(frozen=True, slots=True)
class Rank:
    """What groups are ranked by over the whole window: a metric, or how it is in or against the other one."""

    metric: str
    suffix: str = ""
    descending: bool = False

    @property
    def needs_other(self) -> bool:
        """Whether the other window is needed to tell it."""
        return self.suffix in _OF_OTHER


def rank_of(order: Iterable[Order], metrics: Sequence[str]) -> Rank:
    """By the first column of the order that is told of a metric, else by the first metric, the highest first.

    An average day ranks as its metric does: the days are the same for all groups.
    """
    columns = {name + suffix: Rank(name, suffix) for name in metrics for suffix in _SUFFIXES}
    columns |= {name: Rank(name) for name in metrics}
    named = next((each for each in order if each.column in columns), None)
    if named is None:
        return Rank(metrics[0], descending=True)
    return replace(columns[named.column], descending=named.descending)


def check_limit(
    asked: Asked, order: Iterable[Order], metrics: Sequence[Metric], compare: Comparison | None
) -> None:
    """Raises InvalidRequest where there is nothing that a limit could rank."""
    if asked.limit is None or not metrics:
        return
    if not asked.by:
        raise InvalidRequest(
            "'limit' keeps the first groups of a split, and nothing is split", hint="ask 'by' as well"
        )
    rank = rank_of(order, [metric.name for metric in metrics])
    if any(isinstance(metric.formula, Distribution) for metric in metrics if metric.name == rank.metric):
        raise InvalidRequest(
            f"groups are ranked by {rank.metric}, which is a distribution",
            hint="order by a metric that is a number",
        )
    if rank.needs_other and compare is not None and compare.against is Against.BEFORE:
        raise InvalidRequest(
            f"groups are ranked over the whole window, and {rank.metric}{rank.suffix} is told of each bucket "
            "alone, since the buckets before each are no whole",
            hint=f"order by {rank.metric}, or compare with 'previous'",
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
    metric = metrics.get(order.column) or metrics.get(order.column.removesuffix(COMPARED))
    if metric is not None and isinstance(metric.formula, Distribution):
        raise InvalidRequest(
            f"{order.column} is a distribution, which no rows are ordered by",
            hint="order by a metric that is a number, or by what is split by",
        )
