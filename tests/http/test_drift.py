"""`/v1/drift` over HTTP: who may, what may be asked, and what is told."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from tests.http.conftest import House


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"sampleDays": 0}, "1 to 1,000,000"),
        ({"sampleDays": "ten"}, "whole number"),
        ({"sampledays": 3}, "sampleDays"),
        ([], "wanted"),
    ],
)
def test_what_cannot_be_asked(shared: TestClient, bearer: dict[str, str], body: object, told: str) -> None:
    reply = shared.post("/v1/drift", json=body, headers=bearer)
    assert reply.status_code == 400
    assert told in reply.json()["hint"]


def test_a_check_is_kept_as_the_last_and_in_the_audit(
    house: House, client: TestClient, bearer: dict[str, str]
) -> None:
    event = {"stream": "visits", "tenant": "shop", "time": "2013-01-31T10:00:00Z", "fields": {"page": "/"}}
    for moved in ("2013-01-31T10:00:00Z", "2013-01-31T11:00:00Z"):
        client.post("/v1/events", json={**event, "id": "same", "time": moved})
    client.post("/v1/fold", headers=bearer)
    report = client.post("/v1/drift", json={}, headers=bearer).json()
    assert (report["days"], report["found"], report["returned"]) == (1, 0, 1)
    assert report["returnedIds"] == [
        {
            "stream": "visits",
            "tenant": "shop",
            "id": "same",
            "count": 2,
            "times": ["2013-01-31T10:00:00+00:00", "2013-01-31T11:00:00+00:00"],
        }
    ]
    assert client.get("/v1/drift", headers=bearer).json() == {"last": report}
    acts = [each for each in house.rooms.audit.page(10) if each.action == "drift_checked"]
    assert [(act.subject, act.detail) for act in acts] == [("rollups", "all days")]
