"""Each kind of expression is what plain Python makes of it, date by date and null by null."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runs.points import NEAR, NUMBERS, Plain, plain, plains, run, series

from aforo.runs.expression import Result

Told: TypeAlias = dict[dt.date, Fraction | str]
"""Of each date the exact number, or why it is null."""


def assert_told(result: Result, told: Told) -> None:
    found = plain(result.series)
    assert [*found] == [*told]
    for date, wanted in told.items():
        value = found[date]
        if isinstance(wanted, str):
            assert value is None, (date, wanted)
        else:
            assert value is not None, (date, wanted)
            assert math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-5), date
    causes = Counter(wanted for wanted in told.values() if isinstance(wanted, str))
    assert {cause: count for cause, count in asdict(result.nulls).items() if count} == causes
    assert result.nulls.total == causes.total()


def by_date(operands: Sequence[Plain], joined: Callable[[list[Fraction]], Fraction | str]) -> Told:
    """What is told of all dates that any operand has; a null by the first operand that is null."""
    told: Told = {}
    for date in sorted({date for operand in operands for date in operand}):
        numbers: list[Fraction] = []
        why = None
        for operand in operands:
            value = operand.get(date)
            if value is None:
                why = why or ("null_input" if date in operand else "missing")
            else:
                numbers.append(Fraction(value))
        told[date] = why or joined(numbers)
    return told


def divided(numbers: list[Fraction]) -> Fraction | str:
    first, *others = numbers
    return "division_by_zero" if 0 in others else first / math.prod(others)


OPERATORS: dict[str, Callable[[list[Fraction]], Fraction | str]] = {
    "add": sum,
    "subtract": lambda numbers: numbers[0] - sum(numbers[1:]),
    "multiply": math.prod,
    "divide": divided,
}


@pytest.mark.parametrize("operator", OPERATORS)
@given(operands=st.lists(NEAR, min_size=2, max_size=3), constant=st.none() | NUMBERS)
def test_arithmetic(operator: str, operands: list[Plain], constant: float | None) -> None:
    written: list[object] = [{"series": f"s{at}"} for at in range(len(operands))]
    everywhere: list[Fraction] = []
    if constant is not None:
        written.append({"constant": constant})
        everywhere.append(Fraction(constant))
    result = run(
        "arithmetic",
        {"operator": operator, "operands": written},
        **{f"s{at}": series(operand) for at, operand in enumerate(operands)},
    )
    assert_told(result, by_date(operands, lambda numbers: OPERATORS[operator]([*numbers, *everywhere])))


@given(NEAR, NEAR, NUMBERS.filter(bool))
def test_ratio(numerator: Plain, denominator: Plain, scale: float) -> None:
    result = run(
        "ratio",
        {"numerator": {"series": "n"}, "denominator": {"series": "d"}, "scale": scale},
        n=series(numerator),
        d=series(denominator),
    )

    def share(numbers: list[Fraction]) -> Fraction | str:
        quotient = divided(numbers)
        return quotient if isinstance(quotient, str) else quotient * Fraction(scale)

    assert_told(result, by_date([numerator, denominator], share))


@given(st.lists(st.tuples(NEAR, NUMBERS), min_size=1, max_size=4))
def test_weighted_sum(terms: list[tuple[Plain, float]]) -> None:
    result = run(
        "weighted_sum",
        {"terms": [{"of": {"series": f"s{at}"}, "weight": weight} for at, (_, weight) in enumerate(terms)]},
        **{f"s{at}": series(of) for at, (of, _) in enumerate(terms)},
    )
    weights = [Fraction(weight) for _, weight in terms]

    def weighted(numbers: list[Fraction]) -> Fraction:
        return sum((number * weight for number, weight in zip(numbers, weights, strict=True)), Fraction(0))

    assert_told(result, by_date([of for of, _ in terms], weighted))


@pytest.mark.parametrize("kind", ["relative", "absolute"])
@given(of=plains(), periods=st.integers(1, 12))
def test_growth(kind: str, of: Plain, periods: int) -> None:
    told: Told = {}
    observations = [*of.items()]
    for at, (date, value) in enumerate(observations):
        before = observations[at - periods][1] if at >= periods else None
        if value is None:
            told[date] = "null_input"
        elif before is None:
            told[date] = "null_input" if at >= periods else "missing"
        elif kind == "absolute":
            told[date] = Fraction(value) - Fraction(before)
        else:
            told[date] = divided([Fraction(value) - Fraction(before), Fraction(before)])
    result = run("growth", {"of": {"series": "s"}, "periods": periods, "kind": kind}, s=series(of))
    assert_told(result, told)


FUNCTIONS: dict[str, Callable[[list[Fraction]], Fraction]] = {
    "sum": lambda values: sum(values, Fraction(0)),
    "mean": lambda values: sum(values, Fraction(0)) / len(values),
    "minimum": min,
    "maximum": max,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
}


@pytest.mark.parametrize("function", ["mean", "sum", "minimum", "maximum"])
@given(of=plains(), window=st.integers(1, 12), data=st.data())
def test_rolling(function: str, of: Plain, window: int, data: st.DataObject) -> None:
    least = data.draw(st.none() | st.integers(1, window), label="minimumPeriods")
    told: Told = {}
    passed_over: set[dt.date] = set()
    observations = [*of.items()]
    for at, (date, _) in enumerate(observations):
        within = dict(observations[max(0, at - window + 1) : at + 1])
        values = [Fraction(value) for value in within.values() if value is not None]
        if len(values) < (least or window):
            told[date] = "short_window"
        else:
            told[date] = FUNCTIONS[function](values)
            passed_over |= {each for each, value in within.items() if value is None}
    members: dict[str, object] = {"of": {"series": "s"}, "window": window, "function": function}
    result = run("rolling", members | ({"minimumPeriods": least} if least else {}), s=series(of))
    assert_told(result, told)
    assert result.passed_over == len(passed_over)


STARTS: dict[str, Callable[[dt.date], dt.date]] = {
    "week": lambda date: date - dt.timedelta(days=date.weekday()),
    "month": lambda date: date.replace(day=1),
    "quarter": lambda date: date.replace(month=(date.month - 1) // 3 * 3 + 1, day=1),
    "year": lambda date: date.replace(month=1, day=1),
}


def buckets(of: Plain, frequency: str) -> dict[dt.date, list[float | None]]:
    """The values of every bucket from the first to the last, those without a date included."""
    started = STARTS[frequency]
    found: dict[dt.date, list[float | None]] = {}
    if of:
        start = started(min(of))
        while start <= max(of):
            found[start] = []
            # From any bucket's first day, so many days later is within the next one.
            start = started(
                start + dt.timedelta(days={"week": 7, "month": 31, "quarter": 92, "year": 366}[frequency])
            )
    for date, value in of.items():
        found[started(date)].append(value)
    return found


@pytest.mark.parametrize("frequency", STARTS)
@given(of=plains(), function=st.sampled_from([*FUNCTIONS]), least=st.none() | st.integers(1, 8))
def test_resample(frequency: str, of: Plain, function: str, least: int | None) -> None:
    told: Told = {}
    passed_over = 0
    for start, values in buckets(of, frequency).items():
        numbers = [Fraction(value) for value in values if value is not None]
        if not numbers:
            told[start] = "null_input" if values else "missing"
        elif len(numbers) < (least or 1):
            told[start] = "short_window"
        else:
            told[start] = FUNCTIONS[function](numbers)
            passed_over += len(values) - len(numbers)
    members: dict[str, object] = {"of": {"series": "s"}, "frequency": frequency, "function": function}
    result = run("resample", members | ({"minimumPeriods": least} if least else {}), s=series(of))
    assert_told(result, told)
    assert result.passed_over == passed_over
