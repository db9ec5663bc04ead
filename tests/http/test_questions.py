"""`POST /v1/query`, the model and the operator's routes, over what was sent."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.http.conftest import House

from aforo.http import examples
from aforo.http.doctor import doctor_json
from aforo.http.models import models_json
from aforo.questions.asked import decode

FLIGHTS = {"events": [examples.UA_1545, examples.UA_1714, examples.AA_1141]}
QUESTION: dict[str, Any] = {
    "tenant": "nyc",
    "metrics": ["flights", "aircraft"],
    "from": "2013-01-01",
    "to": "2013-01-02",
    "grain": "day",
}


@pytest.fixture
def loaded(client: TestClient, bearer: dict[str, str]) -> TestClient:
    assert client.post("/v1/events", json=FLIGHTS).json()["accepted"] == 3
    assert client.post("/v1/fold", headers=bearer).json()["slots"] == 2
    return client


def test_an_answer_with_its_proof(loaded: TestClient) -> None:
    answer = loaded.post("/v1/query", json=QUESTION).json()
    assert answer["rows"] == [
        {"time": "2013-01-01", "flights": 3, "aircraft": 3},
        {"time": "2013-01-02", "flights": 0, "aircraft": 0},
    ]
    assert answer["proof"]["source"] == "rollup"
    assert answer["proof"]["exact"] == {"flights": True, "aircraft": True}


def test_the_reply_is_the_desks_answer(house: House, loaded: TestClient) -> None:
    direct = house.rooms.desk.ask(decode(QUESTION)).as_json()
    reply = loaded.post("/v1/query", json=QUESTION).json()
    assert reply["proof"].pop("cached"), "the desk has kept its answer"
    assert reply["proof"].pop("ageSeconds") == 0
    assert reply == json.loads(json.dumps(direct))


def test_a_question_may_come_as_gzip(loaded: TestClient) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    reply = loaded.post("/v1/query", content=gzip.compress(json.dumps(QUESTION).encode()), headers=headers)
    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"metrics": ["fligths"]}, "did you mean 'flights'?"),
        ({"by": ["orgin"]}, "did you mean 'origin'?"),
        ({"grain": "dya"}, "did you mean 'day'?"),
        ({"form": "2013-01-01"}, "did you mean 'from'?"),
        ({"timezone": "America/New_Yorc"}, "did you mean 'America/New_York'?"),
        ({"where": [{"dimension": "carier", "op": "=", "value": "UA"}]}, "did you mean 'carrier'?"),
    ],
)
def test_a_wrong_name_is_told_with_the_nearest_right_one(
    shared: TestClient, change: dict[str, Any], hint: str
) -> None:
    shared.post("/v1/events", json=FLIGHTS)
    reply = shared.post("/v1/query", json={**QUESTION, **change})
    assert reply.status_code == 400
    assert hint in reply.json()["hint"]


def test_all_that_is_wrong_with_a_question_is_told_at_once(shared: TestClient) -> None:
    shared.post("/v1/events", json=FLIGHTS)
    wrong = {**QUESTION, "metrics": ["fligths"], "grain": "dya", "timezone": "nowhere"}
    reply = shared.post("/v1/query", json=wrong)
    assert (reply.status_code, len(reply.json()["errors"])) == (400, 3)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "not_json"),
        (b"[1]", 400, "invalid_request"),
        (b'{"tenant": "nyc"}', 400, "invalid_request"),
        (b'{"tenant": 1, "metrics": ["flights"]}', 400, "invalid_request"),
    ],
)
def test_a_question_that_is_none(shared: TestClient, content: bytes, status: int, code: str) -> None:
    reply = shared.post("/v1/query", content=content, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["code"]) == (status, code)


def test_a_tenant_that_nobody_knows_betrays_no_other(loaded: TestClient) -> None:
    reply = loaded.post("/v1/query", json={**QUESTION, "tenant": "nyk"})
    assert reply.status_code == 400
    assert "nyc" not in reply.text


def test_a_question_does_not_come_as_lines(shared: TestClient) -> None:
    headers = {"Content-Type": "application/x-ndjson"}
    assert shared.post("/v1/query", content=b"{}", headers=headers).status_code == 415


def test_too_many_buckets_are_too_large_a_question(shared: TestClient) -> None:
    shared.post("/v1/events", json=FLIGHTS)
    wide = {**QUESTION, "from": "2005-01-01", "to": "2013-01-01", "grain": "slot"}
    reply = shared.post("/v1/query", json=wide)
    assert (reply.status_code, reply.json()["code"]) == (422, "question_too_large")


def test_what_can_be_asked(house: House, client: TestClient) -> None:
    reply = client.get("/v1/models").json()
    assert reply == models_json(house.rooms.model)
    assert reply["version"] == house.rooms.model.version
    flights, visits, arrivals = reply["streams"]
    assert [each["name"] for each in (flights, visits, arrivals)] == ["flights", "visits", "ingest"]
    assert {"ingest_refused", "ingest_success_rate"} <= {each["name"] for each in reply["metrics"]}
    assert flights["dimensions"] == ["carrier", "origin", "dest"]
    delay = next(field for field in flights["fields"] if field["name"] == "dep_delay")
    assert (delay["type"], delay["unit"], delay["minimum"]) == ("integer", "minutes", -1440)
    departed = next(each for each in flights["measures"] if each["name"] == "never_departed")
    assert departed["where"] == "dep_time is null"
    assert len({rollup["hash"] for rollup in flights["rollups"]}) == len(flights["rollups"])
    assert "tenants" not in reply
    assert "nyc" not in client.get("/v1/models").text


def test_what_is_behind_a_metric(shared: TestClient) -> None:
    reply = shared.get("/v1/metrics/cancellation_rate").json()
    assert reply["formula"] == "never_departed / scheduled"
    assert [measure["name"] for measure in reply["measures"]] == ["never_departed", "scheduled"]
    assert {rollup["name"] for rollup in reply["rollups"]} == {
        "network", "origin", "carrier", "origin_carrier", "route",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "hint"), [("fligths", "did you mean 'flights'?"), ("zzzz", "known: ")])
def test_a_metric_that_is_none(shared: TestClient, name: str, hint: str) -> None:
    reply = shared.get(f"/v1/metrics/{name}")
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
    assert hint in reply.json()["hint"]


def test_the_operators_view(house: House, loaded: TestClient, bearer: dict[str, str]) -> None:
    reply = loaded.get("/v1/doctor", headers=bearer).json()
    rooms = house.rooms
    again = doctor_json(rooms.engine.statistics(), rooms.store, rooms.model, rooms.lag.lags())
    assert reply["fileBytesPerEvent"] > 0
    assert reply["store"] == str(house.rooms.settings.data / "control.db")
    assert reply["storeVersion"].startswith("SQLite 3.")
    moving = {"fileBytes": 0, "fileBytesPerEvent": 0}
    assert {**reply, **moving} == {**again, **moving}
    assert reply["streams"] == [
        {
            "stream": "flights",
            "tenant": "nyc",
            "events": 3,
            "first": "2013-01-01T10:15:00+00:00",
            "last": "2013-01-01T10:30:00+00:00",
            "dirtySlots": 0,
        }
    ]
    assert reply["outcomes"] == {"accepted": 3}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, 200),
        ({"json": {}}, 200),
        ({"json": {"slots": 3}}, 400),
        ({"json": []}, 400),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"a=b", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 415),
        ({"content": b"{}" + b" " * 2_000, "headers": {"Content-Type": "application/json"}}, 413),
    ],
)
def test_a_fold_takes_nothing(
    shared: TestClient, bearer: dict[str, str], more: dict[str, Any], status: int
) -> None:
    more["headers"] = {**more.get("headers", {}), **bearer}
    assert shared.post("/v1/fold", **more).status_code == status


def test_own_metrics(loaded: TestClient) -> None:
    loaded.get("/v1/metrics/flights")
    loaded.get("/v1/metrics/fligths")
    loaded.get("/nothing/of/mine")
    loaded.get("/health", headers={"Host": "evil.example"})
    reply = loaded.get("/internal/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=")
    text = reply.text
    assert 'aforo_http_requests_total{route="/v1/events",status="202"} 1.0' in text
    assert 'aforo_http_requests_total{route="/v1/metrics/{name}",status="200"} 1.0' in text
    assert 'aforo_http_requests_total{route="/v1/metrics/{name}",status="404"} 1.0' in text
    assert 'aforo_http_requests_total{route="unmatched",status="404"} 1.0' in text
    assert 'aforo_http_requests_total{route="unmatched",status="403"} 1.0' in text
    assert 'aforo_http_request_seconds_count{route="/v1/fold"} 1.0' in text
    assert 'aforo_events_accepted_total{stream="flights"} 3.0' in text
    assert "of/mine" not in text
