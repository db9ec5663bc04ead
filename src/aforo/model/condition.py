"""Conditions on fields, all of which must hold: `carrier = "UA" and distance >= 100`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from aforo.errors import InvalidRequest, suggestion
from aforo.model.field import Field, FieldType
from aforo.model.tokens import Cursor, TokenKind, tokens
from aforo.windows import parse_instant

INT64_MINIMUM = -(2**63)
INT64_MAXIMUM = 2**63 - 1

Scalar: TypeAlias = str | int | float | bool


class Op(StrEnum):
    """How a field is compared; a comparison with null is false, `!=` too, as in SQL."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "in"
    CONTAINS = "contains"
    IS_NULL = "is null"
    NOT_NULL = "is not null"

    @property
    def ordered(self) -> bool:
        """Whether it compares by size."""
        return self in (Op.LT, Op.LE, Op.GT, Op.GE)


@dataclass(frozen=True, slots=True)
class Condition:
    """A field, a comparison and what it is compared with.

    `value` is a tuple for `in`, None for `is null` and `is not null`, else one scalar; the text of an instant
    (RFC 3339) where the field is a timestamp.
    """

    field: str
    op: Op
    value: Scalar | tuple[Scalar, ...] | None = None

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.field} {self.op}"
        if isinstance(self.value, tuple):
            return f"{self.field} {self.op} ({', '.join(_written(value) for value in self.value)})"
        return f"{self.field} {self.op} {_written(self.value)}"


def text_of(conditions: Iterable[Condition]) -> str:
    """The conditions as a text that `parse` reads back to the same."""
    return " and ".join(str(condition) for condition in conditions)


def parse(text: str) -> tuple[Condition, ...]:
    """The conditions of a text; InvalidRequest says what came and what was wanted."""
    cursor = Cursor(tokens(text))
    conditions = [_condition(cursor)]
    while cursor.took("and"):
        conditions.append(_condition(cursor))
    if cursor.here.says("or"):
        raise InvalidRequest(
            f"{cursor.here} came, but conditions are joined by 'and' only",
            hint="for one of several values of a field write: field in (a, b)",
        )
    if not cursor.at(TokenKind.END):
        raise cursor.wanted("'and' or the end")
    return tuple(conditions)


def check(condition: Condition, field: Field) -> str | None:
    """Why the condition does not fit the field's type, or None where it does."""
    op, value = condition.op, condition.value
    if op in (Op.IS_NULL, Op.NOT_NULL):
        return None if value is None else f"'{op}' is compared with nothing, but {value!r} came"
    if isinstance(value, tuple) is not (op is Op.IN):
        return f"'{op}' wants {'a list of values' if op is Op.IN else 'one value'}, but {value!r} came"
    if op is Op.CONTAINS and field.type is not FieldType.STRING:
        return f"'contains' is for strings, but {field.name} is of type {field.type}"
    if op.ordered and field.type is FieldType.BOOLEAN:
        return f"'{op}' has no meaning for {field.name}, which is true or false"
    for one in value if isinstance(value, tuple) else (value,):
        if one is None or not _fits(one, field.type):
            return f"{field.name} is compared with {_WANTED[field.type]}, but {one!r} came"
    return None if value != () else "'in' wants at least one value"


_WANTED = {
    FieldType.STRING: "a string in quotes",
    FieldType.INTEGER: "a whole number of 64 bits",
    FieldType.NUMBER: "a number",
    FieldType.BOOLEAN: "true or false",
    FieldType.TIMESTAMP: "an instant in quotes, like '2013-01-01T05:00:00Z',",
}


def _fits(value: Scalar, wanted: FieldType) -> bool:
    match wanted:
        case FieldType.STRING:
            return isinstance(value, str)
        case FieldType.BOOLEAN:
            return isinstance(value, bool)
        case FieldType.TIMESTAMP:
            return isinstance(value, str) and _is_instant(value)
        case FieldType.INTEGER:
            whole = isinstance(value, int) and not isinstance(value, bool)
            return whole and INT64_MINIMUM <= int(value) <= INT64_MAXIMUM
        case FieldType.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)


def _is_instant(text: str) -> bool:
    try:
        parse_instant(text)
    except InvalidRequest:
        return False
    return True


def _condition(cursor: Cursor) -> Condition:
    if not cursor.at(TokenKind.WORD):
        raise cursor.wanted("the name of a field")
    name = cursor.take().text
    if cursor.took("is"):
        negated = cursor.took("not")
        cursor.want("null")
        return Condition(name, Op.NOT_NULL if negated else Op.IS_NULL)
    if cursor.took("in"):
        return Condition(name, Op.IN, _list(cursor))
    op = _op(cursor)
    return Condition(name, op, _value(cursor))


def _op(cursor: Cursor) -> Op:
    known = [op for op in Op if op not in (Op.IN, Op.IS_NULL, Op.NOT_NULL)]
    if not cursor.here.says(*known):
        error = cursor.wanted("a comparison")
        raise InvalidRequest(error.detail, hint=suggestion(cursor.here.text.casefold(), map(str, Op)))
    return Op(cursor.take().text.casefold())


def _list(cursor: Cursor) -> tuple[Scalar, ...]:
    cursor.want("(")
    values = [_value(cursor)]
    while cursor.took(","):
        values.append(_value(cursor))
    cursor.want(")")
    return tuple(values)


def _value(cursor: Cursor) -> Scalar:
    negative = cursor.took("-")
    token = cursor.here
    if token.kind is TokenKind.NUMBER:
        value = _number(cursor.take().text)
        return -value if negative else value
    if negative:
        raise cursor.wanted("a number")
    if token.kind is TokenKind.STRING:
        return cursor.take().string
    if cursor.took("true"):
        return True
    if cursor.took("false"):
        return False
    if token.says("null"):
        raise InvalidRequest(f"{token} equals nothing", hint="write 'is null' or 'is not null'")
    hint = _MEANT.get(token.text, "")
    if token.kind is TokenKind.WORD:
        hint = f'a string stands in quotes: "{token.text}"'
    raise InvalidRequest(cursor.wanted("a value").detail, hint=hint)


_MEANT = {"=": "equal is written with one '='", ">": "unequal is written '!='"}
"""What the second sign of a comparison from another language is here: of `==` and of `<>`."""


def _number(text: str) -> int | float:
    if text.isdigit():
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise InvalidRequest(f"{text} is larger than a number can be")
    return value


def _written(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)
