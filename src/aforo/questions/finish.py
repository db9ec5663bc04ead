"""From merged states to the metrics' values, exact until the last step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias, cast

from aforo.engines.reads import Split, States
from aforo.model import formula as formulas
from aforo.model.field import FieldType
from aforo.model.formula import Binary, Distribution, Negative, Number, Percentile, Ref
from aforo.model.measure import Measure, MeasureKind
from aforo.model.metric import Metric
from aforo.model.stream import Stream
from aforo.questions.sighting import sighted
from aforo.states import histogram
from aforo.states import sum as sum_
from aforo.states.histogram import Bin, Histogram


class Instant(int):
    """A time in microseconds: shown as a time, and never added or divided once it is told."""


Bins: TypeAlias = tuple[Bin, ...]
Value: TypeAlias = int | float | Bins | None
Key: TypeAlias = tuple[int, Split]
State: TypeAlias = Fraction | int | float | Histogram | None
"""What a formula is computed from: a sum is exact, of a set it is the size."""

_INTEGER_KINDS = (MeasureKind.COUNT, MeasureKind.DISTINCT)
# What engines give for each kind where there was no row.
_NOTHING: Mapping[MeasureKind, object] = MappingProxyType(
    {
        MeasureKind.COUNT: 0,
        MeasureKind.SUM: None,
        MeasureKind.MINIMUM: None,
        MeasureKind.MAXIMUM: None,
        MeasureKind.DISTINCT: 0,
        MeasureKind.HISTOGRAM: histogram.empty(),
    }
)


@dataclass(frozen=True, slots=True)
class Finished:
    """Each found group's values in the order of the metrics, and what the metrics are of nothing at all.

    `unmeasured` says by bucket which metrics were not measured when it began, where any was not.
    """

    values: Mapping[Key, tuple[Value, ...]]
    nothing: tuple[Value, ...]
    unmeasured: Mapping[int, tuple[bool, ...]] = field(default_factory=dict)

    def at(self, bucket: int, split: Split) -> tuple[Value, ...]:
        """The values of a group, seen there or not; null for every metric that was not measured then."""
        values = self.values.get((bucket, split), self.nothing)
        hidden = self.unmeasured.get(bucket)
        if hidden is None:
            return values
        return tuple(None if gone else value for gone, value in zip(hidden, values, strict=True))


def joined(parts: Sequence[tuple[tuple[str, ...], Finished]], metrics: tuple[str, ...]) -> Finished:
    """One from several, each with the names of its metrics, which are put in the order of `metrics`.

    What a part has not seen of a group, of which another has, is what its metrics are of nothing.
    """
    if len(parts) == 1:
        return parts[0][1]
    names = [name for own, _ in parts for name in own]
    places = [names.index(name) for name in metrics]

    def put(values: Sequence[tuple[Value, ...]]) -> tuple[Value, ...]:
        whole = [value for own in values for value in own]
        return tuple(whole[place] for place in places)

    keys = dict.fromkeys(key for _, part in parts for key in part.values)
    return Finished(
        {key: put([part.values.get(key, part.nothing) for _, part in parts]) for key in keys},
        put([part.nothing for _, part in parts]),
    )


def finish(states: States, metrics: Sequence[Metric], stream: Stream) -> Finished:
    """The metrics of every group; counts, sums and set sizes of nothing are 0, all else is null."""
    used = {name: stream.measures[name] for metric in metrics for name in metric.measures}
    columns = {name: _column(measure, states.values[name], stream) for name, measure in used.items()}
    seen = [leaf.column for leaf in sighted(metrics)]
    columns |= {column: cast(Sequence[State], states.values[column]) for column in seen}
    values = [_values(metric, columns, len(states.keys), stream) for metric in metrics]
    empty = {name: _column(measure, [_NOTHING[measure.kind]], stream) for name, measure in used.items()}
    empty |= {column: [0] for column in seen}
    return Finished(
        dict(zip(states.keys, zip(*values, strict=True), strict=True)),
        tuple(_values(metric, empty, 1, stream)[0] for metric in metrics),
    )


def finished_from(
    states: States, metrics: Sequence[Metric], stream: Stream, at: int | None
) -> Mapping[str, State]:
    """What the formulas are computed from, by measure or `new(measure)`: of a group, or of nothing."""
    used = {name: stream.measures[name] for metric in metrics for name in metric.measures}
    found: dict[str, State] = {}
    for name, measure in used.items():
        own = [_NOTHING[measure.kind] if at is None else states.values[name][at]]
        state, field = _column(measure, own, stream)[0], stream.measured(measure)
        is_time = field is not None and field.type is FieldType.TIMESTAMP and isinstance(state, int)
        extreme = measure.kind in (MeasureKind.MINIMUM, MeasureKind.MAXIMUM)
        found[name] = Instant(cast(int, state)) if is_time and extreme else state
    for leaf in sighted(metrics):
        found[leaf.column] = cast(State, states.values[leaf.column][at]) if at is not None else 0
    return found


def is_integer(metric: Metric, stream: Stream) -> bool:
    """Whether the metric's values are whole numbers by nature."""
    return formulas.is_integer(metric.formula, lambda name: _measure_is_integer(stream, name))


