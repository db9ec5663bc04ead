"""Backfills over HTTP: planned, begun, watched, paused and cancelled by the admin, and told in the audit."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient
from tests.http.conftest import House

from aforo.http import backfill_examples, examples
from aforo.http.backfills_shown import BackfillList, BackfillReply, PlanReply, shown
from aforo.store.backfill import Backfill, BackfillState, Part
from aforo.windows import SLOT

WINDOW = {"stream": "flights", "tenants": ["nyc"], "from": "2013-01-01", "to": "2013-01-31"}


def filled(client: TestClient, bearer: dict[str, str]) -> None:
    for event in examples.EVENTS.values():
        assert client.post("/v1/events", json=event).status_code == 202
    assert client.post("/v1/fold", headers=bearer).status_code == 200


def post(client: TestClient, bearer: dict[str, str], path: str, body: Any = None) -> Any:
    return client.post(f"/v1/backfills{path}", json=body, headers=bearer)


def test_a_backfill_from_its_plan_to_its_end(
    house: House, client: TestClient, bearer: dict[str, str]
) -> None:
    filled(client, bearer)
    plan = post(client, bearer, "/plan", WINDOW).json()
    (tenant,) = plan["tenants"]
    assert (plan["slots"], plan["events"], tenant["tenant"]) == (2, 3, "nyc")
    assert (tenant["from"], tenant["to"]) == ("2013-01-01T05:00:00+00:00", "2013-02-01T05:00:00+00:00")
    begun = post(client, bearer, "", WINDOW)
    assert begun.status_code == 202
    assert (begun.json()["state"], begun.json()["progress"]) == ("running", 0.0)
    path = f"/{begun.json()['id']}"
    twice = post(client, bearer, "", WINDOW)
    assert (twice.status_code, twice.json()["code"]) == (409, "conflict")
    assert post(client, bearer, f"{path}/pause").json()["state"] == "paused"
    assert house.rooms.backfiller.run_once() is None
    assert post(client, bearer, f"{path}/resume").json()["state"] == "running"
    while house.rooms.backfiller.run_once() is not None:
        house.rooms.folder.run_until_clean()
    done = client.get(f"/v1/backfills{path}", headers=bearer).json()
    assert (done["state"], done["progress"], done["eventsDone"], done["secondsLeft"]) == (
        "done",
        1.0,
        3,
        None,
    )
    ended = client.delete(f"/v1/backfills{path}", headers=bearer)
    assert (ended.status_code, ended.json()["hint"]) == (409, "begin another one")
    acts = client.get("/v1/audit", headers=bearer).json()["acts"]
    assert [act["action"] for act in acts[:3]] == ["backfill_resumed", "backfill_paused", "backfill_started"]


def test_lists_by_the_page_and_cancelling(client: TestClient, bearer: dict[str, str]) -> None:
    filled(client, bearer)
    made = []
    for _ in range(3):
        made.append(post(client, bearer, "", WINDOW).json()["id"])
        cancelled = client.delete(f"/v1/backfills/{made[-1]}", headers=bearer).json()
        assert cancelled["state"] == "cancelled"
    first = client.get("/v1/backfills?limit=2", headers=bearer).json()
    rest = client.get(f"/v1/backfills?cursor={first['nextCursor']}", headers=bearer).json()
    found = [each["id"] for each in (*first["backfills"], *rest["backfills"])]
    assert sorted(found) == sorted(made)
    assert rest["nextCursor"] is None


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ([], 400, "no object"),
        ({}, 400, "stream"),
        ({"stream": "flights", "form": "2013-01-01"}, 400, "did you mean 'from'?"),
        ({"stream": "flights", "tenants": []}, 400, "empty list"),
        ({"stream": "flihgts"}, 400, "did you mean 'flights'?"),
        ({"stream": "flights"}, 400, "nothing of flights"),
        ({"tenants": ["nyc", 5], "from": 2013, "upto": "x"}, 400, "upto, stream, tenants[1], from"),
        ({"stream": "flights", "from": "2013-02-30", "to": "soon"}, 400, "from, to"),
        ({"stream": "flights", "tenants": ["lax", "", "sfo"]}, 400, "tenants[0], tenants[1], tenants[2]"),
    ],
)
def test_mistakes(client: TestClient, bearer: dict[str, str], body: object, status: int, told: str) -> None:
    """All that is wrong is told at once; here by a word of it, or by the places."""
    reply = post(client, bearer, "", body)
    assert reply.status_code == status
    assert told in reply.text or told == ", ".join(each["path"] for each in reply.json()["errors"])


def test_none_of_it_without_an_admin(client: TestClient, bearer: dict[str, str]) -> None:
    assert client.post("/v1/backfills", json=WINDOW).status_code == 503  # no key was made yet
    for reply in (
        client.get("/v1/backfills/bf_x", headers=bearer),
        post(client, bearer, "/bf_x/pause"),
        client.delete("/v1/backfills/bf_x", headers=bearer),
    ):
        assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("example", "shape"),
    [
        (backfill_examples.BACKFILLS, BackfillReply),
        (backfill_examples.BACKFILL_LISTS, BackfillList),
        (backfill_examples.BACKFILL_PLANS, PlanReply),
    ],
)
def test_the_examples_have_the_shape_that_is_told(example: Any, shape: type) -> None:
    for each in example.values():
        back = msgspec.to_builtins(msgspec.convert(each, shape))
        assert json.loads(json.dumps(back)) == json.loads(json.dumps(each))


def test_progress_is_by_the_work_and_not_by_the_slots_alone() -> None:
    """What is done is half of the slots, and most of the events."""
    busy = Part(
        tenant="busy",
        start=0,
        end=SLOT,
        slots=100,
        events=3_000_000,
        done_from=0,
        slots_done=100,
        events_done=3_000_000,
        batches=1,
        seconds=40.0,
        batch=None,
    )
    quiet = replace(busy, tenant="quiet", done_from=SLOT, slots_done=0, events=0, events_done=0)
    half = Backfill(
        id="bf_x",
        stream="flights",
        state=BackfillState.RUNNING,
        created_by="admin",
        created_at=0,
        changed_at=0,
        finished_at=None,
        reason="",
        parts=(busy, quiet),
    )
    reply = shown(half, (100, 3_000_000, 40.0))
    assert (reply.slots_done / reply.slots, reply.events_done / reply.events) == (0.5, 1.0)
    assert reply.progress == 0.9995
    assert reply.seconds_left == 0.0
    assert shown(replace(half, state=BackfillState.PAUSED), (0, 0, 0.0)).seconds_left is None
