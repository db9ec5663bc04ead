"""A name that an object says twice is refused, however it is hidden, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.http.conftest import House, codes

from aforo.errors import NotJson
from aforo.http import examples
from aforo.http.doubled import refuse_doubled, suspected

EVENT = json.dumps(examples.UA_1545)
TWICE = [
    EVENT.replace('"tenant"', '"tenant": "lax", "tenant"'),
    EVENT.replace('"tenant"', '"tenant" : "lax", "tenant"'),
    EVENT.replace('"tenant"', '"tenant"\n:"lax", "tenant"'),
    EVENT.replace('"tenant"', '"t\\u0065nant": "lax", "tenant"'),
    EVENT.replace('"carrier"', '"carrier": "AA", "carrier"'),
    EVENT.replace('"carrier"', '"carrier": null, "carrier"'),
    EVENT.replace('"carrier"', '"deep": [{"a": 1, "a": 2}], "carrier"'),
    EVENT.replace('"tenant"', '"tenant": "\\":", "tenant" : "a", "tenant"'),
]


@pytest.mark.parametrize("text", TWICE, ids=range(len(TWICE)))
@pytest.mark.parametrize("around", ["{}", '{{"events": [{}]}}'], ids=["one", "list"])
def test_an_event_that_says_a_name_twice(house: House, client: TestClient, text: str, around: str) -> None:
    body = around.format(text)
    reply = client.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["code"]) == (400, "not_json")
    assert " twice" in reply.json()["detail"]
    assert house.rooms.engine.statistics().outcomes == {}


def test_a_body_that_says_its_events_twice(shared: TestClient) -> None:
    body = '{"events": [], "events": []}'
    reply = shared.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    assert reply.json()["detail"] == 'an object in the body says "events" twice'


def test_a_question_that_says_a_name_twice(shared: TestClient) -> None:
    body = '{"tenant": "nyc", "tenant": "lax", "metrics": ["flights"]}'
    reply = shared.post("/v1/query", content=body, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["detail"]) == (400, 'an object in the body says "tenant" twice')


def test_of_lines_only_those_are_refused(shared: TestClient) -> None:
    lines = "\n".join([EVENT, *TWICE[:1], "no json", TWICE[3], EVENT])
    reply = shared.post("/v1/events", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert codes(reply.json()) == [(1, "not_an_object"), (2, "not_an_object"), (3, "not_an_object")]
    assert "tenant twice in an object" in reply.json()["refused"][0]["detail"]
    assert reply.json()["accepted"] + reply.json()["duplicates"] == 2


class Twice(dict[str, Any]):
    """An object that is written with its first name said again."""


def written(value: object, spaced: bool) -> str:
    colon = " :\t" if spaced else ":"
    if isinstance(value, dict):
        items = list(value.items())
        items += items[:1] if isinstance(value, Twice) else []
        return "{" + ",".join(f"{json.dumps(key)}{colon}{written(each, spaced)}" for key, each in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(each, spaced) for each in value) + "]"
    return json.dumps(value)


names = st.sampled_from(["stream", "fields", "events", '"', '":', "\\", " :", "é"]) | st.text(max_size=3)
leaves = st.none() | st.integers() | names
objects = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(names, inner, max_size=4)
        | st.dictionaries(names, inner, min_size=1, max_size=2).map(Twice)
    ),
    max_leaves=8,
)


def says_twice(value: object) -> bool:
    if isinstance(value, dict):
        return isinstance(value, Twice) or any(map(says_twice, value.values()))
    return isinstance(value, list) and any(map(says_twice, value))


@given(st.lists(st.dictionaries(names, objects, max_size=4) | objects, max_size=4), st.booleans())
@example([Twice(a=1)], False)
def test_none_is_missed_and_none_is_invented(events: list[object], spaced: bool) -> None:
    text = written({"events": events}, spaced).encode("utf-8", "surrogatepass")
    decoded = msgspec.json.decode(text)["events"]
    if says_twice(events):
        assert suspected(text, decoded, above=1)
        with pytest.raises(NotJson, match="twice"):
            refuse_doubled(text)
    else:
        refuse_doubled(text)


def test_what_is_written_as_usual_costs_no_second_look() -> None:
    """Times, escapes and addresses hold colons; none of them is behind a quote or a space."""
    fields = {"url": "https://example.org/a:b", "note": 'said "no": \\ why', "time": "12:00"}
    event = {"stream": "s", "time": "2024-01-01T00:00:00+01:00", "fields": {**fields, "note": "fine"}}
    for text in (json.dumps(event), json.dumps(event, indent=2), json.dumps(event, separators=(",", ":"))):
        assert not suspected(text.encode(), [event])
    event["fields"] = fields
    assert suspected(json.dumps(event).encode(), [event])