def is_instant(metric: Metric, stream: Stream) -> bool:
    """Whether the metric's values are times: a measure of times, by itself."""
    if not isinstance(metric.formula, Ref):
        return False
    field = stream.measured(stream.measures[metric.formula.measure])
    return field is not None and field.type is FieldType.TIMESTAMP


def adds_up(formula: formulas.Formula, stream: Stream) -> bool:
    """Whether a whole is the sum of its days: counts and sums, added and scaled, and nothing else."""
    match formula:
        case formulas.Ref(name):
            return stream.measures[name].kind in (MeasureKind.COUNT, MeasureKind.SUM)
        case Negative(of):
            return adds_up(of, stream)
        case Binary(formulas.Arithmetic.ADD | formulas.Arithmetic.SUBTRACT, left, right):
            return adds_up(left, stream) and adds_up(right, stream)
        case Binary(formulas.Arithmetic.MULTIPLY, Number(), of) | Binary(
            formulas.Arithmetic.MULTIPLY | formulas.Arithmetic.DIVIDE, of, Number()
        ):
            return adds_up(of, stream)
        case _:
            return False


def accuracy(metric: Metric) -> bool | dict[str, float]:
    """True where the values are exact; else how far a percentile may lie from the true one, relative to it.

    The bound is the metric's own where it is a percentile or one times a number, else that of each percentile
    inside it.
    """
    if not any(isinstance(leaf, Percentile) for leaf in formulas.leaves(metric.formula)):
        return True
    own = _is_scaled_percentile(metric.formula)
    return {"relativeError" if own else "relativeErrorOfPercentiles": histogram.RELATIVE_ERROR}


def _column(measure: Measure, states: Sequence[object], stream: Stream) -> Sequence[State]:
    if measure.kind is not MeasureKind.SUM:
        return cast(Sequence[State], states)
    scale = _scale(measure, stream)
    # A sum of nothing is shown as 0, in whichever bucket it stands.
    sums = cast(Sequence[int | None], states)
    return [sum_.finish(state or 0, scale) for state in sums]


def _values(metric: Metric, columns: Mapping[str, Sequence[State]], rows: int, stream: Stream) -> list[Value]:
    if isinstance(metric.formula, Distribution):
        name, most = metric.formula.measure, metric.formula.most
        return [histogram.bins(cast(Histogram, state), most) for state in columns[name]]
    if isinstance(metric.formula, Percentile):
        # The commonest formula that costs: not taken through fractions, which would give the same float.
        name, p = metric.formula.measure, metric.formula.p
        return [histogram.percentile(cast(Histogram, state), p) for state in columns[name]]
    if is_instant(metric, stream):
        times = cast(Sequence[int | None], columns[metric.measures[0]])
        return [None if time is None else Instant(time) for time in times]
    value_of, percentile_of = _readers(columns)
    return [formulas.evaluate(metric.formula, value_of(row), percentile_of(row)) for row in range(rows)]


def _readers(
    columns: Mapping[str, Sequence[State]],
) -> tuple[
    Callable[[int], Callable[[str], formulas.Value]],
    Callable[[int], Callable[[str, float], float | None]],
]:
    """What a formula reads its measures with, for a row."""

    def value_of(row: int) -> Callable[[str], formulas.Value]:
        return lambda name: cast(formulas.Value, columns[name][row])

    def percentile_of(row: int) -> Callable[[str, float], float | None]:
        return lambda name, p: histogram.percentile(cast(Histogram, columns[name][row]), p)

    return value_of, percentile_of


def _measure_is_integer(stream: Stream, name: str) -> bool:
    measure = stream.measures[name]
    if measure.kind in _INTEGER_KINDS or measure.field is None:
        return True
    field = stream.measured(measure)
    whole = field is not None and field.type in (FieldType.INTEGER, FieldType.TIMESTAMP)
    return whole or (measure.kind is MeasureKind.SUM and _scale(measure, stream) == 0)


def _scale(measure: Measure, stream: Stream) -> int:
    field = stream.measured(measure)
    return 0 if field is None else field.scale


def _is_scaled_percentile(formula: formulas.Formula) -> bool:
    match formula:
        case Percentile():
            return True
        case Negative(of):
            return _is_scaled_percentile(of)
        case Binary(formulas.Arithmetic.MULTIPLY, Number(), of) | Binary(
            formulas.Arithmetic.MULTIPLY | formulas.Arithmetic.DIVIDE, of, Number()
        ):
            return _is_scaled_percentile(of)
        case _:
            return False
