"""Units are joined as the values are, and written so that they are read back to the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runs.points import run, series

from aforo.errors import InvalidExpression
from aforo.runs.expression import read, unit_of
from aforo.runs.expression.unit import Unit, UnitsDisagree

NAMES = st.sampled_from(["EUR", "visit", "hour", "billions of 2005 dollars", "%", "m²"])
UNITS = st.dictionaries(NAMES, st.integers(-4, 4)).map(Unit.of)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (None, None),
        ("  ", None),
        ("1", None),
        ("EUR", "EUR"),
        ("EUR / visit", "EUR/visit"),
        ("1/hour", "1/hour"),
        ("visit*EUR/hour/hour", "EUR*visit/hour^2"),
        ("m^2/m", "m"),
        ("EUR/EUR", None),
        ("billions  of 2005 dollars", "billions of 2005 dollars"),
        ("%", "%"),
    ],
)
def test_units_as_they_are_written(text: str | None, written: str | None) -> None:
    assert Unit.read(text).text == written


@pytest.mark.parametrize(
    "text", ["EUR//visit", "/visit", "EUR*", "m^", "m^0", "m^-1", "m^1000", "^2", "x" * 201]
)
def test_what_is_no_unit(text: str) -> None:
    with pytest.raises(UnitsDisagree):
        Unit.read(text)


def test_units_grow_no_further_than_they_can_be_written() -> None:
    long, longer = Unit.read("x" * 120), Unit.read("y" * 120)
    with pytest.raises(UnitsDisagree, match="the unit would be longer than 200 characters"):
        long.per(longer)
    with pytest.raises(UnitsDisagree, match="the unit would have a power above 999"):
        Unit.read("m^999").times(Unit.read("m"))


@given(UNITS)
def test_a_unit_is_read_back_as_it_was_written(unit: Unit) -> None:
    assert Unit.read(unit.text) == unit


@given(UNITS, UNITS)
def test_a_quotient_undoes_a_product(first: Unit, second: Unit) -> None:
    assert first.times(second).per(second) == first
    assert first.times(second) == second.times(first)
    assert first.per(first) == Unit()


@pytest.mark.parametrize(
    ("kind", "members", "unit"),
    [
        ("arithmetic", {"operator": "add", "operands": ["eur", 5, "eur"]}, "EUR"),
        ("arithmetic", {"operator": "subtract", "operands": [5, "eur"]}, "EUR"),
        ("arithmetic", {"operator": "multiply", "operands": ["eur", 2, "visit", "visit"]}, "EUR*visit^2"),
        ("arithmetic", {"operator": "divide", "operands": ["eur", "visit", "hour"]}, "EUR/hour/visit"),
        ("arithmetic", {"operator": "divide", "operands": [1, "hour"]}, "1/hour"),
        ("ratio", {"numerator": "eur", "denominator": "eur", "scale": 100}, None),
        ("ratio", {"numerator": "eur", "denominator": "visit"}, "EUR/visit"),
        ("ratio", {"numerator": "per_hour", "denominator": 2}, "EUR/hour"),
        ("arithmetic", {"operator": "multiply", "operands": ["per_hour", "hour"]}, "EUR"),
        ("growth", {"of": "eur", "periods": 1, "kind": "relative"}, None),
        ("growth", {"of": "eur", "periods": 1, "kind": "absolute"}, "EUR"),
        ("rolling", {"of": "eur", "window": 2, "function": "mean"}, "EUR"),
        ("resample", {"of": "eur", "frequency": "week", "function": "sum"}, "EUR"),
        ("weighted_sum", {"terms": [{"of": "eur", "weight": 2}, {"of": 3, "weight": 1}]}, "EUR"),
    ],
)
def test_the_unit_of_each_kind(kind: str, members: dict[str, object], unit: str | None) -> None:
    units = {"eur": "EUR", "visit": "visit", "hour": "hour", "per_hour": "EUR/hour"}

    def node(written: object) -> object:
        if isinstance(written, list):
            return [node(each) for each in written]
        if isinstance(written, dict):
            return {key: node(value) if key == "of" else value for key, value in written.items()}
        if isinstance(written, str):
            return {"series": written}
        return {"constant": written}

    parts = {"operands", "numerator", "denominator", "of", "terms"}
    written = {key: node(value) if key in parts else value for key, value in members.items()}
    assert unit_of(read(kind, written, units=units), units) == unit
    result = run(kind, written, **{code: series({}, each) for code, each in units.items()})
    assert result.series.unit == unit


def test_the_unit_over_what_is_not_there_is_an_error() -> None:
    expression = read("rolling", {"of": {"series": "eur"}, "window": 2, "function": "mean"}, units=None)
    with pytest.raises(InvalidExpression, match="no series or metric named 'eur'"):
        unit_of(expression, {})
