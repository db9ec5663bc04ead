"""Segment's addresses: what its libraries send, what they are told, and what is counted of it."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from tests.http.conftest import BODY_LIMIT, EVENTS_LIMIT, NOW, House, codes, settings_in, standing
from tests.http.shop import SHOP
from tests.http.test_reference import within

from aforo.errors import Forbidden, NotAuthorised
from aforo.http import segment_about
from aforo.http.caller import ANYONE, Caller, KeyScope
from aforo.http.segment import tenant_of
from aforo.model.segment import Call
from aforo.windows import DAY, Window, parse_instant

FOREVER = Window(NOW - 400 * DAY, NOW + 400 * DAY)
ORDER: dict[str, Any] = {
    "messageId": "m-1",
    "timestamp": "2013-01-31T17:05:00Z",
    "event": "Order Completed",
    "userId": "u-1",
    "properties": {"total": 5, "order": "o-1"},
}
CORNER = ("corner", "")


@pytest.fixture
def shop(tmp_path: Any) -> Iterator[House]:
    yield from standing(settings_in(tmp_path), SHOP)


@pytest.fixture
def client(shop: House) -> Iterator[TestClient]:
    with shop.client() as client:
        yield client


def events(shop: House, stream: str, tenant: str = "corner") -> int:
    return shop.rooms.engine.estimate_raw(stream, tenant, FOREVER)


def batch(client: TestClient, *calls: object, **more: Any) -> Any:
    return client.post("/v1/batch", json={"batch": calls, **more}, auth=CORNER)


def test_one_call(shop: House, client: TestClient) -> None:
    reply = client.post("/v1/track", json=ORDER, auth=CORNER)
    assert reply.status_code == 200
    assert reply.json() == {
        "success": True,
        "accepted": 2,
        "duplicates": 0,
        "refused": [],
        "completeUntil": "2013-01-31T17:00:00+00:00",
    }
    assert (events(shop, "orders"), events(shop, "bought")) == (1, 1)


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/import"])
def test_a_batch_of_every_kind(shop: House, client: TestClient, path: str) -> None:
    calls = [{"type": str(kind), **call} for kind, call in segment_about.CALLS.items()]
    reply = client.post(path, json={"batch": calls}, auth=CORNER).json()
    assert [events(shop, name) for name in ("orders", "views", "people", "teams", "merges")] == [
        1,
        2,
        1,
        1,
        1,
    ]
    assert codes(reply) == [(0, "missing_field")]  # the example names no order, which `bought` wants


@pytest.mark.parametrize("kind", Call)
def test_each_kind_has_an_address(client: TestClient, kind: Call) -> None:
    reply = client.post(f"/v1/{kind}", json=segment_about.CALLS[kind], auth=CORNER)
    assert (reply.status_code, reply.json()["accepted"]) == (200, 1)
    (example,) = segment_about.REPLIES.values()
    if kind is not Call.TRACK:
        within(example, reply.json())


def test_the_example_of_a_batch_is_what_happens(client: TestClient) -> None:
    ((title, body),) = segment_about.BATCHES.items()
    reply = client.post("/v1/batch", json=body, auth=CORNER).json()
    reply["refused"] = [each for each in reply["refused"] if each["code"] != "missing_field"]
    within(segment_about.BATCH_REPLIES[title], reply)


def test_a_call_that_is_sent_again_counts_once(shop: House, client: TestClient) -> None:
    call = {**ORDER, "type": "track"}
    assert batch(client, call, call).json()["duplicates"] == 2
    assert client.post("/v1/track", json={**ORDER, "sentAt": "now"}, auth=CORNER).json()["duplicates"] == 2
    assert events(shop, "orders") == 1


def test_time_is_the_timestamp_and_sent_at_corrects_nothing(shop: House, client: TestClient) -> None:
    batch(client, {**ORDER, "type": "track"}, sentAt="2012-01-01T00:00:00Z")
    first = next(each for each in shop.rooms.engine.statistics().streams if each.stream == "orders").first
    assert first == parse_instant("2013-01-31T17:00:00Z")  # the slot it was in


def test_a_call_without_a_time_takes_its_arrivals_and_is_known_for_a_day(client: TestClient) -> None:
    call = {"type": "page", "messageId": "m-2"}
    assert batch(client, call).json()["accepted"] == 1
    assert batch(client, call).json()["duplicates"] == 1
    nameless = batch(client, {"type": "page"}, {"type": "page"}).json()
    assert nameless["accepted"] == 2
    assert [given["index"] for given in nameless["ids"]] == [0, 1]


def test_what_is_refused_is_told_and_counted_and_the_rest_is_taken(shop: House, client: TestClient) -> None:
    order = {**ORDER, "type": "track"}
    reply = batch(
        client,
        order,
        {**order, "event": "Order Lost"},
        {**order, "messageId": "m-2", "properties": {"total": "5", "order": "o-2"}},
        {**order, "messageId": "m-3", "context": {"page": "/"}},
        {**order, "messageId": "m-4", "timestamp": "2013-01-31"},
        {**order, "messageId": 5},
        {"type": "identify", "messageId": "m-6", "userId": 17},
        None,
    )
    assert reply.status_code == 200
    assert reply.json()["success"] is True
    assert codes(reply.json()) == [
        (1, "unknown_stream"),
        (2, "wrong_type"),
        (3, "wrong_type"),
        (4, "bad_time"),
        (4, "bad_time"),
        (5, "wrong_type"),
        (5, "wrong_type"),
        (6, "wrong_type"),
        (7, "not_an_object"),
    ]
    assert reply.json()["accepted"] == 4
    counted = shop.rooms.engine.statistics().outcomes
    assert counted == {"accepted": 4, "bad_time": 2, "not_an_object": 1, "unknown_stream": 1, "wrong_type": 5}
    told = client.get("/internal/metrics").text
    assert 'aforo_events_refused_total{code="unknown_stream",stream="?"} 1.0' in told
    assert 'aforo_events_refused_total{code="wrong_type",stream="people"} 1.0' in told


def test_gzip(client: TestClient) -> None:
    content = gzip.compress(json.dumps({"batch": [{**ORDER, "type": "track"}]}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert client.post("/v1/batch", content=content, headers=headers, auth=CORNER).json()["accepted"] == 2


@pytest.mark.parametrize(
    ("path", "content", "status", "code"),
    [
        ("/v1/batch", b"{", 400, "not_json"),
        ("/v1/track", b"", 400, "not_json"),
        ("/v1/track", b"[]", 400, "invalid_request"),
        ("/v1/batch", b"{}", 400, "invalid_request"),
        ("/v1/batch", b'{"batch": {}}', 400, "invalid_request"),
        ("/v1/batch", b'{"batch": [], "context": 5}', 400, "invalid_request"),
        ("/v1/batch", b'{"batch": [' + b"1," * EVENTS_LIMIT + b"1]}", 413, "body_too_large"),
        ("/v1/track", b" " * (BODY_LIMIT + 1), 413, "body_too_large"),
        ("/v1/track?writeKey=corner", b"{}", 400, "unknown_name"),
    ],
    ids=range(9),
)
def test_a_request_that_cannot_be_read(
    client: TestClient, path: str, content: bytes, status: int, code: str
) -> None:
    headers = {"Content-Type": "application/json"}
    reply = client.post(path, content=content, headers=headers, auth=CORNER)
    assert (reply.status_code, reply.json()["code"]) == (status, code)


def test_values_that_stand_too_deep_are_no_json(client: TestClient) -> None:
    """At whatever depth that is: for reading them, or for the hash that names the call."""

    def status(depth: int) -> int:
        context = '{"a":' * depth + "1" + "}" * depth
        content = f'{{"timestamp": "2013-01-31T17:05:00Z", "context": {context}}}'
        headers = {"Content-Type": "application/json"}
        return client.post("/v1/page", content=content, headers=headers, auth=CORNER).status_code

    taken, refused = 1, 2_000
    while refused - taken > 1:
        depth = (taken + refused) // 2
        taken, refused = (depth, refused) if status(depth) == 200 else (taken, depth)
    assert {status(depth) for depth in range(refused, refused + 20)} == {400}


def test_an_empty_batch_is_taken(client: TestClient) -> None:
    assert batch(client).json()["success"] is True


def test_the_write_key_names_the_tenant(shop: House, client: TestClient) -> None:
    def basic(text: bytes) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(text).decode()}

    for number, (headers, more) in enumerate(
        [
            (basic(b"corner:"), {}),
            (basic(b"corner:secret"), {}),
            (basic(b"corner"), {}),
            (basic(b"corner:"), {"writeKey": "elsewhere"}),
            ({}, {"writeKey": "corner"}),
            (basic(b":"), {"writeKey": "corner"}),
            ({"Authorization": "Bearer token"}, {"writeKey": "corner"}),
        ],
        1,
    ):
        call = {**ORDER, "messageId": f"m-{number}", **more}
        assert client.post("/v1/track", json=call, headers=headers).status_code == 200
        assert events(shop, "orders") == number


@pytest.mark.parametrize(
    ("authorization", "more"),
    [
        ("", {}),
        ("Basic Og==", {}),
        ("Basic not base64", {"writeKey": "corner"}),
        ("Basic /////w==", {"writeKey": "corner"}),
        ("Basic é", {}),
        ("Bearer token", {"writeKey": 5}),
    ],
)
def test_without_a_write_key(client: TestClient, authorization: str, more: Any) -> None:
    headers = {"Authorization": authorization.encode()} if authorization else {}
    reply = client.post("/v1/track", json={**ORDER, **more}, headers=headers)  # type: ignore[arg-type]
    assert (reply.status_code, reply.json()["code"]) == (401, "unauthorized")
    assert "token" not in reply.text


def request_of(caller: Caller) -> Request:
    headers = [(b"authorization", b"Basic " + base64.b64encode(b"a secret:"))]
    return Request({"type": "http", "headers": headers, "state": {"caller": caller}})


def test_whose_the_calls_of_a_known_caller_are() -> None:
    """The key's tenant, and never the key: a secret does not become data."""
    scopes = frozenset({KeyScope.INGEST})
    bound = Caller("page", scopes, frozenset({"corner"}), public=True)
    assert tenant_of(request_of(bound), "elsewhere") == "corner"
    for tenants in (None, frozenset({"corner", "elsewhere"}), frozenset[str]()):
        with pytest.raises(Forbidden, match="not bound to one tenant") as raised:
            tenant_of(request_of(Caller("ours", scopes, tenants)), None)
        assert "secret" not in str(raised.value)
    assert tenant_of(request_of(ANYONE), None) == "a secret"
    with pytest.raises(NotAuthorised):
        tenant_of(Request({"type": "http", "headers": [], "state": {"caller": ANYONE}}), None)


def test_when_nothing_can_be_taken_a_library_is_told_when_to_come_back(
    shop: House, client: TestClient
) -> None:
    shop.buffer.stop(10)
    reply = batch(client, {**ORDER, "type": "track"})
    assert (reply.status_code, reply.json()["code"]) == (503, "stopping")
    assert int(reply.headers["Retry-After"]) > 0
    assert events(shop, "orders") == 0
