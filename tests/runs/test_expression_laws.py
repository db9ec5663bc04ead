"""What holds of expressions whatever the series: identities, sums of parts, and a count of every null."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runs.points import NEAR, NUMBERS, Plain, plain, plains, run, series

from aforo.runs.expression import NullCounts, Result, evaluate, read, references
from aforo.runs.series import Series

S, T = {"series": "s"}, {"series": "t"}


def assert_close(found: Plain, wanted: Plain) -> None:
    assert [*found] == [*wanted]
    for date, value in found.items():
        other = wanted[date]
        assert (value is None) is (other is None), date
        assert value is None or other is None or math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-5), date


@given(plains())
def test_the_ratio_of_a_series_to_itself_is_one_where_there_is_something(of: Plain) -> None:
    result = run("ratio", {"numerator": S, "denominator": S}, s=series(of, "EUR"))
    assert plain(result.series) == {date: 1.0 if value else None for date, value in of.items()}
    assert result.series.unit is None
    zeros = sum(value == 0 for value in of.values())
    assert result.nulls == NullCounts(null_input=[*of.values()].count(None), division_by_zero=zeros)


@given(NEAR, NEAR, NUMBERS, NUMBERS)
def test_a_weighted_sum_is_linear(first: Plain, second: Plain, a: float, b: float) -> None:
    def weighted(*weights: float) -> Plain:
        terms = [{"of": of, "weight": weight} for of, weight in zip((S, T), weights, strict=True)]
        return plain(run("weighted_sum", {"terms": terms}, s=series(first), t=series(second)).series)

    def summed(one: float | None, other: float | None) -> float | None:
        return None if one is None or other is None else one + other

    whole, left, right = weighted(a, b), weighted(a, 0), weighted(0, b)
    assert_close(whole, {date: summed(left[date], right[date]) for date in whole})
    twice = {date: None if value is None else 2 * value for date, value in whole.items()}
    assert_close(weighted(2 * a, 2 * b), twice)


@pytest.mark.parametrize("operator", ["add", "multiply"])
@given(NEAR, NEAR)
def test_sums_and_products_do_not_ask_for_the_order(operator: str, first: Plain, second: Plain) -> None:
    given_series = {"s": series(first), "t": series(second)}
    one = run("arithmetic", {"operator": operator, "operands": [S, T]}, **given_series)
    other = run("arithmetic", {"operator": operator, "operands": [T, S]}, **given_series)
    assert plain(one.series) == plain(other.series)
    assert one.nulls.total == other.nulls.total


@given(plains(), st.integers(1, 9))
def test_what_was_before_and_its_growth_are_what_is(of: Plain, periods: int) -> None:
    growth = run("growth", {"of": S, "periods": periods, "kind": "absolute"}, s=series(of))
    told = [*plain(growth.series).values()]
    values = [*of.values()]
    for before, value, more in zip(values, values[periods:], told[periods:], strict=False):
        if before is not None and value is not None:
            assert more is not None
            assert math.isclose(before + more, value, rel_tol=1e-9, abs_tol=1e-5)
    assert growth.nulls.missing + growth.nulls.null_input == told.count(None)


@pytest.mark.parametrize("function", ["mean", "sum", "minimum", "maximum"])
@given(of=plains())
def test_a_window_of_one_changes_nothing(function: str, of: Plain) -> None:
    result = run("rolling", {"of": S, "window": 1, "function": function}, s=series(of, "EUR"))
    assert plain(result.series) == of
    assert (result.series.unit, result.passed_over) == ("EUR", 0)


@pytest.mark.parametrize("frequency", ["week", "month", "quarter", "year"])
@given(of=plains())
def test_the_buckets_sum_to_the_whole(frequency: str, of: Plain) -> None:
    result = run("resample", {"of": S, "frequency": frequency, "function": "sum"}, s=series(of))
    whole = math.fsum(value for value in of.values() if value is not None)
    assert math.isclose(np.nansum(result.series.values), whole, rel_tol=1e-9, abs_tol=1e-5)


@pytest.mark.parametrize("function", ["sum", "first", "last", "minimum", "maximum"])
@given(of=plains())
def test_quarters_may_be_gathered_from_months(function: str, of: Plain) -> None:
    """Means may not: the mean of means is another number, since months have different numbers of values."""
    members = {"frequency": "quarter", "function": function}
    months = {"type": "resample", "of": S, "frequency": "month", "function": function}
    through = run("resample", {"of": months, **members}, s=series(of))
    assert_close(plain(through.series), plain(run("resample", {"of": S, **members}, s=series(of)).series))


def test_a_null_is_counted_by_what_first_made_it_one() -> None:
    days = [dt.date(2024, 1, day) for day in range(1, 6)]
    first = dict(zip(days[:4], (1.0, None, 3.0, 4.0), strict=True))
    second = dict(zip(days[1:], (1.0, 0.0, None, 2.0), strict=True))
    share = {"type": "ratio", "numerator": S, "denominator": T}
    added = run("arithmetic", {"operator": "add", "operands": [share, S]}, s=series(first), t=series(second))
    # Lacking in t; null in s; divided by zero; null in t; lacking in s.
    assert plain(added.series) == dict.fromkeys(days)
    assert added.nulls == NullCounts(missing=2, null_input=2, division_by_zero=1)


@st.composite
def trees(draw: st.DrawFn, depth: int = 4) -> dict[str, object]:
    """Any expression over `s` and `t`, up to four nodes deep, in which each node reads a series."""
    if depth == 1:
        return draw(st.sampled_from([S, T]))

    def part() -> object:
        return draw(trees(draw(st.integers(1, depth - 1))))

    def other() -> object:
        return draw(
            st.one_of(
                trees(draw(st.integers(1, depth - 1))), NUMBERS.map(lambda number: {"constant": number})
            )
        )

    words = st.sampled_from
    match draw(words(["arithmetic", "ratio", "growth", "rolling", "resample", "weighted_sum"])):
        case "arithmetic":
            operator = draw(words(["add", "subtract", "multiply", "divide"]))
            return {"type": "arithmetic", "operator": operator, "operands": [part(), other()]}
        case "ratio":
            return {"type": "ratio", "numerator": other(), "denominator": part()}
        case "growth":
            kind, periods = draw(words(["relative", "absolute"])), draw(st.integers(1, 6))
            return {"type": "growth", "of": part(), "periods": periods, "kind": kind}
        case "rolling":
            function, window = draw(words(["mean", "sum", "minimum", "maximum"])), draw(st.integers(1, 6))
            return {"type": "rolling", "of": part(), "window": window, "function": function}
        case "resample":
            frequency = draw(words(["week", "month", "quarter", "year"]))
            function = draw(words(["sum", "mean", "first", "last", "minimum", "maximum"]))
            return {"type": "resample", "of": part(), "frequency": frequency, "function": function}
        case _:
            terms = [{"of": part(), "weight": draw(NUMBERS)}, {"of": other(), "weight": draw(NUMBERS)}]
            return {"type": "weighted_sum", "terms": terms}


def run_tree(tree: dict[str, object], **given: Series) -> Result:
    return run(str(tree["type"]), {key: value for key, value in tree.items() if key != "type"}, **given)


WILD = st.lists(st.floats(), max_size=30).map(
    lambda values: {dt.date(2024, 1, 1) + dt.timedelta(days=at): value for at, value in enumerate(values)}
)


@given(trees().filter(lambda tree: "type" in tree), WILD, WILD)
def test_every_null_of_any_expression_over_any_numbers_is_counted(
    tree: dict[str, object], first: Plain, second: Plain
) -> None:
    s, t = series(first), series(second)
    before = s.values.copy()
    result = run_tree(tree, s=s, t=t)
    values = result.series.values
    assert not np.isinf(values).any()
    assert result.nulls.total == np.isnan(values).sum()
    assert np.array_equal(s.values, before, equal_nan=True)


@given(trees().filter(lambda tree: "type" in tree), NEAR, NEAR)
def test_what_stands_within_may_be_a_metric_of_its_own(
    tree: dict[str, object], first: Plain, second: Plain
) -> None:
    """A part that is evaluated alone, and read as a series, gives the same; only causes are told less."""
    given_series = {"s": series(first), "t": series(second)}
    whole = run_tree(tree, **given_series)
    metrics: dict[str, Series] = {}

    def apart(node: object) -> object:
        if isinstance(node, dict) and "type" in node:
            code = f"metric{len(metrics)}"
            metrics[code] = run_tree(node, **given_series).series
            return {"series": code}
        if isinstance(node, dict) and "of" in node:
            return {**node, "of": apart(node["of"])}
        return [apart(each) for each in node] if isinstance(node, list) else node

    outer = {key: value if key == "type" else apart(value) for key, value in tree.items()}
    found = run_tree(outer, **given_series, **metrics)
    assert plain(found.series) == plain(whole.series)
    assert found.nulls.total == whole.nulls.total


def test_an_infinite_value_of_a_series_is_null_as_overflow() -> None:
    days = np.arange("2024-01-01", "2024-01-05", dtype="datetime64[D]")
    given_series = Series(days, np.array([1.0, math.inf, -math.inf, math.nan]))
    result = run("rolling", {"of": S, "window": 1, "function": "sum", "minimumPeriods": 1}, s=given_series)
    assert result.nulls == NullCounts(short_window=3)
    added = run("arithmetic", {"operator": "add", "operands": [S, {"constant": 1}]}, s=given_series)
    assert added.nulls == NullCounts(overflow=2, null_input=1)


def test_a_number_that_is_too_large_is_null_as_overflow() -> None:
    of = {dt.date(2024, 1, 1): 1e308, dt.date(2024, 1, 2): -1e308}
    for kind, members in (
        ("arithmetic", {"operator": "multiply", "operands": [S, S]}),
        ("ratio", {"numerator": S, "denominator": {"constant": 1e-300}}),
        ("weighted_sum", {"terms": [{"of": S, "weight": 10}]}),
    ):
        result = run(kind, members, s=series(of))
        assert result.nulls == NullCounts(overflow=2), kind
    growth = run("growth", {"of": S, "periods": 1, "kind": "absolute"}, s=series(of))
    assert growth.nulls == NullCounts(missing=1, overflow=1)


def test_a_value_outside_a_window_never_touches_its_sum() -> None:
    """A sum that is carried along would keep what 1e16 left of the ones, and be 0 here for ever after."""
    days = np.arange("2024-01-01", "2024-02-01", dtype="datetime64[D]")
    values = np.ones(len(days))
    values[3] = 1e16
    result = run("rolling", {"of": S, "window": 3, "function": "sum"}, s=Series(days, values))
    assert result.series.values[6:].tolist() == [3.0] * (len(days) - 6)


def test_the_series_that_are_read_are_told_once_each() -> None:
    members = {"numerator": S, "denominator": {"type": "growth", "of": T, "periods": 1, "kind": "relative"}}
    assert references(read("ratio", members, units=None)) == {"s", "t"}


def test_an_empty_series_gives_an_empty_result() -> None:
    for kind, members in (
        ("growth", {"of": S, "periods": 2, "kind": "relative"}),
        ("rolling", {"of": S, "window": 3, "function": "mean"}),
        ("resample", {"of": S, "frequency": "week", "function": "sum"}),
        ("ratio", {"numerator": S, "denominator": S}),
    ):
        result = evaluate(read(kind, members, units=None), {"s": series({})})
        assert (len(result.series), result.nulls.total) == (0, 0), kind
