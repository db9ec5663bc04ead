"""`/v1/refusals`: what was refused is listed for the operator, page by page, and senders report their own."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.http.conftest import House

Bearer = dict[str, str]


def visit(tenant: str, page: object = "/") -> dict[str, Any]:
    return {"stream": "visits", "tenant": tenant, "fields": {"page": page}}


def test_refused_events_are_listed_newest_first_and_by_page(client: TestClient, bearer: Bearer) -> None:
    client.post("/v1/events", json=visit("a"))
    for number in range(5):
        client.post("/v1/events", json={"events": [visit("a", number), visit("b", number)]})
    pages, cursor = [], ""
    while True:
        reply = client.get(f"/v1/refusals?limit=3{cursor}", headers=bearer).json()
        pages.append([each["detail"] for each in reply["refusals"]])
        if reply["nextCursor"] is None:
            break
        cursor = f"&cursor={reply['nextCursor']}"
    assert [len(page) for page in pages] == [3, 3, 3, 1]
    assert [detail.split("came ")[1][0] for page in pages for detail in page] == list("4433221100")
    of_a = client.get("/v1/refusals?tenant=a&stream=visits&code=wrong_type", headers=bearer).json()
    assert {(each["tenant"], each["stream"]) for each in of_a["refusals"]} == {("a", "visits")}
    # Nobody has the name b, for all of its events were refused.
    assert client.get("/v1/refusals?tenant=b", headers=bearer).json()["refusals"] == []
    assert len(client.get("/v1/refusals?tenant=?", headers=bearer).json()["refusals"]) == 5


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("limt=3", "limit"),
        ("limit=0", "1 to 1,000"),
        ("limit=1001", "1 to 1,000"),
        ("cursor=last", "nextCursor"),
        ("code=rong_type", "wrong_type"),
        ("stream=visit", "visits"),
    ],
)
def test_what_is_asked_wrongly_is_told_with_what_is_right(
    shared: TestClient, bearer: Bearer, query: str, word: str
) -> None:
    reply = shared.get(f"/v1/refusals?{query}", headers=bearer)
    assert reply.status_code == 400
    assert word in reply.text


def test_the_list_is_the_operators(shared: TestClient) -> None:
    reply = shared.get("/v1/refusals")
    assert (reply.status_code, reply.json()["code"]) == (503, "admin_auth_not_configured")


def test_what_a_sender_refused_is_counted_here_too(house: House, client: TestClient, bearer: Bearer) -> None:
    """Its words are taken as anybody's: values are masked, and names that are not known count for nobody."""
    client.post("/v1/events", json=visit("a"))
    kind = {
        "stream": "visits",
        "tenant": "a",
        "code": "too_long",
        "count": 7,
        "samples": [{"detail": 'field page: came "Ana Mar", wanted', "names": {"fields.page": "Ana"}}],
    }
    strange = {**kind, "stream": "orders", "tenant": "c", "count": 2, "samples": []}
    reply = client.post("/v1/refusals", json={"refused": [kind, strange]})
    assert (reply.status_code, reply.json()) == (202, {"counted": 9})
    assert house.rooms.engine.statistics().outcomes == {"accepted": 1, "too_long": 9}
    (kept,) = client.get("/v1/refusals", headers=bearer).json()["refusals"]
    assert kept["names"] == {"fields.page": "other"}
    assert "Ana" not in str(kept)
    for tenant, count in (("a", 7), ("?", 2)):
        asked = {
            "tenant": tenant,
            "metrics": ["ingest_refused"],
            "by": ["reason"],
            "where": 'reason = "too_long"',
        }
        rows = client.post("/v1/query", json=asked).json()["rows"]
        assert rows == [{"reason": "too_long", "ingest_refused": count}]


@pytest.mark.parametrize(
    "change",
    [{"code": "rude"}, {"count": 0}, {"count": True}, {"count": 10**10}, {"more": 1}, {"tenant": "x" * 300}],
)
def test_a_report_that_is_none_counts_nothing(shared: TestClient, change: dict[str, object]) -> None:
    kind = {"stream": "visits", "tenant": "a", "code": "bot", "count": 1, **change}
    reply = shared.post("/v1/refusals", json={"refused": [kind]})
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request")
    assert reply.json()["errors"][0]["path"].startswith("refused[0]")


def test_the_bytes_of_a_body_are_those_before_it_was_compressed(house: House, client: TestClient) -> None:
    import gzip
    import json

    body = json.dumps({"events": [{**visit("a"), "id": str(number)} for number in range(50)]}).encode()
    for content, headers in ((body, {}), (gzip.compress(body), {"Content-Encoding": "gzip"})):
        sent = {"Content-Type": "application/json", **headers}
        assert client.post("/v1/events", content=content, headers=sent).status_code == 202
    reply = client.post("/v1/query", json={"tenant": "a", "metrics": ["ingest_bytes", "ingest_duplicates"]})
    assert reply.json()["rows"] == [{"ingest_bytes": 2 * len(body), "ingest_duplicates": 50}]
