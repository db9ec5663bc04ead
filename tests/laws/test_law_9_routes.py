"""Law 9 over HTTP: whatever a tenant's key sends to whichever route, nothing comes back that is another's.

The routes, their parameters and the fields of their bodies are read from the reference. What belongs to the
other tenant is recognisable: names and numbers that stand nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.http.conftest import settings_in, standing

from aforo.model.reading import read_model
from aforo.packs import model_file
from aforo.settings import Access, Settings

ADMIN = {"Authorization": "Bearer an-admin-key-of-this-law"}
MINE, THEIRS = "my-tenant", "zebra-tenant"
WEIGHT = 918_273_645  # of the other's event: it shows in sums that hold it, too
SECRETS = (
    "zebra-who",
    "zebra-place",
    "zebra-id",
    "zebra_field",
    "zebra-key",
    "9182736",
    "zebra-source",
    "918,273",
    "zebra-series",
    "zebra-metric",
    "zebra-file",
)
NOON = "2013-01-02T12:00:00Z"
DAY = {"from": "2013-01-01", "to": "2013-01-31"}
SCOPES = ("ingest", "read", "define", "operate", "support")
SIGHTINGS = read_model(
    """
streams:
  sightings:
    fields: {who: string, place: string, weight: integer}
    entities: {animal: who}
    measures:
      all_seen: count
      weights: {sum: weight}
      spread: {histogram: weight}
      animals: {distinct: animal}
    rollups: {whole: {by: []}, places: {by: [place]}}
metrics:
  seen_often: {formula: all_seen}
  weight: {formula: weights}
  heaviest: {formula: "percentile(spread, 100)"}
  animals: {formula: animals}
""",
    source="sightings",
)
# What a route is asked for one's own, where the reference's example is of what is not there.
OWN: Mapping[str, Any] = {
    "post /v1/events": {"stream": "sightings", "id": "again", "time": NOON, "fields": {"who": "w"}},
    "post /v1/query": {"tenant": MINE, "metrics": ["weight", "heaviest", "animals"], "by": ["place"], **DAY},
    "post /v1/retention": {"tenant": MINE, "metric": "animals", "grain": "week", **DAY},
    "post /v1/funnel": {
        "tenant": MINE, "entity": "animal", "stream": "sightings", **DAY,
        "steps": [{"where": "place = 'here'"}],
    },
    "post /v1/seen": {"tenant": MINE, "entity": "animal", "value": "me"},
    "get /v1/query": {"metrics": "weight,animals", "by": "who", **DAY},
    "get /v1/metrics/summary": {"propertyId": MINE, **DAY},
    "get /v1/metrics/{name}": {"name": "weight"},
    "get /v1/metrics/{name}/explain": {"name": "weight", "day": "2013-01-02"},
    "get /datasets/{id}": {"id": "my-data"},
    "get /metrics/{code}": {"code": "my-metric"},
    "get /metrics/{code}/why": {"code": "my-metric"},
    "get /metrics/{code}/lineage": {"code": "my-metric"},
    "post /metrics/{code}/runs": {"code": "my-metric"},
}  # fmt: skip
# Where the other's key would see its secrets: else nothing is shown by their not being there.
TELLING = {
    *("post /v1/query", "get /v1/query", "get /v1/metrics/{name}/explain", "get /v1/metrics/summary"),
    *("get /v1/refusals", "get /v1/keys"),
    *("get /datasets", "get /series", "get /metrics", "get /runs"),
}


@dataclass(frozen=True)
class Call:
    """A request by its parts, each of which something else may be put into."""

    route: str
    inside: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    places: tuple[tuple[object, ...], ...]

    @property
    def path(self) -> str:
        return self.route.split(" ")[1]

    def having(self, place: tuple[object, ...], value: Any) -> Call:
        part, *keys = place
        if part == "body":
            return replace(self, body=_put(self.body, keys, value))
        text = value if isinstance(value, str) else json.dumps(value)
        if part == "path":
            return replace(self, inside={**self.inside, str(keys[0]): text})
        return replace(self, query={**self.query, str(keys[0]): text})

    def sent(self, client: TestClient, headers: Mapping[str, str]) -> str:
        """All that comes back: the status, the headers and the text."""
        method = self.route.split(" ")[0]
        body = {} if self.body is None else {"json": self.body}
        reply = client.request(
            method, self.path.format(**self.inside), params=dict(self.query), headers=dict(headers), **body
        )
        assert reply.status_code < 500 or reply.json()["code"] != "internal_error", reply.text
        return f"{reply.status_code} {reply.headers} {reply.text}"


def _put(within: Any, keys: list[object], value: Any) -> Any:
    if not keys:
        return value
    key, *rest = keys
    if isinstance(within, list):
        return [_put(each, rest, value) if at == key else each for at, each in enumerate(within)]
    inner = within.get(key) if isinstance(within, dict) else None
    return {**(within if isinstance(within, dict) else {}), key: _put(inner, rest, value)}


def _leaves(value: Any, at: tuple[object, ...]) -> Iterator[tuple[object, ...]]:
    yield at
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from _leaves(part, (*at, key))


def calls_of(document: Mapping[str, Any]) -> Iterator[Call]:
    """A call of every route, with every place in it that the reference or the example knows."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            route, named = f"{method} {path}", operation.get("parameters", [])
            own = OWN.get(route, {})
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            body = None
            if content is not None:
                body = own or next(iter(content["examples"].values()))["value"]
            inside = {each["name"]: own.get(each["name"], "x") for each in named if each["in"] == "path"}
            query = {} if content is not None else {key: own[key] for key in own if key not in inside}
            places: list[tuple[object, ...]] = [(each["in"], each["name"]) for each in named]
            if body is not None:
                shape = content["schema"].get("$ref", "").rpartition("/")[2]
                known = document["components"]["schemas"].get(shape, {}).get("properties", {})
                fields = dict.fromkeys(("tenant", *known))
                places += [("body", name) for name in fields if name not in body]
                places += [place for place in _leaves(body, ("body",)) if len(place) > 1]
            yield Call(route, inside, query, body, tuple(places))


