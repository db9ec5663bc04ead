"""Erasures over HTTP: asked for and watched by the admin, told in the audit, never with the value."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient
from tests.http.conftest import House, filled

from aforo.http import erasure_examples
from aforo.http.erasures import ErasureReply

AIRCRAFT = {"tenant": "nyc", "entity": "aircraft", "value": "N14228"}
SECRET = {**AIRCRAFT, "value": "N99999"}


def test_an_erasure_from_its_request_to_its_end(
    house: House, client: TestClient, bearer: dict[str, str]
) -> None:
    filled(client, bearer)
    asked = client.post("/v1/erasures", json=AIRCRAFT, headers=bearer)
    assert (asked.status_code, asked.json()["state"]) == (202, "requested")
    example = erasure_examples.ERASURES_REQUESTED["Requested"]
    assert asked.json().keys() == example.keys()
    assert set(example) == {field.encode_name for field in msgspec.structs.fields(ErasureReply)}
    question = {"tenant": "nyc", "metrics": ["flights"], "from": "2013-01-01", "to": "2013-01-02"}
    assert house.rooms.eraser.run_once() == 1
    waiting = client.post("/v1/query", json=question).json()
    assert waiting["proof"]["completeUntil"] < "2013-01-02", "until it is folded, proof says so"
    house.rooms.folder.run_until_clean()
    assert house.rooms.eraser.run_once() == 0
    done = client.get(f"/v1/erasures/{asked.json()['id']}", headers=bearer).json()
    assert (done["state"], done["events"] > 0, "N14228" in str(done)) == ("done", True, False)
    after = client.post("/v1/query", json=question).json()
    assert after["rows"][0]["flights"] == waiting["rows"][0]["flights"] - done["events"]
    (act, *_) = client.get("/v1/audit", headers=bearer).json()["acts"]
    assert (act["action"], act["subject"], "N14228" in str(act)) == ("erasure_requested", done["id"], False)


def test_lists_by_the_page(client: TestClient, bearer: dict[str, str]) -> None:
    filled(client, bearer)
    made = [client.post("/v1/erasures", json=AIRCRAFT, headers=bearer).json()["id"] for _ in range(3)]
    first = client.get("/v1/erasures?limit=2", headers=bearer).json()
    rest = client.get(f"/v1/erasures?cursor={first['nextCursor']}", headers=bearer).json()
    found = [each["id"] for each in (*first["erasures"], *rest["erasures"])]
    assert sorted(found) == sorted(made)
    assert rest["nextCursor"] is None


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ([], 400, "no object"),
        ({"tenant": "nyc"}, 400, "entity is missing; value is missing"),
        (
            {"tenant": 1, "vale": "N99999"},
            400,
            "'vale'; tenant: Expected `str`, got `int`; entity is missing",
        ),
        ({**SECRET, "vale": 1}, 400, "did you mean 'value'?"),
        ({**SECRET, "value": ["N99999"]}, 400, "value"),
        ({**SECRET, "entity": "aircrafts"}, 400, "did you mean 'aircraft'?"),
        ({**SECRET, "tenant": "lax"}, 400, "no tenant"),
        (
            {"tenant": "lax", "entity": "plane", "value": ""},
            400,
            "entity: there is no entity named 'plane'; tenant: there is no tenant named 'lax'; value: came 0",
        ),
    ],
)
def test_mistakes(client: TestClient, bearer: dict[str, str], body: Any, status: int, told: str) -> None:
    filled(client, bearer)
    reply = client.post("/v1/erasures", json=body, headers=bearer)
    assert reply.status_code == status
    assert told in reply.text
    assert "N99999" not in reply.text
    assert client.get("/v1/erasures/none", headers=bearer).status_code == 404
    assert client.get("/v1/erasures?cursor=Inh5Ig", headers=bearer).status_code == 400
