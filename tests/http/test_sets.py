"""Retention and funnels over HTTP: their examples are what happens, and keys open only their tenants'."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient
from tests.http.conftest import House
from tests.http.test_reference import only, within

from aforo.http import examples, examples_of_sets
from aforo.http.funnel import FunnelReply
from aforo.http.retention import RetentionReply
from aforo.windows import parse_instant

ROUTES = {
    "/v1/retention": (examples_of_sets.RETENTION_ASKED, examples_of_sets.RETENTION, RetentionReply),
    "/v1/funnel": (examples_of_sets.FUNNELS_ASKED, examples_of_sets.FUNNELS, FunnelReply),
}


@pytest.fixture
def loaded(house: House, client: TestClient, bearer: dict[str, str]) -> TestClient:
    for events in examples.EVENTS.values():
        client.post("/v1/events", json=events)
    client.post("/v1/fold", headers=bearer)
    house.clock.set(parse_instant("2013-02-01T00:00:00Z"))
    return client


@pytest.mark.parametrize("path", ROUTES)
def test_the_examples_are_what_happens(path: str, loaded: TestClient) -> None:
    asked, replies, shape = ROUTES[path]
    came = loaded.post(path, json=only(asked))
    assert came.status_code == 200
    expected: Any = json.loads(json.dumps(only(replies)))
    assert json.loads(json.dumps(msgspec.to_builtins(msgspec.convert(expected, shape)))) == expected
    del expected["proof"]["modelVersion"]
    proof = {name: value for name, value in came.json()["proof"].items() if name != "modelVersion"}
    within(expected, {**came.json(), "proof": proof})


@pytest.mark.parametrize("path", ROUTES)
def test_who_asks_again_is_given_what_was_kept(path: str, loaded: TestClient, bearer: dict[str, str]) -> None:
    """Until an event comes: the same but for what its proof says of now."""
    asked = only(ROUTES[path][0])
    first, again = (loaded.post(path, json=asked).json() for _ in range(2))
    proofs = first.pop("proof"), again.pop("proof")
    assert first == again
    assert ("cached" in proofs[0], proofs[1]["cached"]) == (False, True)
    assert proofs[0].get("guard") == proofs[1].get("guard")
    loaded.post("/v1/events", json={**examples.UA_1545, "id": "another"})
    loaded.post("/v1/fold", headers=bearer)
    assert "cached" not in loaded.post(path, json=asked).json()["proof"]


@pytest.mark.parametrize("path", ROUTES)
def test_another_tenant_and_a_wrong_word_are_told(path: str, loaded: TestClient) -> None:
    body = only(ROUTES[path][0])
    unknown = loaded.post(path, json={**body, "tenant": "lax"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_name")
    wrong = loaded.post(path, json={**body, "widthin": "1h"}).json()
    assert [error["path"] for error in wrong["errors"]] == ["widthin"]
    assert loaded.post(path, json=[]).json()["code"] == "invalid_request"
