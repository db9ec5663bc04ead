"""What a metric is made from, and what is made from it, in an order in which it can be computed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.errors import Conflict, UnknownName
from aforo.runs.lineage import Graph

SHOP = Graph(
    {
        "margin_growth": ["margin"],
        "margin": ["profit", "revenue"],
        "profit": ["revenue", "costs"],
        "visits_growth": ["visits"],
    }
)


def test_up_is_what_a_metric_is_made_from() -> None:
    assert SHOP.up("margin_growth") == ("costs", "revenue", "profit", "margin")
    assert SHOP.up("visits") == ()


def test_down_is_what_is_made_from_a_code() -> None:
    assert SHOP.down("costs") == ("profit", "margin", "margin_growth")
    assert SHOP.down("margin_growth") == ()


def test_a_code_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as raised:
        SHOP.up("cots")
    assert str(raised.value) == "there is no series or metric named 'cots'\nhint: did you mean 'costs'?"


def test_what_uses_nothing_in_a_ring_has_no_cycle() -> None:
    assert SHOP.cycle() is None
    assert Graph({}).cycle() is None


def test_a_cycle_is_named_in_order_from_its_first_name() -> None:
    ring = Graph({"c": ["a"], "a": ["b", "x"], "b": ["c"], "outside": ["a"]})
    assert ring.cycle() == ("a", "b", "c", "a")
    assert Graph({"self": ["self"]}).cycle() == ("self", "self")


def test_a_lineage_through_a_ring_is_refused_and_one_beside_it_is_not() -> None:
    graph = Graph({"a": ["b"], "b": ["a"], "sound": ["x"]})
    with pytest.raises(Conflict, match="these metrics use each other in a ring: a → b → a"):
        graph.up("a")
    with pytest.raises(Conflict, match="a → b → a"):
        graph.down("b")
    assert graph.up("sound") == ("x",)


def test_a_long_chain_is_no_deep_recursion() -> None:
    chain = Graph({f"{at:05}": [f"{at + 1:05}"] for at in range(20_000)})
    assert chain.cycle() is None
    assert len(chain.up("00000")) == len(chain.down("20000")) == 20_000


CODES = st.sampled_from("abcdefgh")
USES = st.dictionaries(CODES, st.sets(CODES, max_size=4), max_size=8)


@given(USES)
def test_a_cycle_is_one_of_the_graph_and_is_found_wherever_there_is_one(uses: dict[str, set[str]]) -> None:
    def reaches(here: str, there: str) -> bool:
        met, waiting = set[str](), [here]
        while waiting:
            for each in uses.get(waiting.pop(), set()) - met:
                met.add(each)
                waiting.append(each)
        return there in met

    ring = Graph(uses).cycle()
    assert (ring is not None) is any(reaches(code, code) for code in uses)
    if ring is not None:
        assert ring[0] == ring[-1] == min(ring)
        assert all(after in uses[before] for before, after in pairwise(ring))
        assert len({*ring}) == len(ring) - 1


@given(USES)
def test_up_and_down_mirror_each_other_and_come_in_order(uses: dict[str, set[str]]) -> None:
    graph = Graph({code: {each for each in used if each > code} for code, used in uses.items()})
    codes = {*uses, *(each for code, used in uses.items() for each in used if each > code)}
    for code in codes:
        above = graph.up(code)
        assert all(code in graph.down(each) for each in above)
        assert all(each in codes and each > code for each in above)
        for at, each in enumerate(above):
            assert set(graph.up(each)) <= set(above[:at])
