"""Rows of an answer: every bucket and every group that was seen, empty ones filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from aforo.engines.reads import FEWER, Split
from aforo.errors import QuestionTooLarge
from aforo.questions.compare import Counterpart, change, delta
from aforo.questions.comparison import Against, Comparison
from aforo.questions.finish import Finished, Instant, Value
from aforo.questions.ordering import by_values, ordered
from aforo.questions.question import (
    CHANGE,
    COMPARED,
    DELTA,
    OTHER,
    PARTIAL,
    PER_DAY,
    TIME,
    Order,
    Question,
)
from aforo.windows import Bucket, Grain, Zone, parse_instant

Cell: TypeAlias = str | int | float | bool | list[dict[str, float]] | None
Row: TypeAlias = dict[str, Cell]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Compared:
    """The other window of an answer."""

    comparison: Comparison
    counterpart: Counterpart
    finished: Finished


@dataclass(frozen=True, slots=True)
class Daily:
    """The metrics that are told by the day too, and how many days of each bucket have passed."""

    metrics: frozenset[str]
    days: tuple[float, ...]


NO_DAYS = Daily(frozenset(), ())


@dataclass(frozen=True, slots=True)
class _Placed:
    """A row with the bucket and the group it is of, `()` being all that were left out."""

    bucket: int
    group: Split
    row: Row


def rows_of(
    question: Question,
    buckets: Sequence[Bucket],
    finished: Finished,
    compared: Compared | None,
    most_rows: int,
    daily: Daily = NO_DAYS,
) -> tuple[Row, ...]:
    """A row for each bucket and group, bucket by bucket unless the question says another order.

    Groups stand in the order of their values, nulls last; with a limit, in the order of their ranks, and all
    that were left out are one that comes last.
    """
    groups = _groups(question, finished, compared)
    if len(groups) * len(buckets) > most_rows:
        raise QuestionTooLarge(
            f"the answer would have {len(groups) * len(buckets):,} rows, and it may have {most_rows:,}",
            hint=FEWER,
        )
    heads = [(group, head_of(question, group)) for group in groups]
    rows = [
        _Placed(
            index,
            group,
            {
                **when_of(question, bucket),
                **head,
                **_metrics(question, index, group, finished, compared, daily),
                **_marks(question, bucket, group),
            },
        )
        for index, bucket in enumerate(buckets)
        for group, head in heads
    ]
    return tuple(each.row for each in _in_order(rows, question))


def _groups(question: Question, finished: Finished, compared: Compared | None) -> list[Split]:
    """Every group seen in either window; without a split there is one, seen or not."""
    if not question.by:
        return [()]
    found = {split for _, split in finished.values}
    if compared is not None:
        found |= {split for _, split in compared.finished.values}
    if question.kept is None:
        return by_values(found)
    return [group for group in (*question.kept, ()) if group in found]


def _in_order(rows: list[_Placed], question: Question) -> list[_Placed]:
    """The rows as they were asked; from the first column on that is no time, `other` rows come last."""
    last = Order(OTHER)
    at = next((at for at, each in enumerate(question.order) if each.column != TIME), len(question.order))
    for order in reversed((*question.order[:at], last, *question.order[at:])) if question.order else ():
        rows = ordered(
            rows, [_key(each, order.column, question) for each in rows], descending=order.descending
        )
    return rows


def _key(placed: _Placed, column: str, question: Question) -> object:
    if column == TIME:
        return placed.bucket
    if column == OTHER:
        return bool(question.by) and not placed.group
    if column in question.by:
        return placed.group[question.by.index(column)] if placed.group else None
    cell = placed.row[column]
    # Times as texts stand in another order where clocks change, or only some have a fraction.
    return parse_instant(cell) if isinstance(cell, str) else cell


def _metrics(
    question: Question, index: int, group: Split, finished: Finished, compared: Compared | None, daily: Daily
) -> Row:
    values = finished.at(index, group)
    pair = None if compared is None else compared.counterpart.pairs[index]
    others: tuple[Value, ...] = (None,) * len(values)
    if compared is not None and pair is not None:
        others = compared.finished.at(pair, group)
    row: Row = {}
    for name, value, against in zip(question.metrics, values, others, strict=True):
        row[name] = value_cell(value, question.zone)
        if name in daily.metrics:
            row[name + PER_DAY] = _by_day(value, daily.days[index])
        if question.compare is not None:
            row[name + COMPARED] = value_cell(against, question.zone)
            if question.compare.against is Against.BEFORE:
                row[name + CHANGE] = change(number_of(value), number_of(against))
            row[name + DELTA] = delta(number_of(value), number_of(against))
    return row


def _by_day(value: Value, days: float) -> float | None:
    number = number_of(value)
    return None if number is None or not days else number / days


def number_of(value: Value) -> int | float | None:
    """What can be subtracted and divided; of a distribution or a time, nothing."""
    return None if isinstance(value, tuple | Instant) else value


def value_cell(value: Value, zone: Zone) -> Cell:
    """A metric's value as JSON has it."""
    if isinstance(value, tuple):
        return [{"from": each.low, "to": each.high, "count": each.count} for each in value]
    if isinstance(value, Instant):
        return zone.rfc3339(value)
    return value


def when_of(question: Question, bucket: Bucket) -> Mapping[str, Cell]:
    """The cell that says of which time a row is; none where there is one bucket."""
    if question.grain is Grain.TOTAL:
        return {}
    if bucket.date is not None:
        return {TIME: bucket.date.isoformat()}
    return {TIME: question.zone.rfc3339(bucket.start)}


def head_of(question: Question, group: Split) -> Row:
    """The cells that say of which group a row is, all null for the groups that a limit left out."""
    if question.by and not group:
        return dict.fromkeys(question.by)
    return {name: split_cell(value, question.zone) for name, value in zip(question.by, group, strict=True)}


def _marks(question: Question, bucket: Bucket, group: Split) -> Row:
    other: Row = {OTHER: True} if question.by and not group else {}
    return {**other, PARTIAL: True} if bucket.partial else other


def split_cell(value: object, zone: Zone) -> str | int | float | None:
    """A split's value as JSON has it: instants come from engines as naive UTC."""
    if isinstance(value, datetime):
        return zone.rfc3339((value.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1))
    assert value is None or isinstance(value, str | int | float | bool), "a field's value"
    return value
