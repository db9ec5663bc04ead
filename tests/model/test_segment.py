"""Rules for Segment's calls: how they may be written, and where fields are that a rule says nothing of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.errors import InvalidRequest
from aforo.model.reading import read_model
from aforo.model.segment import Call, CallRule, keys_of, path_of
from aforo.model.stream import Stream

STREAM = """
streams:
  sales:
    fields: {total: number, page: string, user_id: string, name: string, event: string, group_id: string}
    measures: {sold: count}
"""


def stream(rules: str = "") -> Stream:
    return read_model(f"{STREAM}    {rules}\n", source="sales.yaml").streams["sales"]


def rules(written: str) -> tuple[CallRule, ...]:
    return stream(f"segment: {written}").segment


def test_a_stream_takes_no_calls_unless_it_says_so() -> None:
    assert stream().segment == ()


@pytest.mark.parametrize(
    "written", ["page", "[page]", "{call: page}", "[{call: page}]", "{call: [page]}", "[{call: [page]}]"]
)
def test_short_forms(written: str) -> None:
    assert rules(written) == (CallRule(calls=(Call.PAGE,)),)


def test_a_rule_in_full() -> None:
    (rule,) = rules(
        "{call: [track, screen], event: [Sold, 'Sold Again'], "
        "fields: {page: context.page.path, user_id: [userId, anonymousId], total: 'properties.net\\.total'}}"
    )
    assert rule.calls == (Call.TRACK, Call.SCREEN)
    assert rule.events == ("Sold", "Sold Again")
    assert rule.fields == {
        "page": (("context", "page", "path"),),
        "user_id": (("userId",), ("anonymousId",)),
        "total": (("properties", "net.total"),),
    }


def test_one_event_needs_no_list() -> None:
    assert rules("{call: track, event: Sold}") == rules("[{call: track, event: [Sold]}]")


def test_an_empty_list_of_rules_takes_nothing() -> None:
    assert rules("[]") == ()


def test_which_calls_are_meant() -> None:
    (named,) = rules("{call: [track, page], event: Sold}")
    assert named.takes(Call.TRACK, "Sold")
    assert named.takes(Call.PAGE, None)
    for event in ("sold", "Sold ", None, ["Sold"], 5):
        assert not named.takes(Call.TRACK, event)
    assert not named.takes(Call.SCREEN, "Sold")
    (every,) = rules("track")
    assert every.takes(Call.TRACK, None)


@pytest.mark.parametrize(
    ("call", "field", "path"),
    [
        (Call.TRACK, "total", "properties.total"),
        (Call.PAGE, "total", "properties.total"),
        (Call.SCREEN, "total", "properties.total"),
        (Call.IDENTIFY, "total", "traits.total"),
        (Call.GROUP, "total", "traits.total"),
        (Call.ALIAS, "total", None),
        (Call.TRACK, "user_id", "userId"),
        (Call.ALIAS, "user_id", "userId"),
        (Call.TRACK, "event", "event"),
        (Call.PAGE, "event", "properties.event"),
        (Call.PAGE, "name", "name"),
        (Call.SCREEN, "name", "name"),
        (Call.TRACK, "name", "properties.name"),
        (Call.IDENTIFY, "name", "traits.name"),
        (Call.GROUP, "group_id", "groupId"),
        (Call.TRACK, "group_id", "properties.group_id"),
    ],
)
def test_where_a_field_is_unless_a_rule_says_otherwise(call: Call, field: str, path: str | None) -> None:
    assert CallRule(calls=(call,)).sources(field, call) == (() if path is None else (keys_of(path),))


def test_a_rule_tells_each_call_only_what_it_can_have() -> None:
    (rule,) = rules("{call: [page, identify], fields: {total: [properties.total, traits.total]}}")
    assert rule.sources("total", Call.PAGE) == (("properties", "total"),)
    assert rule.sources("total", Call.IDENTIFY) == (("traits", "total"),)


@given(st.lists(st.text(min_size=1), min_size=1))
def test_a_path_is_read_back_to_its_keys(keys: list[str]) -> None:
    assert keys_of(path_of(tuple(keys))) == tuple(keys)


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b"])
def test_a_path_has_no_empty_key(text: str) -> None:
    with pytest.raises(InvalidRequest):
        keys_of(text)


def test_a_backslash_at_the_end_is_a_key_of_its_own() -> None:
    assert keys_of("a.b\\") == ("a", "b\\")