@dataclass(frozen=True)
class World:
    """A server with events of two tenants, and a key that is bound to one of them."""

    client: TestClient
    mine: tuple[Mapping[str, str], ...]  # headers of keys: of all scopes but the admin's, and the admin's
    names: tuple[str, ...]
    of_runs: tuple[str, ...]  # the other's, as routes of runs name them
    calls: tuple[Call, ...]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    told = replace(
        settings_in(tmp_path_factory.mktemp("routes")), access=Access(admin_key=ADMIN["Authorization"][7:])
    )
    web = read_model(model_file("web").read_bytes(), source="web")
    for house in standing(told, SIGHTINGS, web):
        with house.client() as client:
            bring(client, MINE, "me", "here", 1)
            bring(client, THEIRS, "zebra-who", "zebra-place", WEIGHT)
            house.rooms.folder.run_until_clean()
            define(client, house.rooms.settings, MINE, "my")
            run = define(client, house.rooms.settings, THEIRS, "zebra")
            key = made(client, "zebra-key", SCOPES, THEIRS)["key"]["id"]
            keys = [made(client, "mine", scopes, MINE)["secret"] for scopes in (SCOPES, ("admin",))]
            bound = tuple({"Authorization": f"Bearer {secret}"} for secret in keys)
            document = client.get("/openapi.json").json()
            names = (THEIRS, "zebra-who", key, "zebra-place", "zebra-id")
            of_runs = (THEIRS, "zebra-data", "zebra-metric", run)
            yield World(client, bound, names, of_runs, tuple(calls_of(document)))


