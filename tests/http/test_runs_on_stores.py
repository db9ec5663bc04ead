"""Runs over HTTP on each kind of store: the whole way, and names that a database might not take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.http.conftest import standing
from tests.http.desk_of_runs import OF_TENANT, TENANT, Desk, ratio
from tests.store_kinds import Stores

from aforo.settings import Settings


@pytest.fixture
def desk(stores: Stores, settings: Settings, bearer: dict[str, str]) -> Iterator[Desk]:
    for house in standing(replace(settings, store=stores.url)):
        with house.client() as client:
            yield Desk(house, client, bearer)


def test_the_whole_way(desk: Desk) -> None:
    run_id = desk.requested()
    desk.started(run_id)
    desk.house.clock.advance(1)
    assert desk.update("cars", "2013-01-31T00:00:01Z").json()["runs"][0]["state"] == "PENDING"
    desk.ended(run_id)
    [following, first] = desk.get("/runs", metric="SHARE", limit="10")["runs"]
    assert (first["state"], following["state"]) == ("SUCCEEDED", "REQUESTED")
    assert desk.get("/metrics/SHARE/why", **OF_TENANT)["waiting"] == following
    assert desk.call("POST", f"/runs/{following['id']}/cancel").json()["state"] == "CANCELLED"
    assert desk.call("POST", f"/runs/{run_id}/again").status_code == 202
    assert len(desk.get(f"/runs/{run_id}/log")["log"]) == 5
    assert [each["buried"] for each in desk.get("/queues")["queues"]] == [0] * 6
    assert desk.call("POST", "/queues/outbox/redrive").json()["redriven"] == 0


@pytest.mark.parametrize("name", ["%00", "a%00b", "x" * 301, "%ED%B2%80", "%F0%9F%9A%B2", "'%22;--"])
def test_names_that_are_none(desk: Desk, name: str) -> None:
    for path in (f"/metrics/{name}", f"/runs/{name}/log", f"/datasets/{name}", f"/queues/{name}/buried"):
        assert desk.call("GET", path).status_code == 404, path
    tenant = desk.client.get(f"/runs?tenant={name}", headers=dict(desk.headers))
    assert tenant.status_code in (200, 400), tenant.text


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ({"datasets": [{"id": "d", "name": "x" * 201}]}, "datasets[0].name"),
        ({"datasets": [{"id": "d" * 301}]}, "datasets[0].id"),
        ({"datasets": [{"id": "d", "series": [{"code": "S", "name": "x" * 201}]}]}, "series[0].name"),
        ({"datasets": [{"id": "d", "series": [{"code": "S", "unit": "x" * 129}]}]}, "series[0].unit"),
        ({"datasets": [{"id": "d", "series": [{"code": "S", "column": "x" * 129}]}]}, "series[0].column"),
        ({"datasets": [{"id": "d", "series": [{"code": "S" * 129}]}]}, "series[0].code"),
        ({"metrics": [ratio("M" * 129)]}, "metrics[0].code"),
        ({"metrics": [{**ratio(), "name": "x" * 201}]}, "metrics[0].name"),
        ({"metrics": [{**ratio(), "unit": "x" * 129}]}, "metrics[0].unit"),
        ({"metrics": [{**ratio(), "requiredDays": 2**40}]}, "metrics[0].requiredDays"),
        ({"metrics": [{**ratio(), "prefix": "x" * 3_000}]}, "metrics[0].prefix"),
    ],
)
def test_what_is_longer_than_it_may_be(desk: Desk, place: dict[str, Any], told: str) -> None:
    if "datasets" in place:
        [dataset] = place["datasets"]
        place = {"datasets": [{"prefix": desk.folder("d"), **dataset}]}
    assert desk.define().status_code == 200
    reply = desk.call("PUT", "/definitions", place, tenant=TENANT)
    assert reply.status_code == 400, reply.text
    assert told in reply.text
