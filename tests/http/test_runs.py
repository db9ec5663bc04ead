"""Runs over HTTP, from a definition to a result that others read."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.http.conftest import NOW, House
from tests.http.desk_of_runs import AT, OF_TENANT, TENANT, Desk, ratio

from aforo.clock import MICROSECONDS
from aforo.http import run_examples
from aforo.runs.messages import RunError


@pytest.fixture
def desk(house: House, client: TestClient, bearer: dict[str, str]) -> Desk:
    return Desk(house, client, bearer)


def test_a_run_from_its_updates_to_its_result(desk: Desk) -> None:
    defined = desk.define(ratio()).json()
    assert defined == {"tenant": TENANT, "datasets": 2, "series": 2, "metrics": 1}
    first = desk.update("cars")
    assert first.status_code == 202
    [waiting] = first.json()["runs"]
    assert (waiting["state"], waiting["cause"]) == ("PENDING", "update")
    whole = desk.get(f"/runs/{waiting['id']}")
    assert whole["missing"] == [{"datasetId": "roads", "neededSince": None}]
    assert [each["datasetId"] for each in whole["versions"]] == ["cars"]
    assert whole["lease"] is None
    [run] = desk.update("roads").json()["runs"]
    assert (run["id"], run["state"], run["attempt"]) == (waiting["id"], "REQUESTED", 1)
    assert desk.get(f"/runs/{run['id']}")["lease"]["until"] == "2013-02-01T00:05:00+00:00"
    desk.started(run["id"])
    assert desk.get(f"/runs/{run['id']}")["run"]["worker"] == "w"
    desk.ended(run["id"])
    done = desk.get(f"/runs/{run['id']}")
    assert (done["run"]["state"], done["run"]["rowCount"], done["missing"]) == ("SUCCEEDED", 2, [])
    result = desk.get(f"/datasets/metric:{TENANT}:SHARE")
    assert result["dataset"]["newest"]["manifestUri"] == done["run"]["manifestUri"]
    assert result["dataset"]["newest"]["updatedAt"] == "2013-01-31T00:00:00+00:00"
    kinds = [each["kind"] for each in desk.get(f"/runs/{run['id']}/log")["log"]]
    assert kinds == ["run_waits", "update_joined", "run_requested", "run_started", "run_succeeded"]
    assert done.keys() == run_examples.WHOLE_RUNS["Over"].keys()
    assert done["run"].keys() == run_examples.WHOLE_RUNS["Over"]["run"].keys()


def test_why_a_metric_waits_and_why_it_failed(desk: Desk) -> None:
    desk.define(ratio())
    assert "no version has come of cars, roads" in desk.get("/metrics/SHARE/why", **OF_TENANT)["verdict"]
    [run] = desk.update("cars").json()["runs"]
    why = desk.get("/metrics/SHARE/why", **OF_TENANT)
    assert (why["verdict"], why["ready"]) == (f"{run['id']} waits for roads", False)
    desk.update("roads")
    desk.ended(run["id"], error=RunError(code="invalid_manifest", message="no such file"))
    why = desk.get("/metrics/SHARE/why", **OF_TENANT)
    assert why["verdict"] == f"nothing waits; the last run, {run['id']}, has FAILED"
    assert why["last"][0]["error"] == {"code": "invalid_manifest", "message": "no such file"}
    assert why["log"][0]["kind"] == "run_failed"
    assert why.keys() == run_examples.WHYS["It has run"].keys()


def test_the_same_update_is_taken_once_and_an_older_one_starts_nothing(desk: Desk) -> None:
    desk.requested()
    again = desk.update("cars")
    assert (again.status_code, again.json()["repeated"], again.json()["runs"]) == (202, True, [])
    older = desk.update("cars", "2013-01-01T00:00:00Z").json()
    assert (older["older"], older["runs"]) == (True, [])
    versions = desk.get("/datasets/cars")["versions"]
    assert [each["updatedAt"][:10] for each in versions] == ["2013-01-31", "2013-01-01"]


def test_by_hand_cancelled_and_once_more(desk: Desk) -> None:
    desk.define(ratio())
    nothing = desk.call("POST", "/metrics/SHARE/runs", **OF_TENANT)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "conflict")
    run_id = desk.requested()
    assert desk.call("POST", "/metrics/SHARE/runs", **OF_TENANT).json()["id"] == run_id
    assert desk.call("POST", f"/runs/{run_id}/again").status_code == 409
    cancelled = desk.call("POST", f"/runs/{run_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "CANCELLED")
    assert desk.call("POST", f"/runs/{run_id}/cancel").json() == cancelled.json()
    again = desk.call("POST", f"/runs/{run_id}/again")
    assert again.status_code == 202
    assert (again.json()["cause"], again.json()["pinned"]) == ("rerun", True)
    assert again.json()["createdBy"] == "command line"
    newest = [act["action"] for act in desk.get("/v1/audit")["acts"]]
    assert newest == ["run_asked", "run_cancelled", "catalog_changed", "catalog_changed"]


def test_lists_of_runs_by_the_page_and_by_what_they_are(desk: Desk) -> None:
    run_id = desk.requested()
    made = [run_id]
    for _ in range(3):
        desk.call("POST", f"/runs/{made[-1]}/cancel")
        desk.house.clock.advance(86_400)
        made.append(desk.call("POST", "/metrics/SHARE/runs", **OF_TENANT).json()["id"])
    first = desk.get("/runs", limit="3")
    rest = desk.get("/runs", limit="3", cursor=first["nextCursor"])
    assert [each["id"] for each in (*first["runs"], *rest["runs"])] == made[::-1]
    assert rest["nextCursor"] is None

    def ids(**asked: str) -> list[str]:
        return [each["id"] for each in desk.get("/runs", **asked)["runs"]]

    assert ids(status="requested") == made[3:]
    assert ids(status="CANCELLED, LOST") == made[2::-1]
    assert ids(metric="SHARE", tenant=TENANT) == made[::-1]
    assert ids(metric="SHAR") == ids(tenant="nobody") == []
    assert ids(**{"from": "2013-02-02", "to": "2013-02-03"}) == [made[2], made[1]]
    assert ids(**{"from": "2013-02-02T00:00:01Z", "to": "2013-02-04T00:00:00Z"}) == [made[2]]
    assert NOW // MICROSECONDS == 1_359_676_800, "the days above are counted from it"


@pytest.mark.parametrize(
    ("path", "query", "status", "told"),
    [
        ("/runs", {"status": "RUNING"}, 400, "did you mean 'RUNNING'?"),
        ("/runs", {"form": "x"}, 400, "did you mean 'from'?"),
        ("/runs", {"from": "yesterday"}, 400, "from: 'yesterday' is not a date"),
        ("/runs", {"to": "9999-12-31"}, 400, "to: "),
        ("/runs", {"cursor": "Inh5Ig"}, 400, "cursor"),
        ("/runs", {"tenant": ""}, 400, "tenant"),
        ("/runs", {"metric": "a\0b"}, 400, "metric"),
        ("/metrics", {"cursor": "Inh5Ig"}, 400, "cursor"),
        ("/datasets", {"cursor": "Inh5Ig"}, 400, "cursor"),
        ("/runs/run_x", {}, 404, "there is no run 'run_x'"),
        ("/runs/run_x/log", {}, 404, "there is no run 'run_x'"),
        ("/runs/%00", {}, 404, "there is no run"),
        ("/metrics/SHAR", OF_TENANT, 404, "did you mean 'SHARE'?"),
        ("/metrics/SHARE", {}, 404, "there is no metric named 'SHARE'"),
        ("/metrics/SHAR/why", OF_TENANT, 404, "did you mean 'SHARE'?"),
        ("/metrics/SHAR/lineage", OF_TENANT, 404, "did you mean 'SHARE'?"),
        ("/datasets/car", {}, 404, "there is no dataset 'car'"),
        ("/datasets/cars/measured", {"column": "x"}, 400, "none of our own rollups"),
        ("/queues/x/buried", {}, 404, "there is no queue named 'x'"),
    ],
)
def test_mistakes_of_who_asks(desk: Desk, path: str, query: dict[str, str], status: int, told: str) -> None:
    desk.define(ratio())
    reply = desk.call("GET", path, **query)
    assert reply.status_code == status, reply.text
    assert told in reply.text


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ([], 400, "no object"),
        ({}, 400, "updatedAt"),
        ({"updatedAt": AT}, 400, "manifestUri"),
        ({"updatedAt": "now", "manifestUri": "file:///x"}, 400, "updatedAt"),
        ({"updatedAt": AT, "manifestUri": "file:///etc/passwd"}, 400, "outside_prefix"),
        ({"updatedAt": AT, "manifestUrl": "file:///x"}, 400, "did you mean 'manifestUri'?"),
        ({"updatedAt": AT, "manifestUri": "file:///x", "datasetId": "roads"}, 400, "leave it out"),
        ({"updatedAt": "2113-01-31T00:00:00Z", "manifestUri": "CARS"}, 400, "ahead"),
        ({"updatedAt": AT, "manifestUri": "CARS", "rowCount": -1}, 400, "rowCount"),
        ({"updatedAt": AT, "manifestUri": "CARS", "type": "MetricRunStartedEvent"}, 400, "type"),
        ({"updatedAt": AT, "manifestUri": "CARS", "eventId": "x" * 300_000}, 413, "too large"),
    ],
)
def test_mistakes_of_who_tells_of_a_version(desk: Desk, body: Any, status: int, told: str) -> None:
    desk.define(ratio())
    if isinstance(body, dict) and body.get("manifestUri") == "CARS":
        body = {**body, "manifestUri": f"{desk.folder('cars')}1.csv"}
    reply = desk.call("POST", "/datasets/cars/updates", body)
    assert reply.status_code == status, reply.text
    assert told in reply.text
    assert desk.get("/datasets/cars")["versions"] == []
