"""What one event gives to a measure: the only place where a measure's meaning becomes SQL."""

from __future__ import annotations

from aforo.engines.embedded.layout import MeasureLayout, ordinal_column, quoted
from aforo.engines.embedded.parameters import Parameters, conditions_sql
from aforo.model.measure import MeasureKind
from aforo.model.stream import FieldType, Stream
from aforo.states.histogram import GROWTH, OFFSET, ZERO_BELOW


def input_columns(stream: Stream, layout: MeasureLayout, parameters: Parameters) -> tuple[str, ...]:
    """The select items of a measure's input (two for a histogram), null where the event gives nothing."""
    kind = layout.measure.kind
    if kind is MeasureKind.HISTOGRAM:
        value = f"{_value(layout)}::DOUBLE"
        return (
            f"{_where(stream, layout, bucket_sql(value, parameters), parameters)} AS {layout.input}",
            f"{_where(stream, layout, value, parameters)} AS {layout.size}",
        )
    return (f"{_where(stream, layout, _given(layout, parameters), parameters)} AS {layout.input}",)


def bucket_sql(value: str, parameters: Parameters) -> str:
    """The signed logarithmic bucket of a value, as `states.histogram` defines it."""
    zero, growth, offset = (parameters.bind(number) for number in (ZERO_BELOW, GROWTH, OFFSET))
    log = f"ceil(ln(abs({value})) / ln({growth}::DOUBLE))::INTEGER + {offset}::INTEGER"
    return f"CASE WHEN abs({value}) < {zero}::DOUBLE THEN 0 ELSE sign({value})::INTEGER * ({log}) END"


def _where(stream: Stream, layout: MeasureLayout, given: str, parameters: Parameters) -> str:
    if not layout.measure.where:
        return given
    return f"CASE WHEN {conditions_sql(layout.measure.where, stream, parameters)} THEN {given} END"


def _given(layout: MeasureLayout, parameters: Parameters) -> str:
    kind, field = layout.measure.kind, layout.field
    if kind is MeasureKind.COUNT:
        return "1::TINYINT"
    if kind is MeasureKind.DISTINCT:
        assert layout.measure.entity is not None
        assert field is not None
        return ordinal_column(layout.measure.entity, field.name)
    if kind is MeasureKind.SUM and field is not None and field.type is FieldType.NUMBER:
        # Multiplied as a float and rounded half to even, as states.sum.scaled does.
        return f"round_even({_value(layout)} * {parameters.bind(10.0**field.scale)}::DOUBLE, 0)::BIGINT"
    return _value(layout)


def _value(layout: MeasureLayout) -> str:
    assert layout.field is not None
    name = quoted(layout.field.name)
    return f"epoch_us({name})" if layout.field.type is FieldType.TIMESTAMP else name
