"""Whether a field's value meets a condition, as the SQL of `parameters` has it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from aforo.engines.embedded.parameters import timestamp
from aforo.model.condition import Condition, Op
from aforo.model.stream import Field, FieldType
from aforo.windows import parse_instant

_COMPARES: Mapping[Op, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        Op.EQ: operator.eq,
        Op.NE: operator.ne,
        Op.LT: operator.lt,
        Op.LE: operator.le,
        Op.GT: operator.gt,
        Op.GE: operator.ge,
        Op.CONTAINS: operator.contains,
    }
)


def holds(condition: Condition, field: Field) -> Callable[[object], bool]:
    """Tells of a value, as rows hold it, whether the condition holds; a comparison with null does not."""
    if condition.op is Op.IS_NULL:
        return lambda value: value is None
    if condition.op is Op.NOT_NULL:
        return lambda value: value is not None
    if condition.op is Op.IN:
        assert isinstance(condition.value, tuple)
        wanted = {_given(each, field) for each in condition.value}
        return lambda value: value is not None and value in wanted
    compares, with_ = _COMPARES[condition.op], _given(condition.value, field)
    return lambda value: value is not None and compares(value, with_)


def _given(value: object, field: Field) -> object:
    return timestamp(parse_instant(str(value))) if field.type is FieldType.TIMESTAMP else value
