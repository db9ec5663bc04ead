"""A server with keys: what each opens, where it may stand, how often it may come, and what is kept of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route
from starlette.testclient import TestClient
from tests.http.conftest import House, settings_in, standing

from aforo.http import examples
from aforo.http.caller import KeyScope
from aforo.settings import Access

ADMIN = "an-admin-key-for-the-tests"
THEIRS = "tenant-of-others"
PAGE = "https://shop.example"
QUESTION = {"metrics": ["flights"], "from": "2013-01-01", "to": "2013-01-31"}


class Keyed:
    """A server whose admin key is known, and keys made as an admin makes them."""

    def __init__(self, house: House, client: TestClient) -> None:
        self.house = house
        self.client = client

    def make(self, **asked: Any) -> str:
        reply = self.client.post("/v1/keys", json={"name": "k", **asked}, headers=bearer(ADMIN))
        assert reply.status_code == 201, reply.text
        return str(reply.json()["secret"])

    def ask(self, method: str, path: str, key: str | None = None, **more: Any) -> tuple[int, Any]:
        headers = {**({} if key is None else bearer(key)), **more.pop("headers", {})}
        reply = self.client.request(method, path, headers=headers, **more)
        is_json = reply.headers.get("content-type", "").endswith("json")
        return reply.status_code, reply.json().get("code") if is_json else None


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def keyed_in(folder: Path, **access: Any) -> Iterator[Keyed]:
    for house in standing(replace(settings_in(folder), access=Access(admin_key=ADMIN, **access))):
        with house.client() as client:
            yield Keyed(house, client)


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[Keyed]:
    yield from keyed_in(tmp_path)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    yield from keyed_in(tmp_path_factory.mktemp("keyed"))


ROUTES = {
    KeyScope.INGEST: [("POST", "/v1/events")],
    KeyScope.READ: [
        ("POST", "/v1/query"),
        ("POST", "/v1/query/explain"),
        ("POST", "/v1/retention"),
        ("POST", "/v1/funnel"),
        ("GET", "/v1/models"),
        ("GET", "/internal/metrics"),
    ],
    KeyScope.OPERATE: [
        ("POST", "/v1/fold"),
        ("GET", "/v1/doctor"),
        ("POST", "/v1/drift"),
        ("GET", "/v1/drift"),
    ],
    KeyScope.ADMIN: [
        ("GET", "/v1/keys"),
        ("POST", "/v1/keys"),
        ("DELETE", "/v1/keys/x"),
        ("GET", "/v1/audit"),
    ],
}


@pytest.mark.parametrize(("method", "path"), list(chain(*ROUTES.values())))
def test_a_key_opens_its_scopes_and_no_others(lasting: Keyed, method: str, path: str) -> None:
    body = {} if method == "GET" else {"json": {}}
    assert lasting.ask(method, path, **body) == (401, "unauthorized")
    assert lasting.ask(method, path, "aforo_" + "x" * 43, **body) == (401, "unauthorized")
    wanted = next(scope for scope, routes in ROUTES.items() if (method, path) in routes)
    for scope in KeyScope:
        status, code = lasting.ask(method, path, lasting.make(scopes=[scope]), **body)
        assert ((status, code) == (403, "forbidden")) == (scope not in (wanted, KeyScope.ADMIN)), scope
        assert status != 401


@pytest.mark.parametrize("path", ["/health", "/ready", "/docs", "/openapi.json"])
def test_what_is_open_to_all(lasting: Keyed, path: str) -> None:
    assert lasting.client.get(path, headers={"Host": "any.example"}).status_code == 200


def test_every_place_of_a_key(lasting: Keyed) -> None:
    secret = lasting.make(scopes=["ingest"])
    public = lasting.make(kind="public", tenants=["nyc"], origins=[PAGE])
    basic = {"Authorization": "Basic " + base64.b64encode(f"{public}:".encode()).decode()}
    event = {key: value for key, value in examples.UA_1545.items() if key != "tenant"}
    form = urlencode({"writeKey": public, "events": json.dumps(event)}).encode()
    as_form = {"Content-Type": "application/x-www-form-urlencoded"}
    beacon = {"Content-Type": "text/plain;charset=UTF-8", "Origin": PAGE}
    assert lasting.ask("POST", "/v1/events", secret, json=event)[0] == 202
    for headers in ({"x-api-key": public}, bearer(public), basic):
        assert lasting.ask("POST", "/v1/events", json=event, headers=headers)[0] == 202
    path = f"/v1/events?writeKey={public}"
    assert lasting.ask("POST", path, content=json.dumps(event), headers=beacon)[0] == 202
    assert lasting.ask("POST", "/v1/events", content=form, headers=as_form)[0] == 202
    hidden = urlencode({"writeKey": secret, "events": "{}"}).encode()
    assert lasting.ask("POST", f"/v1/events?writeKey={secret}", json=event) == (401, "unauthorized")
    assert lasting.ask("POST", "/v1/events", content=hidden, headers=as_form) == (401, "unauthorized")
    assert lasting.ask("POST", "/v1/events", secret, content=b"{}", headers=beacon) == (
        415,
        "unsupported_body",
    )
    assert lasting.ask("GET", f"/v1/models?writeKey={public}") == (401, "unauthorized")
    assert lasting.ask("GET", "/v1/keys", headers={"x-admin-key": ADMIN})[0] == 200
    elsewhere = lasting.client.get("/v1/models", headers={"x-admin-key": ADMIN})
    assert (elsewhere.status_code, "none came" in elsewhere.text) == (401, False)
    assert "x-admin-key is for the operator's addresses" in elsewhere.text
    assert lasting.ask("POST", f"/v1/events?writeKey={ADMIN}", json=event) == (401, "unauthorized")


def test_a_public_key_is_for_its_pages(lasting: Keyed) -> None:
    public = lasting.make(kind="public", tenants=["nyc"], origins=[PAGE])
    for origin, status in ((PAGE, 202), ("https://evil.example", 403), ("null", 403)):
        headers = {"Origin": origin, "x-api-key": public}
        assert lasting.ask("POST", "/v1/events", json={"events": []}, headers=headers)[0] == status
    preflight = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    reply = lasting.client.options("/v1/events", headers=preflight)
    assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (204, PAGE)
    reply = lasting.client.options("/v1/events", headers={**preflight, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in reply.headers
    told = lasting.client.get("/v1/models", headers={"Origin": PAGE})
    assert (told.status_code, told.headers["access-control-allow-origin"]) == (401, PAGE)


def test_the_first_key_shuts_an_open_server_and_the_last_revoked_opens_none(
    client: TestClient, bearer: dict[str, str]
) -> None:
    assert client.get("/v1/models").status_code == 200
    assert client.get("/v1/keys").json()["code"] == "admin_auth_not_configured"
    made = client.post("/v1/keys", json={"name": "k", "scopes": ["admin"]}, headers=bearer).json()
    key = {"x-api-key": made["secret"]}
    assert (client.get("/v1/models").status_code, client.get("/v1/models", headers=key).status_code) == (
        401,
        200,
    )
    assert client.delete(f"/v1/keys/{made['key']['id']}", headers=key).json()["state"] == "revoked"
    reply = client.get("/v1/models", headers=key)
    assert (reply.status_code, "was revoked" in reply.json()["detail"]) == (401, True)
    assert client.get("/v1/models").status_code == 401
    assert client.get("/v1/keys", headers=key).json()["code"] == "admin_auth_not_configured"
    assert client.get("/v1/keys", headers=bearer).status_code == 200


def test_a_key_ends_when_it_said(keyed: Keyed) -> None:
    key = keyed.make(scopes=["read"], expiresAt="2013-02-01T00:00:10Z")
    assert keyed.ask("GET", "/v1/models", key)[0] == 200
    keyed.house.clock.advance(10)
    assert keyed.ask("GET", "/v1/models", key)[0] == 401


@pytest.mark.parametrize(
    ("asked", "paths"),
    [
        ({}, ["scopes"]),
        ({"scopes": ["reed"]}, ["scopes[0]"]),
        ({"scopes": ["read"], "nam": 1}, ["nam"]),
        ({"kind": "public", "scopes": ["read"]}, ["scopes", "tenants", "origins"]),
        ({"kind": "public", "tenants": ["a"], "origins": ["shop.example"]}, ["origins[0]"]),
        ({"scopes": ["read"], "tenants": [], "origins": [PAGE]}, ["tenants", "origins"]),
        (
            {"scopes": ["read"], "burstRequests": 0, "expiresAt": "2012-01-01T00:00:00Z"},
            ["burstRequests", "expiresAt"],
        ),
        ({"scopes": ["read"], "name": "\n", "requestsPerSecond": -1}, ["name", "requestsPerSecond"]),
    ],
)
def test_a_key_that_cannot_be(lasting: Keyed, asked: dict[str, Any], paths: list[str]) -> None:
    reply = lasting.client.post("/v1/keys", json={"name": "k", **asked}, headers=bearer(ADMIN))
    assert reply.status_code == 400
    assert [error["path"] for error in reply.json()["errors"]] == paths


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/retention", {"metric": "aircraft"}),
        ("/v1/funnel", {"entity": "aircraft", "stream": "flights", "steps": [{}]}),
    ],
)
def test_who_came_is_told_of_the_keys_own_tenant(keyed: Keyed, path: str, asked: dict[str, Any]) -> None:
    key = keyed.make(scopes=["read"], tenants=["nyc"])
    for body, reply in (
        (asked, (200, None)),
        ({**asked, "tenant": "nyc"}, (200, None)),
        ({**asked, "tenant": THEIRS}, (403, "not_your_tenant")),
    ):
        assert keyed.ask("POST", path, key, json=body) == reply


def test_events_of_another_tenant_are_refused_and_counted_under_the_keys(keyed: Keyed) -> None:
    key = keyed.make(scopes=["ingest"], tenants=["nyc"])
    unnamed = {name: value for name, value in examples.UA_1714.items() if name != "tenant"}
    events = [
        examples.UA_1545,
        {**examples.UA_1545, "tenant": THEIRS},
        unnamed,
        {"stream": "x", "tenant": THEIRS},
    ]
    receipt = keyed.client.post("/v1/events", json={"events": events}, headers=bearer(key)).json()
    assert receipt["accepted"] == 2
    assert [each["code"] for each in receipt["refused"]] == ["not_your_tenant", "unknown_stream"]
    with keyed.house.rooms.engine._landed() as cursor:  # type: ignore[attr-defined]
        assert cursor.execute("SELECT DISTINCT tenant FROM outcomes").fetchall() == [("nyc",)]


def test_limits_are_told_and_end(tmp_path: Path) -> None:
    for keyed in keyed_in(tmp_path, key_requests_per_second=2, key_burst_requests=2, wrong_keys_per_minute=1):
        key = keyed.make(scopes=["read"])
        assert [keyed.client.get("/v1/models", headers=bearer(key)).status_code for _ in range(3)] == [
            200,
            200,
            429,
        ]
        told = keyed.client.get("/v1/models", headers=bearer(key))
        assert told.json()["code"] == "too_many_requests"
        assert told.headers["retry-after"] == "1"
        assert told.headers["ratelimit-policy"] == '"key";q=2;w=1'
        assert told.headers["ratelimit"] == '"key";r=0;t=1'
        keyed.house.clock.advance(0.5)
        assert keyed.client.get("/v1/models", headers=bearer(key)).headers["ratelimit"] == '"key";r=0;t=1'
        assert [keyed.ask("GET", "/v1/models", "wrong")[0] for _ in range(2)] == [401, 429]
        assert keyed.ask("GET", "/v1/models", keyed.make(scopes=["read"]))[0] == 200


def test_the_audit_tells_of_every_act_and_of_those_turned_away_a_few_times(keyed: Keyed) -> None:
    keyed.make(scopes=["read"])
    assert keyed.ask("POST", "/v1/fold", ADMIN)[0] == 200
    for _ in range(20):
        keyed.ask("GET", "/v1/keys", "wrong")
    acts = keyed.client.get("/v1/audit", headers=bearer(ADMIN)).json()["acts"]
    assert [act["action"] for act in acts] == ["access_refused"] * 5 + ["fold_forced", "key_created"]
    page = keyed.client.get("/v1/audit?limit=6", headers=bearer(ADMIN)).json()
    rest = keyed.client.get(f"/v1/audit?cursor={page['nextCursor']}", headers=bearer(ADMIN)).json()
    assert page["acts"] + rest["acts"] == acts
    assert rest["nextCursor"] is None
    for query in ("limit=0", "limit=x", "cursor=x", "cursor=IngiCg"):
        assert keyed.ask("GET", f"/v1/audit?{query}", ADMIN) == (400, "invalid_request")


def test_when_a_key_was_used_is_written_later(keyed: Keyed) -> None:
    key = keyed.make(scopes=["read"])
    keyed.ask("GET", "/v1/models", key)
    listed = lambda: keyed.client.get("/v1/keys", headers=bearer(ADMIN)).json()["keys"][0]["lastUsedAt"]  # noqa: E731
    assert listed() is None
    keyed.house.rooms.ring.run_once()
    assert listed() == "2013-02-01T00:00:00+00:00"


names = st.one_of(st.just(THEIRS), st.text(max_size=20))


@pytest.mark.no_cover
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names, st.sampled_from(["tenant", "propertyId", "cursor", "limit", "where"]))
def test_no_parameter_of_any_route_shows_another_tenants_data(lasting: Keyed, value: str, name: str) -> None:
    """Law 9, at the rim: a key bound to one tenant, against every route there is."""
    key = lasting.__dict__.setdefault("bound", None) or lasting.make(scopes=["admin"], tenants=["nyc"])
    lasting.__dict__["bound"] = key
    mark = {**examples.UA_1545, "tenant": THEIRS, "id": "THE-MARK"}
    lasting.client.post("/v1/events", json=mark, headers=bearer(ADMIN))
    for route in lasting.house.app.routes:
        assert isinstance(route, Route)
        (method,) = (route.methods or {"GET"}) - {"HEAD"}
        path = route.path.replace("{name}", "flights").replace("{id}", "x")
        body = {} if method in ("GET", "DELETE") else {"json": {**QUESTION, name: value}}
        said = [lasting.client.request(method, path, params={name: value}, headers=bearer(key), **body)]
        if body:
            said.append(lasting.client.request(method, path, headers=bearer(key), **body))
        for each in said:
            assert each.status_code < 500
            shown = each.text.replace(value, "") if value else each.text
            assert each.status_code >= 300 or THEIRS not in shown, path
        if (method, path) == ("POST", "/v1/query") and name == "tenant" and value != "nyc":
            told = (400, "not_json") if "\0" in value else (403, "not_your_tenant")
            assert (said[-1].status_code, said[-1].json()["code"]) == told
