"""Queues over HTTP: what waits, what was given up and why, and that it is tried again."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from tests.http.conftest import House, filled
from tests.http.desk_of_runs import Desk, ratio

from aforo.buses.bus import Message
from aforo.store import outbox
from aforo.store.channel import Channel


@pytest.fixture
def desk(house: House, client: TestClient, bearer: dict[str, str]) -> Desk:
    return Desk(house, client, bearer)


def depth(desk: Desk, name: str) -> tuple[int, int, int]:
    [found] = [each for each in desk.get("/queues")["queues"] if each["name"] == name]
    return found["waiting"], found["inHand"], found["buried"]


def test_a_request_goes_from_the_outbox_into_its_queue(desk: Desk) -> None:
    desk.requested()
    assert (depth(desk, "outbox"), depth(desk, "metric-run-requests")) == ((1, 0, 0), (0, 0, 0))
    assert desk.house.rooms.reactive.relay.run_once() == 1
    assert (depth(desk, "outbox"), depth(desk, "metric-run-requests")) == ((0, 0, 0), (1, 0, 0))
    names = [each["name"] for each in desk.get("/queues")["queues"]]
    assert names == ["outbox", *map(str, Channel)]


def test_what_can_never_be_taken_is_buried_shown_and_tried_again(desk: Desk) -> None:
    reactive, name = desk.house.rooms.reactive, "projection-updates"
    body = b'{"type": "ProjectionUpdateEvent", "datasetId": "cars"}'
    reactive.bus.topic(Channel.PROJECTION_UPDATES).publish(Message(body, group="cars", dedup="1"))
    [updates] = [each for each in reactive.consumers if each.run_once()]
    assert depth(desk, name) == (0, 0, 1)
    [buried] = desk.get(f"/queues/{name}/buried")["buried"]
    assert buried["body"] == body.decode()
    assert "updatedAt" in buried["reason"]
    tried = desk.call("POST", f"/queues/{name}/redrive", limit="10")
    assert tried.json() == {"name": name, "redriven": 1}
    assert depth(desk, name) == (1, 0, 0)
    act = desk.get("/v1/audit")["acts"][0]
    assert (act["action"], act["subject"], act["detail"]) == ("messages_redriven", name, "1 messages")
    assert updates.run_once() == 1, "it is buried once more"
    assert depth(desk, name) == (0, 0, 1)


def test_what_the_bus_would_not_take_is_revived(desk: Desk) -> None:
    desk.requested()
    with desk.house.rooms.store.working() as connection:
        [message] = outbox.claim(connection, desk.house.clock.now(), desk.house.clock.now() + 1, 10)
        outbox.bury(connection, message, "no such topic", tries=5)
    assert depth(desk, "outbox") == (0, 0, 1)
    [buried] = desk.get("/queues/outbox/buried")["buried"]
    assert (buried["reason"], '"metricCode":"SHARE"' in buried["body"]) == ("no such topic", True)
    assert desk.call("POST", "/queues/outbox/redrive").json()["redriven"] == 1
    assert depth(desk, "outbox") == (1, 0, 0)
    assert desk.house.rooms.reactive.relay.run_once() == 1


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1"])
def test_mistakes(desk: Desk, limit: str) -> None:
    assert desk.call("POST", "/queues/outbox/redrive", limit=limit).status_code == 400
    unknown = desk.call("POST", "/queues/outbx/redrive")
    assert (unknown.status_code, "did you mean 'outbox'?" in unknown.text) == (404, True)


def test_lists_of_what_is_defined_by_the_page(desk: Desk) -> None:
    desk.define(ratio("A"), ratio("B"), ratio("C", "A", "B"))
    for path, name in (("/metrics", "code"), ("/datasets", "id"), ("/series", "code")):
        whole = [each[name] for each in next(iter(desk.get(path).values()))]
        paged, cursor = [], {}
        while cursor is not None:
            page = desk.get(path, limit="2", **cursor)
            paged += [each[name] for each in next(iter(page.values()))]
            cursor = None if page["nextCursor"] is None else {"cursor": page["nextCursor"]}
        assert paged == whole == sorted(whole)
        assert len(whole) >= 3
    lineage = desk.get("/metrics/C/lineage", tenant="acme")
    assert [each["code"] for each in lineage["madeFrom"]][-2:] == ["A", "B"]
    assert [each["isMetric"] for each in lineage["madeFrom"]] == [False, False, True, True]
    assert [each["code"] for each in desk.get("/metrics/CARS/lineage", tenant="acme")["usedBy"]] == [
        *("A", "B", "C")
    ]


def test_a_series_of_our_own_rollups_is_what_a_question_answers(
    desk: Desk, client: TestClient, bearer: dict[str, str]
) -> None:
    filled(client, bearer)
    dataset = {"id": "rollup:flights:nyc", "series": [{"code": "FLIGHTS", "column": "flights"}]}
    assert desk.call("PUT", "/definitions", {"datasets": [dataset]}, tenant="nyc").status_code == 200
    told = desk.get("/datasets/rollup:flights:nyc/measured", column="flights")
    asked = {"tenant": "nyc", "metrics": ["flights"], "grain": "day"}
    asked |= {"from": told["dates"][0], "to": told["dates"][-1]}
    rows = client.post("/v1/query", json=asked).json()["rows"]
    assert [(row["time"], row["flights"]) for row in rows] == [
        *zip(told["dates"], told["values"], strict=True)
    ]
    assert sum(told["values"]) > 0
    wrong = desk.call("GET", "/datasets/rollup:flights:nyc/measured", column="flight")
    assert (wrong.status_code, "did you mean 'flights'?" in wrong.text) == (400, True)
