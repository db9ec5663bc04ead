"""Values travel beside SQL, never in it."""

from __future__ import annotations

import datetime

from aforo.engines.embedded.layout import quoted
from aforo.model.condition import Condition, Op
from aforo.model.stream import Field, FieldType, Stream
from aforo.windows import parse_instant

EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - the engine keeps naive UTC

_COMPARISONS = {Op.EQ: "=", Op.NE: "<>", Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}


def timestamp(microseconds: int) -> datetime.datetime:
    """A naive UTC time, as DuckDB binds it."""
    return EPOCH + datetime.timedelta(microseconds=microseconds)


def microseconds(time: datetime.datetime) -> int:
    """The reverse of `timestamp`."""
    return (time - EPOCH) // datetime.timedelta(microseconds=1)


class Parameters(dict[str, object]):
    """The values of one statement, by the name each was given."""

    def bind(self, value: object) -> str:
        """Keeps a value and gives the text that stands for it."""
        name = f"p{len(self)}"
        self[name] = value
        return f"${name}"

    def bind_time(self, microseconds: int) -> str:
        return self.bind(timestamp(microseconds)) + "::TIMESTAMP"


def condition_sql(condition: Condition, field: Field, parameters: Parameters) -> str:
    """A condition on a field's column; like in SQL, a comparison with null does not hold."""
    column = quoted(field.name)
    if condition.op is Op.IS_NULL:
        return f"{column} IS NULL"
    if condition.op is Op.NOT_NULL:
        return f"{column} IS NOT NULL"
    if condition.op is Op.CONTAINS:
        return f"contains({column}, {_bound(condition.value, field, parameters)})"
    if condition.op is Op.IN:
        assert isinstance(condition.value, tuple)
        wanted = ", ".join(_bound(value, field, parameters) for value in condition.value)
        return f"{column} IN ({wanted})"
    return f"{column} {_COMPARISONS[condition.op]} {_bound(condition.value, field, parameters)}"


def conditions_sql(conditions: tuple[Condition, ...], stream: Stream, parameters: Parameters) -> str:
    """All of the conditions; the empty text where there are none."""
    return " AND ".join(
        condition_sql(condition, stream.fields[condition.field], parameters) for condition in conditions
    )


def _bound(value: object, field: Field, parameters: Parameters) -> str:
    if field.type is FieldType.TIMESTAMP:
        return parameters.bind_time(parse_instant(str(value)))
    return parameters.bind(value)