def define(client: TestClient, told: Settings, tenant: str, whose: str) -> str:
    """A dataset with a version, and a metric over it with a run, whose id is given."""
    prefix = f"{told.data.resolve().as_uri()}/datasets/{tenant}/{whose}-data/"
    expression = {"of": {"series": f"{whose}-series"}, "periods": 1, "kind": "relative"}
    metric = {"code": f"{whose}-metric", "expressionType": "growth", "expressionJson": expression}
    dataset = {"id": f"{whose}-data", "prefix": prefix, "series": [{"code": f"{whose}-series"}]}
    asked = {"datasets": [dataset], "metrics": [metric]}
    defined = client.put("/definitions", params={"tenant": tenant}, json=asked, headers=ADMIN)
    assert defined.status_code == 200, defined.text
    update = {"manifestUri": f"{prefix}{whose}-file.csv", "updatedAt": NOON}
    came = client.post(f"/datasets/{whose}-data/updates", json=update, headers=ADMIN)
    [run] = came.json()["runs"]
    return str(run["id"])


def bring(client: TestClient, tenant: str, who: str, place: str, weight: int) -> None:
    """An event of each stream, and one that is refused."""
    theirs = tenant == THEIRS
    seen = {"who": who, "place": place, "weight": weight}
    view = {
        "event": "page_view",
        "visitor_id": who,
        "path": "zebra-path" if theirs else "/",
        "traffic_source": "zebra-source" if theirs else "direct",
    }
    events: list[dict[str, Any]] = [
        {"stream": "sightings", "id": "zebra-id" if theirs else "id", "time": NOON, "fields": seen},
        {"stream": "web_events", "time": NOON, "fields": view},
        {"stream": "sightings", "fields": {"zebra_field" if theirs else "field": 1}},
    ]
    body: Any = {"events": [{"tenant": tenant} | event for event in events]}
    reply = client.post("/v1/events", json=body, headers=ADMIN).json()
    assert (reply["accepted"], len(reply["refused"])) == (2, 1), reply


def made(client: TestClient, name: str, scopes: tuple[str, ...], tenant: str) -> Any:
    asked = {"name": name, "scopes": list(scopes), "tenants": [tenant]}
    return client.post("/v1/keys", json=asked, headers=ADMIN).json()


def holds(world: World, call: Call, headers: Mapping[str, str]) -> None:
    """Nothing of the other's comes back but what was sent."""
    said, sent = call.sent(world.client, headers), json.dumps([call.inside, call.query, call.body])
    found = [secret for secret in SECRETS if secret in said and secret not in sent]
    assert not found, (call, said)


def test_no_route_tells_a_tenants_key_of_another_by_any_one_parameter(world: World) -> None:
    for call in world.calls:
        for headers in world.mine:
            holds(world, call, headers)
        for place in call.places:
            for name in world.names[:3] if call.path.startswith("/v1/") else world.of_runs:
                holds(world, call.having(place, name), world.mine[0])


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_no_route_does_by_several(world: World, data: st.DataObject) -> None:
    call = data.draw(st.sampled_from([call for call in world.calls if call.places]))
    names = st.sampled_from((*world.names, *world.of_runs))
    values = st.one_of(
        names,
        names.map(lambda name: [MINE, name]),
        names.map(lambda name: f"place = '{name}'"),
        st.sampled_from(["who", "place", "%", "' OR 1=1 --", "*", ""]),
    )
    for place in data.draw(st.lists(st.sampled_from(call.places), min_size=1, max_size=4, unique=True)):
        call = call.having(place, data.draw(values))
    headers = data.draw(st.sampled_from(world.mine))
    holds(world, call, {**headers, "Accept": data.draw(st.sampled_from(["*/*", "text/csv"]))})


def test_what_is_looked_for_would_be_found(world: World) -> None:
    """Asked by the admin for the other tenant the same calls tell its secrets, and nothing came to it."""
    telling = set()
    for call in world.calls:
        if not call.route.startswith(("get ", "post /v1/query")):
            continue
        asked = call
        for place in (("query", "tenant"), ("query", "propertyId"), ("body", "tenant")):
            asked = asked.having(place, THEIRS) if place in call.places else asked
        said = asked.sent(world.client, ADMIN)
        if any(secret in said for secret in SECRETS):
            telling.add(call.route)
    assert telling >= TELLING
    whole = {"tenant": THEIRS, "metrics": ["seen_often", "weight"], **DAY}
    [row] = world.client.post("/v1/query", json=whole, headers=ADMIN).json()["rows"]
    assert row == {"seen_often": 1, "weight": WEIGHT}
