"""`POST /v1/events`: receipts by index, every form of body, and every limit before it costs anything."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from tests.http.conftest import BODY_LIMIT, EVENTS_LIMIT, House, codes

from aforo.errors import BodyTooLarge
from aforo.http import body, examples

FLIGHT = examples.UA_1545


def flight(number: int, **fields: object) -> dict[str, Any]:
    """A flight that no other number is."""
    return {**FLIGHT, "fields": {**FLIGHT["fields"], "flight": number, **fields}}


def send(client: TestClient, content: bytes, kind: str = "application/json", encoding: str = "") -> Any:
    headers = {"Content-Type": kind, **({"Content-Encoding": encoding} if encoding else {})}
    return client.post("/v1/events", content=content, headers=headers)


def test_one_event(client: TestClient) -> None:
    reply = client.post("/v1/events", json=FLIGHT)
    assert reply.status_code == 202
    assert reply.json() == {
        "accepted": 1,
        "duplicates": 0,
        "refused": [],
        "completeUntil": "2013-01-01T10:15:00+00:00",
    }


def test_the_receipt_tells_of_each_event_by_its_index(client: TestClient) -> None:
    events = [
        flight(1),
        "no object",
        flight(2, distance="far"),
        flight(1),
        {**flight(3), "stream": "fligths"},
        flight(4, altitude=1),
        {**flight(5), "time": "soon"},
        {**flight(6), "time": "2014-01-01T00:00:00Z"},
        flight(7, carrier="UNITED"),
        flight(8, distance=-1),
        {key: value for key, value in flight(9).items() if key != "tenant"},
    ]
    receipt = client.post("/v1/events", json={"events": events}).json()
    assert (receipt["accepted"], receipt["duplicates"]) == (1, 1)
    assert codes(receipt) == [
        (1, "not_an_object"),
        (2, "wrong_type"),
        (4, "unknown_stream"),
        (5, "unknown_field"),
        (6, "bad_time"),
        (7, "in_future"),
        (8, "too_long"),
        (9, "out_of_range"),
        (10, "missing_field"),
    ]
    assert "did you mean flights?" in receipt["refused"][2]["detail"]


def test_a_batch_in_which_all_is_refused_is_still_told_by_a_receipt(shared: TestClient) -> None:
    reply = shared.post("/v1/events", json={"events": [1, None]})
    assert reply.status_code == 202
    assert (reply.json()["accepted"], reply.json()["completeUntil"]) == (0, None)


def test_an_event_sent_again_counts_once(client: TestClient, bearer: dict[str, str]) -> None:
    assert client.post("/v1/events", json=flight(1)).json()["accepted"] == 1
    again = client.post("/v1/events", json={"events": [flight(1), flight(1)]}).json()
    assert (again["accepted"], again["duplicates"]) == (0, 2)
    assert client.get("/v1/doctor", headers=bearer).json()["streams"][0]["events"] == 1


def test_ids_that_were_given_come_back(client: TestClient) -> None:
    visit = {"stream": "visits", "tenant": "site", "fields": {"page": "/"}}
    receipt = client.post("/v1/events", json={"events": [visit, {**visit, "id": "mine"}, visit]}).json()
    assert receipt["accepted"] == 3
    assert [given["index"] for given in receipt["ids"]] == [0, 2]
    assert len({given["id"] for given in receipt["ids"]}) == 2


def test_a_batch_is_durable_when_its_receipt_comes(house: House, client: TestClient) -> None:
    client.post("/v1/events", json={"events": [flight(number) for number in range(1, 51)]})
    assert house.rooms.engine.statistics().outcomes["accepted"] == 50


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/jsonl; charset=utf-8"])
def test_lines(client: TestClient, kind: str) -> None:
    lines = [
        json.dumps(flight(1)),
        "",
        "  \t",
        json.dumps(flight(2)),
        '{"stream": ',
        "17",
        json.dumps(flight(3)),
    ]
    reply = send(client, "\r\n".join(lines).encode(), kind)
    assert reply.status_code == 202
    assert reply.json()["accepted"] == 3
    assert codes(reply.json()) == [(2, "not_an_object"), (3, "not_an_object")]


def test_lines_that_are_no_text_are_refused_one_by_one(shared: TestClient) -> None:
    reply = send(shared, b'\xff\xfe\n"\xff"\n' + json.dumps(flight(911)).encode(), "application/x-ndjson")
    assert codes(reply.json()) == [(0, "not_an_object"), (1, "not_an_object")]
    assert reply.json()["accepted"] == 1


def test_an_event_stands_in_one_line_and_alone(shared: TestClient) -> None:
    """Whether the others are as their streams declare them or not: both ways of reading say the same."""
    good = json.dumps(flight(912)).encode()
    broken = good.replace(b", ", b",\r\n", 1)
    for content in (broken, good + b" " + good, broken + b"\n{}"):
        receipt = send(shared, content, "application/x-ndjson").json()
        assert receipt["accepted"] == 0
        assert receipt["refused"][0]["code"] == "not_an_object"


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_gzip(shared: TestClient, encoding: str) -> None:
    assert send(shared, gzip.compress(json.dumps(flight(1)).encode()), encoding=encoding).status_code == 202


def test_gzip_of_several_members_is_one_body(client: TestClient) -> None:
    lines = [json.dumps(flight(number)).encode() + b"\n" for number in (1, 2)]
    members = b"".join(map(gzip.compress, lines)) + b"\0\0"
    reply = send(client, members, "application/x-ndjson", "gzip")
    assert reply.json()["accepted"] == 2


@pytest.mark.parametrize(
    "content",
    [b"plain", gzip.compress(b"{}")[:-6], b"", gzip.compress(b"{}") + b"more", b"\x1f\x8b\x08"],
    ids=["plain", "broken off", "empty", "more behind", "head only"],
)
def test_what_says_gzip_and_is_not(shared: TestClient, content: bytes) -> None:
    reply = send(shared, content, encoding="gzip")
    assert (reply.status_code, reply.json()["code"]) == (400, "not_inflatable")


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_other_encodings_are_not_taken(shared: TestClient, encoding: str) -> None:
    reply = send(shared, b"{}", encoding=encoding)
    assert (reply.status_code, reply.json()["code"]) == (415, "unsupported_body")


def test_a_body_at_its_limit_and_one_byte_over(shared: TestClient) -> None:
    text = json.dumps(flight(1)).encode()
    assert send(shared, text + b" " * (BODY_LIMIT - len(text))).status_code == 202
    reply = send(shared, text + b" " * (BODY_LIMIT - len(text) + 1))
    assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")


def test_a_body_without_a_length_is_counted_as_it_comes() -> None:
    asked = 0

    async def parts() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b" " * 1024, "more_body": True}

    headers = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    request = Request({"type": "http", "method": "POST", "headers": headers}, parts)
    with pytest.raises(BodyTooLarge):
        asyncio.run(body.receive(request, 10 * 1024))
    assert asked == 11


def test_a_bomb_is_left_as_soon_as_it_is_too_large(shared: TestClient) -> None:
    bomb = gzip.compress(b" " * (BODY_LIMIT * 500), compresslevel=9)
    assert len(bomb) < BODY_LIMIT
    reply = send(shared, bomb, encoding="gzip")
    assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")
    many = gzip.compress(b" " * 4096) * 17
    assert send(shared, many, encoding="gzip").status_code == 413


def test_what_inflates_to_the_limit_is_taken(shared: TestClient) -> None:
    text = json.dumps(flight(1)).encode()
    full = gzip.compress(text + b" " * (BODY_LIMIT - len(text)))
    assert send(shared, full, encoding="gzip").status_code == 202


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_more_events_than_may_come_at_once(shared: TestClient, kind: str) -> None:
    def many(count: int) -> bytes:
        if kind == "application/json":
            return json.dumps({"events": [{}] * count}).encode()
        return b"{}\n" * count

    assert send(shared, many(EVENTS_LIMIT), kind).status_code == 202
    reply = send(shared, many(EVENTS_LIMIT + 1), kind)
    assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json", "text/json"],
)
def test_a_body_that_a_form_could_send_is_not_taken(shared: TestClient, kind: str) -> None:
    reply = shared.post("/v1/events", content=b"{}", headers={"Content-Type": kind} if kind else {})
    assert (reply.status_code, reply.json()["code"]) == (415, "unsupported_body")
    assert "application/json" in reply.json()["hint"]


@pytest.mark.parametrize("kind", ["application/JSON; charset=UTF-8", "application/cloudevents+json"])
def test_other_names_of_json(shared: TestClient, kind: str) -> None:
    assert send(shared, json.dumps(flight(1)).encode(), kind).status_code == 202


def test_another_character_set_is_not_taken(shared: TestClient) -> None:
    assert send(shared, b"{}", "application/json; charset=latin-1").status_code == 415


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  ",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": 1} {"a": 2}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"a": 1e999}',
        b"[" * 50_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        '{"a": 1}'.encode("utf-16"),
    ],
    ids=range(12),
)
def test_what_says_json_and_is_not(shared: TestClient, content: bytes) -> None:
    reply = send(shared, content)
    assert (reply.status_code, reply.json()["code"]) == (400, "not_json")


@pytest.mark.parametrize("content", [b"[]", b"[{}]", b'"text"', b"1", b"null", b"true"])
def test_json_that_is_no_object(shared: TestClient, content: bytes) -> None:
    reply = send(shared, content)
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request")
    assert '{"events": [...]}' in reply.json()["hint"]


def test_an_event_and_a_list_of_events_in_one(shared: TestClient) -> None:
    reply = shared.post("/v1/events", json={"events": [FLIGHT], "stream": "flights", "tenant": "nyc"})
    assert reply.status_code == 400
    assert [error["path"] for error in reply.json()["errors"]] == ["stream", "tenant"]


@pytest.mark.parametrize("events", [{}, "x", None, 3])
def test_events_that_are_no_list(shared: TestClient, events: object) -> None:
    reply = shared.post("/v1/events", json={"events": events})
    assert (reply.status_code, reply.json()["errors"][0]["path"]) == (400, "events")


def test_an_empty_list_is_taken(shared: TestClient) -> None:
    reply = shared.post("/v1/events", json={"events": []})
    assert (reply.status_code, reply.json()["accepted"]) == (202, 0)


@pytest.mark.parametrize(
    ("written", "status"), [(r"\u0000", 400), (r"\\\u0000", 400), (r"\\u0000", 202), (r"\\\\u0000", 202)]
)
def test_a_nul_is_not_taken_and_what_looks_like_one_is(shared: TestClient, written: str, status: int) -> None:
    text = json.dumps(FLIGHT).replace('"tenant": "', f'"tenant": "{written}')
    assert send(shared, text.encode()).status_code == status
