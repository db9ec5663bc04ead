"""An answer: its columns, rows and totals, the window it is compared with, and its proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aforo.model.formula import Distribution
from aforo.model.metric import Metric
from aforo.model.stream import Stream
from aforo.questions.finish import adds_up, is_instant, is_integer
from aforo.questions.proof import Proof
from aforo.questions.question import (
    CHANGE,
    COMPARED,
    DELTA,
    OTHER,
    PARTIAL,
    PER_DAY,
    TIME,
    Question,
    suffixes_of,
)
from aforo.questions.rows import Cell, Compared, Row
from aforo.windows import Bucket, Grain


@dataclass(frozen=True, slots=True)
class Column:
    """A name, and the type its cells have: `date`, `instant`, a field's type, `integer` or `number`."""

    name: str
    type: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back. `totals` are there where they were asked; `comparison` tells the other window.

    `sql` is what the engine ran, for the curious.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    totals: Row | None
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
            "totals": self.totals,
            "comparison": self.comparison,
            "proof": self.proof.as_json(),
        }


def columns_of(
    question: Question, streams: Mapping[str, Stream], metrics: Sequence[Metric], buckets: Iterable[Bucket]
) -> tuple[Column, ...]:
    """The columns of every row; `partial` only where the window cuts a bucket, `other` with a limit."""
    columns: list[Column] = []
    if question.grain is not Grain.TOTAL:
        columns.append(Column(TIME, "date" if _dated(question.grain) else "instant"))
    fields = [streams[question.stream].fields[name] for name in question.by]
    columns += [Column(field.name, str(field.type), field.unit) for field in fields]
    for metric in metrics:
        columns += _of_metric(metric, question, streams[metric.stream])
    if question.limit is not None:
        columns.append(Column(OTHER, "boolean"))
    if any(bucket.partial for bucket in buckets):
        columns.append(Column(PARTIAL, "boolean"))
    return tuple(columns)


def _of_metric(metric: Metric, question: Question, stream: Stream) -> Iterable[Column]:
    own = Column("", _type_of(metric, stream), metric.unit or None)
    number, share = Column("", "number", own.unit), Column("", "number")
    kinds = {"": own, PER_DAY: number, COMPARED: own, CHANGE: own, DELTA: share}
    per_day = question.daily and adds_up(metric.formula, stream)
    for suffix in suffixes_of(question.compare, per_day=per_day):
        yield Column(metric.name + suffix, kinds[suffix].type, kinds[suffix].unit)


def _type_of(metric: Metric, stream: Stream) -> str:
    if isinstance(metric.formula, Distribution):
        return "distribution"
    if is_instant(metric, stream):
        return "instant"
    return "integer" if is_integer(metric, stream) else "number"


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
        "matchWeekdays": compared.comparison.weekdays,
    }


def _dated(grain: Grain) -> bool:
    return grain in (Grain.DAY, Grain.WEEK, Grain.MONTH)
