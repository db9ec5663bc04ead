"""Rows of an answer: every bucket and every group that was seen, empty ones filled, with proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from aforo.errors import QuestionTooLarge
from aforo.model.formula import Distribution
from aforo.model.metric import Metric
from aforo.model.stream import Stream
from aforo.questions.compare import Counterpart, change, delta
from aforo.questions.comparison import Against, Comparison
from aforo.questions.finish import Finished, Split, Value, adds_up, is_integer
from aforo.questions.proof import Proof
from aforo.questions.question import PER_DAY, Question
from aforo.windows import Bucket, Grain, Zone

Cell: TypeAlias = str | int | float | bool | list[dict[str, float]] | None
Row: TypeAlias = dict[str, Cell]

TIME = "time"
PARTIAL = "partial"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Column:
    """A name, and the type its cells have: `date`, `instant`, a field's type, `integer` or `number`."""

    name: str
    type: str
    unit: str | None = None


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
class Answer:
    """What comes back. `comparison` tells the other window; `sql` is what the engine ran, for the curious."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    comparison: dict[str, Cell] | None
    proof: Proof
    sql: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The reply of a query, ready for JSON."""
        return {
            "columns": [
                {"name": column.name, "type": column.type, "unit": column.unit} for column in self.columns
            ],
            "rows": list(self.rows),
            "comparison": self.comparison,
            "proof": self.proof.as_json(),
        }


def columns_of(
    question: Question, stream: Stream, metrics: Sequence[Metric], buckets: Iterable[Bucket]
) -> tuple[Column, ...]:
    """The columns of every row; `partial` is one only where the window cuts a bucket."""
    columns: list[Column] = []
    if question.grain is not Grain.TOTAL:
        columns.append(Column(TIME, "date" if _dated(question.grain) else "instant"))
    fields = [stream.fields[name] for name in question.by]
    columns += [Column(field.name, str(field.type), field.unit) for field in fields]
    for metric in metrics:
        kind, unit = _type_of(metric, stream), metric.unit or None
        columns.append(Column(metric.name, kind, unit))
        if question.daily and adds_up(metric.formula, stream):
            columns.append(Column(f"{metric.name}{PER_DAY}", "number", unit))
        if question.compare is not None:
            columns.append(Column(f"{metric.name}_compared", kind, unit))
            if question.compare.against is Against.BEFORE:
                columns.append(Column(f"{metric.name}_change", kind, unit))
            columns.append(Column(f"{metric.name}_delta", "number"))
    if any(bucket.partial for bucket in buckets):
        columns.append(Column(PARTIAL, "boolean"))
    return tuple(columns)


def _type_of(metric: Metric, stream: Stream) -> str:
    if isinstance(metric.formula, Distribution):
        return "distribution"
    return "integer" if is_integer(metric, stream) else "number"


def rows_of(
    question: Question,
    buckets: Sequence[Bucket],
    finished: Finished,
    compared: Compared | None,
    most_rows: int,
    daily: Daily = NO_DAYS,
) -> tuple[Row, ...]:
    """A row for each bucket and group, groups in the order of their values with nulls last."""
    groups = _groups(question, finished, compared)
    if len(groups) * len(buckets) > most_rows:
        raise QuestionTooLarge(
            f"the answer would have {len(groups) * len(buckets):,} rows, and it may have {most_rows:,}",
            hint="ask a shorter window, a coarser grain or fewer groups ('where')",
        )
    heads = [(group, _head(question, group)) for group in groups]
    return tuple(
        {
            **_when(question, bucket),
            **head,
            **_metrics(question, index, group, finished, compared, daily),
            **_cut(bucket),
        }
        for index, bucket in enumerate(buckets)
        for group, head in heads
    )


def comparison_of(question: Question, compared: Compared | None) -> dict[str, Cell] | None:
    """The other window as it is shown; `sameElapsed` where it was cut like an unfinished question."""
    if compared is None:
        return None
    window = compared.counterpart.window
    return {
        "compare": str(compared.comparison),
        "from": question.zone.rfc3339(window.start),
        "to": question.zone.rfc3339(window.end),
        "sameElapsed": compared.counterpart.cut,
    }


def _groups(question: Question, finished: Finished, compared: Compared | None) -> list[Split]:
    """Every group seen in either window; without a split there is one, seen or not."""
    if not question.by:
        return [()]
    found = {split for _, split in finished.values}
    if compared is not None:
        found |= {split for _, split in compared.finished.values}
    return sorted(found, key=lambda split: tuple((value is None, value) for value in split))


def _metrics(
    question: Question, index: int, group: Split, finished: Finished, compared: Compared | None, daily: Daily
) -> Row:
    values = finished.values.get((index, group), finished.nothing)
    pair = None if compared is None else compared.counterpart.pairs[index]
    others: tuple[Value, ...] = (None,) * len(values)
    if compared is not None and pair is not None:
        others = compared.finished.values.get((pair, group), compared.finished.nothing)
    row: Row = {}
    for name, value, against in zip(question.metrics, values, others, strict=True):
        row[name] = _shown(value)
        if name in daily.metrics:
            row[f"{name}{PER_DAY}"] = _by_day(value, daily.days[index])
        if question.compare is not None:
            row[f"{name}_compared"] = _shown(against)
            if question.compare.against is Against.BEFORE:
                row[f"{name}_change"] = change(_number(value), _number(against))
            row[f"{name}_delta"] = delta(_number(value), _number(against))
    return row


def _by_day(value: Value, days: float) -> float | None:
    number = _number(value)
    return None if number is None or not days else number / days


def _number(value: Value) -> int | float | None:
    """What can be subtracted and divided; of a distribution, nothing."""
    return None if isinstance(value, tuple) else value


def _shown(value: Value) -> Cell:
    if isinstance(value, tuple):
        return [{"from": each.low, "to": each.high, "count": each.count} for each in value]
    return value


def _when(question: Question, bucket: Bucket) -> Mapping[str, Cell]:
    if question.grain is Grain.TOTAL:
        return {}
    if bucket.date is not None:
        return {TIME: bucket.date.isoformat()}
    return {TIME: question.zone.rfc3339(bucket.start)}


def _head(question: Question, group: Split) -> Row:
    return {name: _cell(value, question.zone) for name, value in zip(question.by, group, strict=True)}


def _cut(bucket: Bucket) -> Row:
    return {PARTIAL: True} if bucket.partial else {}


def _cell(value: object, zone: Zone) -> Cell:
    """A split's value as JSON has it: instants come from engines as naive UTC."""
    if isinstance(value, datetime):
        return zone.rfc3339((value.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1))
    assert value is None or isinstance(value, str | int | float | bool), "a field's value"
    return value


def _dated(grain: Grain) -> bool:
    return grain in (Grain.DAY, Grain.WEEK, Grain.MONTH)
