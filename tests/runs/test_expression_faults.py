"""Every fault of an expression is told at once, at its place, with what came and what was wanted.

The cases are in `faulty/expressions.txt`: `== title: type`, the members in JSON, and a line `! code: fault`
for each fault that must be told.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runs.points import series

from aforo.errors import InvalidExpression
from aforo.runs.expression import evaluate, read, references
from aforo.runs.expression.faults import FaultCode
from aforo.runs.expression.kinds import KINDS

CASES = (
    (Path(__file__).parent / "faulty" / "expressions.txt")
    .read_text("utf-8")
    .removeprefix("== ")
    .split("\n== ")
)
UNITS = {"revenue": "EUR", "costs": "EUR", "visits": "visit", "rate": None, "odd": "EUR//visit"}
REVENUE = {"series": "revenue"}
ROLLING = {"window": 7, "function": "mean"}


def refused(kind: str, members: object) -> InvalidExpression:
    with pytest.raises(InvalidExpression) as raised:
        read(kind, members, units=UNITS)
    return raised.value


@pytest.mark.parametrize("case", CASES, ids=[case.partition(":")[0] for case in CASES])
def test_the_faults_of_a_case(case: str) -> None:
    title, *lines = case.splitlines()
    members = json.loads("\n".join(line for line in lines if not line.startswith("! ")))
    error = refused(title.rpartition(": ")[2], members)
    told = [f"! {fault.code}: {fault}" for fault in error.faults]
    assert told == [line for line in lines if line.startswith("! ")]
    assert told


def test_every_code_is_told_by_some_case() -> None:
    told = {code for code in FaultCode for case in CASES if f"\n! {code}: " in case}
    assert told | {FaultCode.TOO_DEEP, FaultCode.TOO_LARGE} == set(FaultCode)


def test_the_whole_message() -> None:
    assert str(refused("growth", {"of": REVENUE, "period": 4, "kind": "relative"})) == "\n".join(
        [
            "the expression has 2 faults",
            "  expressionJson.period: 'period' means nothing here; did you mean 'periods'?",
            "  expressionJson: 'periods' is missing: a whole number from 1 to 10000",
            "hint: each kind of expression with its members is told in docs/reference/expressions.md",
        ]
    )


@pytest.mark.parametrize("kind", [None, 3, ["ratio"]])
def test_a_type_that_is_no_text(kind: Any) -> None:
    (fault,) = refused(kind, {}).faults
    assert (fault.path, fault.code) == ("expressionType", FaultCode.WRONG_TYPE)


def nested(levels: int) -> object:
    """A series within so many other nodes that there are `levels` in all, the whole expression included."""
    node: dict[str, object] = dict(REVENUE)
    for _ in range(levels - 2):
        node = {"type": "rolling", "of": node, **ROLLING}
    return {"of": node, **ROLLING}


def test_sixteen_levels_and_no_more() -> None:
    read("rolling", nested(16), units=UNITS)
    (fault,) = refused("rolling", nested(17)).faults
    assert fault.path == "expressionJson" + ".of" * 16
    assert (fault.code, fault.message) == (FaultCode.TOO_DEEP, "more than 16 nodes stand within one another")


def test_nothing_is_read_below_the_deepest_level() -> None:
    assert len(refused("rolling", nested(100_000)).faults) == 1


def terms(nodes: int) -> object:
    return {"terms": [{"of": REVENUE, "weight": 1}] * (nodes - 1)}


def test_256_nodes_and_no_more() -> None:
    read("weighted_sum", terms(256), units=UNITS)
    (fault,) = refused("weighted_sum", terms(257)).faults
    assert (fault.path, fault.code) == ("expressionJson.terms[255].of", FaultCode.TOO_LARGE)
    assert fault.message == "the expression has more than 256 nodes"


def test_a_list_that_is_far_too_long_is_not_walked() -> None:
    (fault,) = refused("arithmetic", {"operator": "add", "operands": [{}] * 1_000_000}).faults
    assert fault.message == "a list of 1000000 came where a list of 2 to 256 (an expression each) was wanted"


def test_more_faults_than_anybody_reads_are_not_told() -> None:
    error = refused("weighted_sum", {f"m{at}": at for at in range(100_000)} | {"terms": [{}] * 200})
    assert error.detail == "the expression has 100 faults, or more"
    assert len(error.faults) == 100


def test_the_nearest_of_very_many_names_is_looked_for_a_few_times_only() -> None:
    units = {f"series{at:04}": None for at in range(9_000)}
    terms = [{"of": {"series": f"serie{at:04}"}, "weight": 1} for at in range(4)]
    with pytest.raises(InvalidExpression) as raised:
        read("weighted_sum", {"terms": terms}, units=units)
    near = ["; did you mean" in fault.message for fault in raised.value.faults]
    assert near == [True, True, False, False]


def test_what_came_is_shown_shortly() -> None:
    long = "x" * 100_000
    error = refused("rolling", {long: 1, "of": {"type": long}, "window": long, "function": long})
    assert len(error.faults) == 4
    assert len(str(error)) < 1_200


def test_what_no_reply_can_hold_is_told_in_other_letters() -> None:
    lone = json.loads('"\\ud800"')
    error = refused("ratio", {lone: 1, "numerator": {"series": lone}, "denominator": {"type": lone}})
    assert error.faults[0].path == "expressionJson.\\ud800"
    assert str(error).encode("utf-8")


MEMBERS = {member.key for kind in KINDS.values() for member in kind.MEMBERS}
OTHER_WORDS = ["type", "series", "constant", "weight", "revenue", "add", "mean", "month", "relative"]
WORDS = st.sampled_from([*KINDS, *sorted(MEMBERS), *OTHER_WORDS])
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS, st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=5)),
    max_leaves=40,
)


@given(st.sampled_from([*KINDS]) | ANYTHING, ANYTHING)
def test_whatever_comes_is_an_expression_or_has_faults_with_places(kind: Any, members: object) -> None:
    try:
        assert references(read(kind, members, units=UNITS)) <= set(UNITS)
    except InvalidExpression as error:
        paths = [fault.path for fault in error.faults]
    else:
        return
    assert paths
    assert all(path.startswith(("expressionType", "expressionJson")) for path in paths)


def test_without_units_neither_names_nor_units_are_checked() -> None:
    members = {"operator": "add", "operands": [{"series": "any"}, {"series": "other"}]}
    assert read("arithmetic", members, units=None)


def test_what_is_evaluated_has_its_series_and_their_units_agree() -> None:
    members = {"operator": "add", "operands": [REVENUE, {"series": "costs"}]}
    expression = read("arithmetic", members, units=UNITS)
    with pytest.raises(InvalidExpression, match="no series or metric named 'costs'"):
        evaluate(expression, {"revenue": series({}, "EUR")})
    with pytest.raises(InvalidExpression, match=r"operands\[0\] is in 'EUR' and operands\[1\] is in 'USD'"):
        evaluate(expression, {"revenue": series({}, "EUR"), "costs": series({}, "USD")})
