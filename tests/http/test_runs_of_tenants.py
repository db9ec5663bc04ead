"""Law 9 for runs: whose key it is decides what there is, and what may be done with it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.http.conftest import House
from tests.http.desk_of_runs import AT, TENANT, Desk, ratio

MINE = "bike"


@pytest.fixture
def desk(house: House, client: TestClient, bearer: dict[str, str]) -> Desk:
    return Desk(house, client, bearer)


def keyed(desk: Desk, *scopes: str, tenants: tuple[str, ...] = (MINE,), **more: Any) -> Desk:
    """The same with a key that is bound to tenants."""
    asked = {"name": "a key", "scopes": list(scopes), "tenants": list(tenants), **more}
    made = desk.call("POST", "/v1/keys", asked)
    assert made.status_code == 201, made.text
    return Desk(desk.house, desk.client, {"Authorization": f"Bearer {made.json()['secret']}"})


def defined(desk: Desk) -> dict[str, Any]:
    """A metric of each of two tenants under one code; a run of `acme` was asked for."""
    dataset = {"id": "lanes", "prefix": desk.folder("lanes", MINE), "series": [{"code": "LANES"}]}
    mine = {"datasets": [dataset], "metrics": [ratio("SHARE", "LANES", "LANES")]}
    assert desk.call("PUT", "/definitions", mine, tenant=MINE).status_code == 200
    run: dict[str, Any] = desk.get(f"/runs/{desk.requested()}")["run"]
    return run


def test_a_key_sees_its_tenants_only(desk: Desk) -> None:
    run, key = defined(desk), keyed(desk, "read", "operate", "ingest", "define")
    assert [each["code"] for each in key.get("/metrics")["metrics"]] == ["SHARE"]
    assert key.get("/metrics/SHARE")["tenant"] == MINE
    assert [each["id"] for each in key.get("/datasets")["datasets"]] == ["lanes", f"metric:{MINE}:SHARE"]
    assert [each["code"] for each in key.get("/series")["series"]] == ["LANES", "SHARE"]
    assert key.get("/runs")["runs"] == []
    assert [each["id"] for each in desk.get("/runs")["runs"]] == [run["id"]]
    update = {"manifestUri": f"{desk.folder('cars')}2.csv", "updatedAt": AT}
    refused = [
        key.call("GET", "/runs", tenant=TENANT),
        key.call("GET", f"/runs/{run['id']}"),
        key.call("GET", f"/runs/{run['id']}/log"),
        key.call("POST", f"/runs/{run['id']}/cancel"),
        key.call("POST", f"/runs/{run['id']}/again"),
        key.call("GET", "/metrics/SHARE", tenant=TENANT),
        key.call("GET", "/metrics/SHARE/why", tenant=TENANT),
        key.call("GET", "/metrics/SHARE/lineage", tenant=TENANT),
        key.call("POST", "/metrics/SHARE/runs", tenant=TENANT),
        key.call("GET", "/datasets/cars"),
        key.call("POST", "/datasets/cars/updates", update),
        key.call("PUT", "/definitions", {}, tenant=TENANT),
        key.call("GET", "/queues"),
        key.call("GET", "/queues/outbox/buried"),
        key.call("POST", "/queues/outbox/redrive"),
    ]
    assert [(each.status_code, each.json()["code"]) for each in refused] == [
        (403, "not_your_tenant") for _ in refused
    ]
    assert desk.get(f"/runs/{run['id']}")["run"] == run, "nothing has moved it"


def test_a_dataset_of_another_cannot_be_taken_over(desk: Desk) -> None:
    defined(desk)
    key = keyed(desk, "define")
    taken = key.call("PUT", "/definitions", {"datasets": [key.dataset("cars", "X", tenant=MINE)]})
    assert (taken.status_code, "'cars' is taken" in taken.text) == (400, True)
    theirs = {"datasets": [{"id": "mine", "prefix": desk.folder("cars"), "series": []}]}
    outside = key.call("PUT", "/definitions", theirs)
    assert (outside.status_code, "lies under none of" in outside.text) == (400, True)


def test_a_key_of_several_tenants_names_one_where_one_is_meant(desk: Desk) -> None:
    defined(desk)
    key = keyed(desk, "read", tenants=(MINE, TENANT))
    assert {each["tenant"] for each in key.get("/metrics")["metrics"]} == {MINE, TENANT}
    meant = key.call("GET", "/metrics/SHARE")
    assert (meant.status_code, "?tenant=acme" in meant.text) == (400, True)
    assert key.get("/metrics/SHARE", tenant=TENANT)["reads"] == ["CARS", "ROADS"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("PUT", "/definitions", "define"),
        ("POST", "/datasets/lanes/updates", "ingest"),
        ("POST", "/metrics/SHARE/runs", "operate"),
        ("POST", "/runs/x/cancel", "operate"),
        ("POST", "/runs/x/again", "operate"),
        ("GET", "/runs", "read"),
        ("GET", "/queues", "operate"),
    ],
)
def test_each_way_wants_its_scope(desk: Desk, method: str, path: str, scope: str) -> None:
    others = [each for each in ("ingest", "read", "define", "operate", "support") if each != scope]
    reply = keyed(desk, *others).call(method, path, {} if method != "GET" else None)
    assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")
    assert f"needs {scope}" in reply.json()["detail"]


def test_the_key_of_a_page_tells_of_no_version(desk: Desk) -> None:
    defined(desk)
    key = keyed(desk, "ingest", kind="public", origins=["*"])
    update = {"manifestUri": f"{desk.folder('lanes', MINE)}1.csv", "updatedAt": AT}
    reply = key.call("POST", "/datasets/lanes/updates", update)
    assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")
    assert desk.get("/datasets/lanes")["versions"] == []
    told = keyed(desk, "ingest").call("POST", "/datasets/lanes/updates", update)
    assert (told.status_code, told.json()["runs"][0]["state"]) == (202, "REQUESTED")
