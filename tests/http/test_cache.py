"""Kept answers over HTTP: told in the proof, seen and cleared by the operator, and gone after an erasure."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient
from tests.http.conftest import House

QUESTION = {"tenant": "shop", "metrics": ["visits"], "from": "2013-01-31", "to": "2013-01-31"}
EVENT = {"stream": "visits", "tenant": "shop", "time": "2013-01-31T10:00:00Z", "fields": {"page": "/"}}


def asked(client: TestClient) -> tuple[Any, bool]:
    """The number, and whether it was kept."""
    reply = client.post("/v1/query", json=QUESTION).json()
    return reply["rows"][0]["visits"], "cached" in reply["proof"]


def test_an_answer_is_kept_until_what_it_is_read_from_changes(
    client: TestClient, bearer: dict[str, str]
) -> None:
    for count in (1, 2):
        client.post("/v1/events", json={**EVENT, "id": str(count)})
        client.post("/v1/fold", headers=bearer)
        assert [asked(client) for _ in range(2)] == [(count, False), (count, True)]
    found = client.get("/v1/cache", headers=bearer).json()
    assert (found["shelf"], found["entries"], found["hits"], found["misses"]) == ("memory", 2, 2, 2)
    exposed = client.get("/internal/metrics", headers=bearer).text
    assert "aforo_cache_hits_total 2.0" in exposed
    assert "aforo_cache_entries 2.0" in exposed


def test_what_is_cleared_is_read_anew_and_told_in_the_audit(
    house: House, client: TestClient, bearer: dict[str, str]
) -> None:
    client.post("/v1/events", json=EVENT)
    client.post("/v1/fold", headers=bearer)
    asked(client)
    cleared = [
        client.post("/v1/cache/clear", json=body, headers=bearer).json()["cleared"]
        for body in ({"tag": "tenant:other"}, {"tag": "tenant:shop"}, {})
    ]
    assert cleared == [0, 1, 0]
    assert asked(client) == (1, False)
    acts = [act.subject for act in house.rooms.audit.page(10) if act.action == "cache_cleared"]
    assert acts == ["everything", "tenant:shop", "tenant:other"]


def test_only_the_operator_sees_and_clears(client: TestClient, bearer: dict[str, str]) -> None:
    assert client.get("/v1/cache").status_code in (401, 503)
    assert client.post("/v1/cache/clear", json={}).status_code in (401, 503)
    reply = client.post("/v1/cache/clear", json={"tag": "shop"}, headers=bearer)
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request")
