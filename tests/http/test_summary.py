"""`GET /v1/metrics/summary`: who may ask it, of whom, and how it says no."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message
from tests.http.conftest import House, settings_in, standing

from aforo.model.reading import read_model
from aforo.packs import model_file
from aforo.packs.web.asked import PARAMETERS
from aforo.settings import Access, Web
from aforo.store.act import Actor
from aforo.store.key import KeyScope, NewKey, Principal, PrincipalKind

PATH = "/v1/metrics/summary"
ADMIN = {"x-admin-key": "correct-horse-battery-staple-of-the-admin"}
VIEW = {"event": "page_view", "visitor_id": "v"}


def site(folder: Path, **access: Any) -> Iterator[House]:
    """A house with the pack; the property where none is named is `mine`."""
    told = settings_in(folder)
    told = replace(told, access=replace(Access(), **access), web=replace(Web(), default_property="mine"))
    return standing(told, read_model(model_file("web").read_bytes(), source="web"))


@pytest.fixture(scope="module")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a house without keys, on the loopback."""
    for house in site(tmp_path_factory.mktemp("open")):
        with house.client(raise_server_exceptions=False) as client:
            bring(client, {})
            house.rooms.folder.run_until_clean()
            yield client


@dataclass(frozen=True)
class Keyed:
    """A house with an admin's key and events of two tenants, and a client of it."""

    house: House
    client: TestClient
    yours: Mapping[str, str]  # a key that is bound to the tenant `yours`


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    access = {"admin_key": ADMIN["x-admin-key"], "wrong_keys_per_minute": 0}
    for house in site(tmp_path_factory.mktemp("keyed"), **access):
        with house.client() as client:
            bring(client, {"Authorization": f"Bearer {ADMIN['x-admin-key']}"})
            house.rooms.folder.run_until_clean()
            yield Keyed(house, client, key(house, KeyScope.READ, tenants=("yours",)))


def bring(client: TestClient, headers: Mapping[str, str]) -> None:
    for tenant, count in (("mine", 2), ("yours", 5)):
        events = [
            {"stream": "web_events", "tenant": tenant, "id": f"{at}", "fields": VIEW} for at in range(count)
        ]
        reply = client.post("/v1/events", json={"events": events}, headers=dict(headers))
        assert reply.json()["accepted"] == count, reply.text


def key(
    house: House, *scopes: KeyScope, tenants: tuple[str, ...] = (), burst: int | None = None
) -> dict[str, str]:
    made = NewKey(
        name="k",
        principal=Principal(PrincipalKind.TEAM, "sites"),
        scopes=frozenset(scopes),
        tenants=frozenset(tenants) or None,
        requests_per_second=None if burst is None else 1.0,
        burst_requests=burst,
    )
    _, secret = house.rooms.ring.create(made, Actor("test", None))
    return {"x-api-key": secret}


def views(reply: Any) -> int:
    found: int = reply.json()["metrics"]["totalPageViews"]["value"]
    return found


def test_of_the_default_property_where_none_is_named(unlocked: TestClient) -> None:
    assert views(unlocked.get(PATH)) == 2
    assert views(unlocked.get(PATH, params={"propertyId": "yours"})) == 5


