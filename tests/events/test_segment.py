"""Calls become drafts: the rules choose the stream, the paths find the values, and nothing is coerced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.http.shop import SHOP

from aforo.events.draft import Draft
from aforo.events.refusals import Refusal
from aforo.events.segment import Switch, found
from aforo.model.segment import Call, Keys

SWITCH = Switch(SHOP)
ORDER: Mapping[str, Any] = {
    "type": "track",
    "messageId": "m-1",
    "timestamp": "2013-01-31T17:05:00Z",
    "event": "Order Completed",
    "userId": "u-1",
    "properties": {"total": 5, "order": "o-1"},
    "context": {"page": {"path": "/"}},
}
VIEW: Mapping[str, Any] = {"type": "page", "timestamp": "2013-01-31T17:05:00Z"}


def taken(*calls: object, **more: Any) -> tuple[dict[str, Draft], list[Refusal]]:
    drafts, refusals = SWITCH.drafts(calls, **more)
    return {draft.stream.name: draft for draft in drafts}, refusals


def row(draft: Draft, at: int = 0) -> dict[str, object]:
    return {name: column[at] for name, column in draft.columns.items()}


def value(call: Mapping[str, Any], stream: str, name: str, **more: Any) -> object:
    return row(taken(call, **more)[0][stream])[name]


def test_a_call_becomes_the_event_of_every_stream_that_takes_it() -> None:
    drafts, refusals = taken(ORDER)
    assert refusals == []
    named = {"id": "m-1", "time": "2013-01-31T17:05:00Z"}
    assert row(drafts["orders"]) == {**named, "total": 5, "page": "/", "visitor": "u-1"}
    assert row(drafts["bought"]) == {**named, "order": "o-1"}
    assert drafts.keys() == {"orders", "bought"}


def test_rows_keep_the_places_of_their_calls() -> None:
    drafts, refusals = taken(VIEW, "x", ORDER, VIEW, {**ORDER, "event": "Order Complete"})
    assert drafts["views"].index.tolist() == [0, 3]
    assert drafts["orders"].index.tolist() == [2]
    assert [(each.index, str(each.code)) for each in refusals] == [
        (1, "not_an_object"),
        (4, "unknown_stream"),
    ]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            {**ORDER, "event": "order completed"},
            'track call "order completed", did you mean "Order Completed"?',
        ),
        ({**ORDER, "event": "Zzz"}, 'no stream takes the track call "Zzz"'),
        ({**ORDER, "event": ["Order Completed"]}, 'the track call ["Order Completed"]'),
        ({**ORDER, "type": "trac"}, 'type: came "trac", did you mean track?'),
        ({**ORDER, "type": "Track"}, 'type: came "Track", did you mean track?'),
        ({**ORDER, "type": 7}, "type: came 7, wanted one of track, page, screen, identify, group, alias"),
        ({"event": "Order Completed"}, "type: missing, wanted one of track"),
    ],
)
def test_a_call_that_no_stream_takes_is_told_why(call: object, said: str) -> None:
    drafts, (refusal,) = taken(call)
    assert drafts == {}
    assert str(refusal.code) == "unknown_stream"
    assert said in refusal.detail


def test_the_address_says_what_the_call_is() -> None:
    drafts, _ = taken({**ORDER, "type": "track"}, kind=Call.PAGE)
    assert drafts.keys() == {"views"}
    drafts, _ = taken({key: said for key, said in ORDER.items() if key != "type"}, kind=Call.TRACK)
    assert drafts.keys() == {"orders", "bought"}


@pytest.mark.parametrize(
    ("user", "anonymous", "visitor"),
    [("u", "a", "u"), (None, "a", "a"), ("", "a", ""), (None, None, None), (7, "a", 7), (False, "a", False)],
)
def test_of_several_paths_the_first_that_is_there_counts(
    user: object, anonymous: object, visitor: object
) -> None:
    assert value({**ORDER, "userId": user, "anonymousId": anonymous}, "orders", "visitor") == visitor


def test_what_a_path_meets_on_its_way_is_shown_and_fits_no_field() -> None:
    assert value({**ORDER, "context": {"page": "/"}}, "orders", "page") == {"context.page": "/"}
    assert value({**ORDER, "context": []}, "orders", "page") == {"context": []}
    assert value({**ORDER, "context": {"page": None}}, "orders", "page") is None
    assert value({**ORDER, "properties": None}, "orders", "total") is None


def test_the_context_of_a_batch_holds_where_a_call_says_nothing() -> None:
    shared = {"context": {"page": {"path": "/batch", "title": "Batch"}}}
    assert value(ORDER, "orders", "page", shared=shared) == "/"
    assert value({**ORDER, "context": {}}, "orders", "page", shared=shared) == "/batch"
    assert value({**ORDER, "context": {"page": {}}}, "orders", "page", shared=shared) == "/batch"


def test_a_call_without_an_id_is_named_by_all_that_it_says() -> None:
    """Also by what no field takes; never by what a library writes anew when it sends again."""
    names = [
        value(call, "views", "id")
        for call in (
            VIEW,
            {**VIEW, "sentAt": "2013-02-01T00:00:00Z", "writeKey": "key"},
            {**VIEW, "messageId": ""},
            {**VIEW, "anonymousId": "a"},
            {**VIEW, "context": {"ip": "::1"}},
            {**VIEW, "timestamp": "2013-01-31T17:05:01Z"},
        )
    ]
    assert names[0] == names[1]
    assert len(set(names)) == 5
    assert all(isinstance(name, str) and len(name) == 32 for name in names)
    reordered = dict(reversed(VIEW.items()))
    assert value(reordered, "views", "id") == names[0]
    assert value(VIEW, "views", "id", shared={"context": {"ip": "::1"}}) not in names


def test_a_call_with_neither_an_id_nor_a_time_has_none() -> None:
    assert value({"type": "page"}, "views", "id") is None


def test_a_stream_that_makes_ids_makes_them_of_calls_without_one() -> None:
    unnamed = {key: said for key, said in ORDER.items() if key != "messageId"}
    assert value(unnamed, "bought", "id") is None
    assert value(unnamed, "orders", "id") is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(tuple)


@given(st.dictionaries(st.sampled_from("abc"), json_values, max_size=3), paths)
def test_what_is_found_is_what_stands_there(call: dict[str, Any], keys: Keys) -> None:
    """Step by step: each key of the path is looked up in what the one before gave."""
    came: Any = call
    astray = None
    for depth, key in enumerate(keys):
        if not isinstance(came, dict):
            astray = None if came is None else {".".join(keys[:depth]): came}
            break
        came = came.get(key)
    else:
        astray = came
    assert found(call, keys) == astray


keys_of_calls = st.sampled_from(
    [*Call.TRACK.texts, "name", "category", "properties", "traits", "context", "event", "sentAt"]
)
calls = st.one_of(
    json_values,
    st.dictionaries(keys_of_calls, json_values, max_size=6),
    st.builds(
        lambda call, kind: {**call, "type": str(kind)},
        st.dictionaries(keys_of_calls, json_values, max_size=6),
        st.sampled_from(Call),
    ),
)


@given(st.lists(calls, max_size=5))
def test_every_call_is_taken_or_refused_and_never_both(batch: list[object]) -> None:
    drafts, refusals = SWITCH.drafts(batch)
    refused = {each.index for each in refusals}
    rows = [(draft.stream.name, at) for draft in drafts for at in draft.index.tolist()]
    assert len(rows) == len(set(rows))
    assert {at for _, at in rows} | refused == set(range(len(batch)))
    assert not {at for _, at in rows} & refused
    assert all(len(column) == draft.rows for draft in drafts for column in draft.columns.values())
