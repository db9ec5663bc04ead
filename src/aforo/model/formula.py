"""Formulas over measures: `cancelled / scheduled`, `percentile(dep_delays, 95)`.

A distinct measure stands for the size of its set, of which `new(visitors)` were never counted before and
`returning(visitors)` were. Averages are written as a sum by a count, so that what is merged is always the
parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

from aforo.errors import InvalidRequest
from aforo.model.tokens import Cursor, TokenKind, tokens

DEEPEST = 32  # parentheses and signs within one another

Value: TypeAlias = Fraction | int | float | None


class Arithmetic(StrEnum):
    """What joins two formulas."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written, exactly."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Ref:
    """The answer of a measure."""

    measure: str


@dataclass(frozen=True, slots=True)
class Percentile:
    """The value at or below which `p` percent of a histogram's values lie."""

    measure: str
    p: float


class Sighting(StrEnum):
    """How those of a set are told apart: whether the measure ever counted them before."""

    NEW = "new"
    RETURNING = "returning"


@dataclass(frozen=True, slots=True)
class Sighted:
    """How many of a distinct measure's set it had, or had not, counted before the bucket began."""

    sighting: Sighting
    measure: str

    @property
    def column(self) -> str:
        """What its values are called among those of the measures; no measure can be called so."""
        return f"{self.sighting}({self.measure})"


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many of a histogram's values lie in each of its buckets, of which there are at most `most`.

    It is a formula of its own and no part of another.
    """

    measure: str
    most: int | None


LEAST_BUCKETS, MOST_BUCKETS = 10, 10_000


@dataclass(frozen=True, slots=True)
class Binary:
    """Two formulas joined."""

    op: Arithmetic
    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Negative:
    """A formula with its sign turned."""

    of: Formula


Formula: TypeAlias = Number | Ref | Percentile | Sighted | Distribution | Binary | Negative


def parse(text: str) -> Formula:
    """The formula of a text; InvalidRequest says what came and what was wanted."""
    cursor = Cursor(tokens(text))
    formula = _sum(cursor, 0)
    if not isinstance(formula, Distribution) and any(
        isinstance(leaf, Distribution) for leaf in leaves(formula)
    ):
        raise InvalidRequest(
            "a distribution is many numbers, and no part of another formula",
            hint="make it a metric of its own: distribution(measure)",
        )
    if not cursor.at(TokenKind.END):
        raise cursor.wanted("'+', '-', '*', '/' or the end")
    return formula


def leaves(formula: Formula) -> Iterator[Number | Ref | Percentile | Sighted | Distribution]:
    """The numbers and measures of a formula, from left to right."""
    match formula:
        case Binary(_, left, right):
            yield from leaves(left)
            yield from leaves(right)
        case Negative(of):
            yield from leaves(of)
        case _:
            yield formula


def measures(formula: Formula) -> tuple[str, ...]:
    """The names of the measures used, each once, in order of appearance."""
    used = [leaf.measure for leaf in leaves(formula) if not isinstance(leaf, Number)]
    return tuple(dict.fromkeys(used))


def sighted(formula: Formula) -> tuple[Sighted, ...]:
    """What a formula asks of who is new and who returns, each once."""
    return tuple(dict.fromkeys(leaf for leaf in leaves(formula) if isinstance(leaf, Sighted)))


def is_integer(formula: Formula, measure_is_integer: Callable[[str], bool]) -> bool:
    """Whether every answer is a whole number: no division, no percentile, no part that is not whole."""
    match formula:
        case Number(value):
            return value.denominator == 1
        case Ref(measure):
            return measure_is_integer(measure)
        case Percentile() | Distribution():
            return False
        case Sighted():
            return True
        case Negative(of):
            return is_integer(of, measure_is_integer)
        case Binary(op, left, right):
            whole = is_integer(left, measure_is_integer) and is_integer(right, measure_is_integer)
            return whole and op is not Arithmetic.DIVIDE


def evaluate(
    formula: Formula,
    value_of: Callable[[str], Value],
    percentile_of: Callable[[str, float], float | None],
) -> int | float | None:
    """The answer: exact until its end, an int where it is whole by nature, else the nearest float.

    None where an operand is None or not finite, where a divisor is zero, or where no float is large enough.
    """
    result = _exact(formula, value_of, percentile_of)
    if result is None:
        return None
    if isinstance(result, int) and is_integer(formula, lambda name: isinstance(value_of(name), int)):
        return result
    try:
        return float(result)
    except OverflowError:
        return None


def _exact(
    formula: Formula,
    value_of: Callable[[str], Value],
    percentile_of: Callable[[str, float], float | None],
) -> int | Fraction | None:
    match formula:
        case Number(value):
            return value.numerator if value.denominator == 1 else value
        case Ref(measure):
            return _finite(value_of(measure))
        case Percentile(measure, p):
            return _finite(percentile_of(measure, p))
        case Sighted():
            return _finite(value_of(formula.column))
        case Distribution(measure):
            raise TypeError(f"the distribution of {measure} is no number")
        case Negative(of):
            turned = _exact(of, value_of, percentile_of)
            return None if turned is None else -turned
        case Binary(op, left_side, right_side):
            left = _exact(left_side, value_of, percentile_of)
            right = _exact(right_side, value_of, percentile_of)
            return None if left is None or right is None else _joined(op, left, right)


def _joined(op: Arithmetic, left: int | Fraction, right: int | Fraction) -> int | Fraction | None:
    match op:
        case Arithmetic.ADD:
            return left + right
        case Arithmetic.SUBTRACT:
            return left - right
        case Arithmetic.MULTIPLY:
            return left * right
        case Arithmetic.DIVIDE:
            return Fraction(left) / right if right else None


def _finite(value: Value) -> int | Fraction | None:
    if isinstance(value, float):
        return Fraction(value) if math.isfinite(value) else None
    return value


def _sum(cursor: Cursor, depth: int) -> Formula:
    left = _product(cursor, depth)
    while cursor.here.says("+", "-"):
        left = Binary(Arithmetic(cursor.take().text), left, _product(cursor, depth))
    return left


def _product(cursor: Cursor, depth: int) -> Formula:
    left = _part(cursor, depth)
    while cursor.here.says("*", "/"):
        left = Binary(Arithmetic(cursor.take().text), left, _part(cursor, depth))
    return left


def _part(cursor: Cursor, depth: int) -> Formula:
    if depth > DEEPEST:
        raise InvalidRequest(f"more than {DEEPEST} parentheses stand within one another")
    if cursor.took("-"):
        return Negative(_part(cursor, depth + 1))
    if cursor.took("("):
        inner = _sum(cursor, depth + 1)
        cursor.want(")")
        return inner
    if cursor.at(TokenKind.NUMBER):
        return _number(cursor.take().text)
    if not cursor.at(TokenKind.WORD):
        raise cursor.wanted("a measure, a number or '('")
    name = cursor.take()
    if not cursor.here.says("("):
        return Ref(name.text)
    if name.text == "distribution":
        return _distribution(cursor)
    if name.text in tuple(Sighting):
        return _sighted(cursor, Sighting(name.text))
    if name.text != "percentile":
        raise InvalidRequest(f"there is no function {name}", hint=_FUNCTIONS)
    return _percentile(cursor)


_FUNCTIONS = "there are percentile(measure, p), distribution(measure), new(measure) and returning(measure)"


def _distribution(cursor: Cursor) -> Distribution:
    cursor.want("(")
    if not cursor.at(TokenKind.WORD):
        raise cursor.wanted("the name of a histogram measure")
    measure = cursor.take().text
    most: int | None = None
    if cursor.took(","):
        if not cursor.at(TokenKind.NUMBER):
            raise cursor.wanted("how many buckets there may be")
        written = cursor.take().text
        if not (written.isdecimal() and LEAST_BUCKETS <= int(written) <= MOST_BUCKETS):
            raise InvalidRequest(
                f"a distribution has {LEAST_BUCKETS} to {MOST_BUCKETS:,} buckets at most, but {written} came"
            )
        most = int(written)
    cursor.want(")")
    return Distribution(measure, most)


def _sighted(cursor: Cursor, sighting: Sighting) -> Sighted:
    cursor.want("(")
    if not cursor.at(TokenKind.WORD):
        raise cursor.wanted("the name of a distinct measure")
    measure = cursor.take().text
    cursor.want(")")
    return Sighted(sighting, measure)


def _number(text: str) -> Number:
    if not math.isfinite(float(text)):
        raise InvalidRequest(f"{text} is larger than a number can be")
    return Number(Fraction(text))


def _percentile(cursor: Cursor) -> Percentile:
    cursor.want("(")
    if not cursor.at(TokenKind.WORD):
        raise cursor.wanted("the name of a histogram measure")
    measure = cursor.take().text
    cursor.want(",")
    negative = cursor.took("-")
    if not cursor.at(TokenKind.NUMBER):
        raise cursor.wanted("a number from 0 to 100")
    written = cursor.take()
    p = float(written.text)
    if negative or p > 100:
        sign = "-" if negative else ""
        raise InvalidRequest(f"percentile {sign}{written.text} came where one from 0 to 100 was wanted")
    cursor.want(")")
    return Percentile(measure, p)