def test_the_default_property_has_zeros_before_its_first_event(tmp_path: Path) -> None:
    """What is defined of nothing is 0, all else is null; another that nobody knows is still unknown."""
    for house in site(tmp_path):
        with house.client() as client:
            for _ in range(2):
                reply = client.get(PATH, params={"compareTo": "previous", "from": "2013-01-30"})
                assert reply.status_code == 200, reply.text
                told = reply.json()
                metrics = told["metrics"]
                assert metrics.pop("trafficSourceMix") == {}
                assert {name: each["value"] for name, each in metrics.items()} == {
                    "uniqueVisitors": 0,
                    "returningVisitorsPct": None,
                    "totalPageViews": 0,
                    "leadCaptureRate": None,
                    "formCompletionRate": None,
                    "landingPageConversionRate": None,
                    "avgTimeToFirstCaptureHrs": None,
                }
                assert {each["delta"] for each in metrics.values()} == {None}
                assert told["ingest"] == {
                    "successPct": None,
                    "p95TtfbMs": None,
                    "totalEventsAccepted": 0,
                    "totalEventsRejected": 0,
                }
                assert [(day["uniqueVisitors"], day["newLeads"]) for day in told["trend"]] == [(0, 0)] * 3
                proof = told["proof"]["parts"]["traffic"]
                assert (proof["source"], proof["rowsRead"], proof["staleSeconds"]) == ("rollup", 0, 0)
            assert client.get(PATH, params={"propertyId": "nobody"}).status_code == 400
            asked = {"tenant": "mine", "metrics": ["web_page_views"]}
            assert client.post("/v1/query", json=asked).json()["code"] == "unknown_name"
            bring(client, {})
            house.rooms.folder.run_until_clean()
            assert views(client.get(PATH)) == 2


@pytest.mark.parametrize(
    ("parameters", "code", "told"),
    [
        ({"form": "2013-01-01"}, "unknown_name", "did you mean 'from'?"),
        ({"from": "2011-01-01"}, "invalid_request", "400 at most"),
        ({"propertyId": "nobody"}, "unknown_name", "from its first event on"),
    ],
)
def test_a_wrong_question_is_told_in_both_ways(
    unlocked: TestClient, parameters: dict[str, str], code: str, told: str
) -> None:
    reply = unlocked.get(PATH, params=parameters)
    problem = reply.json()
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")
    assert (problem["ok"], problem["error"], problem["code"]) == (False, code, code)
    assert told in problem["detail"] + problem["hint"]


def test_other_routes_problems_stay_as_they_are(unlocked: TestClient) -> None:
    assert not {"ok", "error"} & unlocked.get("/v1/metrics/nothing").json().keys()


def test_what_nobody_foresaw_is_flagged_too(unlocked: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("aforo.http.summary.summary", broken)
    reply = unlocked.get(PATH)
    assert (reply.status_code, reply.json()["ok"], reply.json()["error"]) == (500, False, "internal_error")


def test_without_the_pack_it_says_which_one(client: TestClient) -> None:
    reply = client.get(PATH)
    assert (reply.status_code, reply.json()["error"]) == (422, "not_servable")
    assert "AFORO_PACKS=web" in reply.json()["hint"]


def test_missing_wrong_and_valid_keys(keyed: Keyed) -> None:
    for headers in ({}, {"x-admin-key": "wrong"}, {"x-api-key": "wrong"}):
        reply = keyed.client.get(PATH, headers=headers)
        assert (reply.status_code, reply.json()["error"]) == (401, "unauthorized")
        assert reply.json()["ok"] is False
    assert views(keyed.client.get(PATH, headers=ADMIN)) == 2
    assert views(keyed.client.get(PATH, headers=key(keyed.house, KeyScope.READ))) == 2
    reply = keyed.client.get(PATH, headers=key(keyed.house, KeyScope.INGEST))
    assert (reply.status_code, reply.json()["error"]) == (403, "forbidden")


def test_where_no_key_opens_it_that_is_said(tmp_path: Path) -> None:
    for house in site(tmp_path):
        ingest = key(house, KeyScope.INGEST)  # the server is not open any more, and nothing opens this
        with house.client() as client:
            for headers in ({}, {"x-admin-key": "wrong"}):
                reply = client.get(PATH, headers=headers)
                assert (reply.status_code, reply.json()["error"]) == (503, "admin_auth_not_configured")
                assert reply.json()["ok"] is False
            assert client.get(PATH, headers=ingest).status_code == 403


def test_a_tenant_s_key_asks_of_its_own_without_saying_so(keyed: Keyed) -> None:
    assert views(keyed.client.get(PATH, headers=dict(keyed.yours))) == 5


def test_who_asks_the_same_at_once_is_told_one_reading_and_no_other_key_is(keyed: Keyed) -> None:
    """Also where two keys may ask the same of the same tenant; and each question counts for its key."""
    same = key(keyed.house, KeyScope.READ, tenants=("yours",), burst=4)
    any_ = key(keyed.house, KeyScope.READ)
    asked: list[tuple[str, Mapping[str, str]]] = [
        *[("propertyId=yours", keyed.yours)] * 3,
        *[("propertyId=yours", same)] * 2,
        ("propertyId=yours", ADMIN),
        ("", keyed.yours),
        *[("", any_)] * 2,
        *[("propertyId=mine", keyed.yours)] * 2,
        *[("propertyId=yours", same)] * 3,
    ]
    before = _joined(keyed)
    told = asyncio.run(_asked_at_once(keyed.house.app, asked))
    assert _joined(keyed) - before == 2 + 3 + 1 + 1
    found = [
        (status, body["metrics"]["totalPageViews"]["value"], body["proof"].get("askedTogether"))
        if status == 200
        else (status, body["code"], None)
        for status, _, body in told
    ]
    assert found == [
        *[(200, 5, 3)] * 3,
        *[(200, 5, 4)] * 2,
        (200, 5, None),
        (200, 5, None),
        *[(200, 2, 2)] * 2,
        *[(403, "not_your_tenant", None)] * 2,
        *[(200, 5, 4)] * 2,
        (429, "too_many_requests", None),
    ]
    assert [told[at][1]["ratelimit"] for at in (3, 4, 11, 12)] == [
        f'"key";r={r};t={4 - r}' for r in (3, 2, 1, 0)
    ]


def _joined(keyed: Keyed) -> float:
    lines = keyed.house.rooms.telemetry.exposition().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("aforo_questions_joined_total"))


