"""Formulas are read by the usual precedence, and answer exactly."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.errors import InvalidRequest
from aforo.model.formula import (
    Arithmetic,
    Binary,
    Formula,
    Negative,
    Number,
    Percentile,
    Ref,
    Value,
    evaluate,
    is_integer,
    measures,
    parse,
    sighted,
)

VALUES: dict[str, Value] = {"a": 7, "b": -3, "zero": 0, "part": Fraction(1, 3), "real": 0.1, "none": None}
LEAVES: st.SearchStrategy[Formula] = st.one_of(
    st.builds(Ref, st.sampled_from(sorted(VALUES))),
    st.fractions(0, 1000, max_denominator=1).map(Number),
    st.decimals(0, 100, places=3).map(lambda number: Number(Fraction(number))),
    st.builds(Percentile, st.just("h"), st.sampled_from([0.0, 50.0, 99.9])),
)
FORMULAS: st.SearchStrategy[Formula] = st.recursive(
    LEAVES,
    lambda inner: st.builds(Negative, inner) | st.builds(Binary, st.sampled_from(Arithmetic), inner, inner),
    max_leaves=12,
)


def percentile_of(measure: str, p: float) -> float:
    return p / 4


def written(formula: Formula) -> str:
    match formula:
        case Number(value):
            return str(float(value)) if value.denominator != 1 else str(value)
        case Ref(measure):
            return measure
        case Percentile(measure, p):
            return f"percentile({measure}, {p})"
        case Negative(of):
            return f"-({written(of)})"
        case Binary(op, left, right):
            return f"({written(left)}) {op} ({written(right)})"


def oracle(formula: Formula) -> Fraction | None:
    """The same answer by Fractions alone, through Python's own reading of the text."""
    names = {name: None if value is None else Fraction(value) for name, value in VALUES.items()}
    match formula:
        case Number(value):
            return value
        case Ref(measure):
            return names[measure]
        case Percentile(measure, p):
            return Fraction(percentile_of(measure, p))
        case Negative(of):
            inner = oracle(of)
            return None if inner is None else -inner
        case Binary(op, left, right):
            one, other = oracle(left), oracle(right)
            if one is None or other is None or (op is Arithmetic.DIVIDE and other == 0):
                return None
            sums = {"+": one + other, "-": one - other, "*": one * other}
            return sums[op] if op in sums else one / other


@given(FORMULAS)
def test_answers_are_the_exact_ones(formula: Formula) -> None:
    answer = evaluate(formula, VALUES.__getitem__, percentile_of)
    exact = oracle(formula)
    assert answer == (None if exact is None else float(exact)) or answer == exact
    if answer is not None:
        whole = is_integer(formula, lambda name: isinstance(VALUES[name], int))
        assert isinstance(answer, int) is whole


@given(FORMULAS)
def test_what_is_written_is_read(formula: Formula) -> None:
    assert parse(written(formula)) == formula


@given(st.text(alphabet="ab1.()+-*/, percentile", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        formula = parse(text)
    except InvalidRequest:
        return
    assert isinstance(evaluate(formula, lambda _: 1, lambda _, p: p), int | float | None)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a + b * 2", 1),
        ("(a + b) * 2", 8),
        ("a - b - 1", 9),
        ("12 / 2 / 3", 2.0),
        ("-a + 1", -6),
        ("--a", 7),
        ("a / zero", None),
        ("none + 1", None),
        ("-none", None),
        ("0.1 + 0.2", 0.3),
        ("a * 1.0", 7),
        ("a / 7", 1.0),
        ("part * 3", 1.0),
        ("percentile(h, 50) * 2", 25.0),
        (".5 * 4", 2.0),
        ("1e3", 1000),
    ],
)
def test_arithmetic(text: str, answer: float | None) -> None:
    found = evaluate(parse(text), VALUES.__getitem__, percentile_of)
    assert found == answer
    assert isinstance(found, type(answer))


def test_what_is_not_finite_or_too_large_answers_nothing() -> None:
    assert evaluate(Ref("x"), lambda _: float("nan"), percentile_of) is None
    assert evaluate(Ref("x"), lambda _: float("inf"), percentile_of) is None
    assert evaluate(parse("x * 0.5"), lambda _: 10**400, percentile_of) is None


def test_new_and_returning_are_whole_and_read_by_their_names() -> None:
    formula = parse("new(a) + 2 * returning(b) - new(a)")
    assert measures(formula) == ("a", "b")
    assert [leaf.column for leaf in sighted(formula)] == ["new(a)", "returning(b)"]
    assert is_integer(formula, lambda _: False)
    assert evaluate(formula, {"new(a)": 5, "returning(b)": 3}.__getitem__, percentile_of) == 6
    assert parse("new + returning") == Binary(Arithmetic.ADD, Ref("new"), Ref("returning"))


def test_measures_come_once_in_order() -> None:
    assert measures(parse("b / (a + b) - percentile(h, 5)")) == ("b", "a", "h")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the end came where a measure, a number or '(' was wanted"),
        ("a +", "the end came where"),
        ("a b", "'b' at column 3 came where '+', '-', '*', '/' or the end was wanted"),
        ("(a", "the end came where ')' was wanted"),
        ("a % b", "'%' at column 3 has no meaning here"),
        ("sum(a)", "there are percentile(measure, p)"),
        ("new(5)", "'5' at column 5 came where the name of a distinct measure was wanted"),
        ("returning(a", "the end came where ')' was wanted"),
        ("percentile(a)", "came where ',' was wanted"),
        ("percentile(5, a)", "'5' at column 12 came where the name of a histogram measure was wanted"),
        ("percentile(a, b)", "came where a number from 0 to 100 was wanted"),
        ("percentile(a, 101)", "percentile 101 came where one from 0 to 100 was wanted"),
        ("percentile(a, -1)", "percentile -1 came"),
        ("distribution(5)", "'5' at column 14 came where the name of a histogram measure was wanted"),
        ("distribution(a, b)", "came where how many buckets there may be was wanted"),
        ("distribution(a, 9)", "10 to 10,000 buckets at most, but 9 came"),
        ("distribution(a, 10.5)", "10 to 10,000 buckets at most, but 10.5 came"),
        ("distribution(a) / 2", "no part of another formula"),
        ("-distribution(a, 10)", "no part of another formula"),
        ("percentile(a, 5, 6)", "came where ')' was wanted"),
        ("(" * 40 + "a" + ")" * 40, "more than 32"),
        ("-" * 40 + "a", "more than 32"),
        ("a = 1", "'=' at column 3 came"),
        ("'a' + 1", "came where a measure, a number or '(' was wanted"),
        ("1e999", "larger than a number can be"),
        ("a @ b", "'@' at column 3"),
    ],
)
def test_what_cannot_be_read(text: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(text)
    assert said in str(raised.value)