async def _asked_at_once(
    app: ASGIApp, asked: Sequence[tuple[str, Mapping[str, str]]]
) -> list[tuple[int, dict[str, str], Any]]:
    """Statuses, headers and bodies of questions that the loop hears before it has anything read."""

    async def one(query: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], Any]:
        sent: list[Message] = []
        scope = {
            "type": "http",
            "method": "GET",
            "path": PATH,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }

        async def nothing() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def keep(message: Message) -> None:
            sent.append(message)

        await app(scope, nothing, keep)
        replied = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], replied, json.loads(sent[1]["body"])

    return await asyncio.gather(*(one(query, headers) for query, headers in asked))


WORDS = st.sampled_from(["mine", "mine ", "MINE", "yours", "*", "", "?", "yours&propertyId=mine", "previous"])


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from([*PARAMETERS, "tenant", "property"]), WORDS), st.booleans())
def test_no_parameter_shows_another_tenant_s(keyed: Keyed, parameters: dict[str, str], twice: bool) -> None:
    pairs = [*parameters.items(), *([("propertyId", "mine")] if twice else [])]
    reply = keyed.client.get(PATH, params=pairs, headers=dict(keyed.yours))
    if reply.status_code == 200:
        assert views(reply) == 5
    else:
        assert reply.json()["code"] in ("not_your_tenant", "unknown_name", "invalid_request")


def test_the_reference_tells_the_shapes(unlocked: TestClient) -> None:
    document = unlocked.get("/openapi.json").json()
    operation = document["paths"][PATH]["get"]
    schemas = document["components"]["schemas"]
    assert {each["name"] for each in operation["parameters"]} == set(PARAMETERS)
    assert operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Summary")
    assert schemas["SummaryMetrics"]["properties"].keys() >= {"uniqueVisitors", "trafficSourceMix"}
    for status in ("400", "401", "403", "422", "503"):
        content = operation["responses"][status]["content"]["application/problem+json"]
        assert content["schema"]["$ref"].endswith("/FlaggedProblem")
    assert {"ok", "error"} <= schemas["FlaggedProblem"]["properties"].keys()
    assert {"adminKey": []} in operation["security"]
