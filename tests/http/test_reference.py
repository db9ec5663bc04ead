"""The reference: complete, valid, true, and drawn without anything from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from starlette.routing import Route
from starlette.testclient import TestClient
from tests.http.conftest import House

from aforo import __version__
from aforo.http import examples, key_examples, openapi, operation_examples
from aforo.http.audit import AuditReply
from aforo.http.doctor import DoctorReply
from aforo.http.drift import DriftReply
from aforo.http.events import ReceiptReply
from aforo.http.examples_of_explain import ANSWERS_EXPLAINED, EXPLAIN_ASKED, EXPLAINED
from aforo.http.explain import ExplainReply
from aforo.http.health import HealthReply
from aforo.http.keys import KeyList, KeyReply, NewKeyReply
from aforo.http.query import QueryReply
from aforo.http.shown import MetricDefinition, ModelReply
from aforo.questions.formats import WRITERS
from aforo.windows import parse_instant

PAGES = {"/", "/docs", "/docs/assets/{name}", "/openapi.json"}
MOVING = {
    *("tookMs", "uptimeSeconds", "fileBytes", "fileBytesPerEvent"),
    *("version", "engineVersion", "store", "storeVersion"),
}


@pytest.fixture
def document(shared: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = shared.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def every(value: object) -> Iterator[dict[str, Any]]:
    """Every object within a value."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from every(part)
    elif isinstance(value, list):
        for part in value:
            yield from every(part)


def test_every_route_is_in_the_reference(house: House, document: dict[str, Any]) -> None:
    routes = {
        (route.path.replace(":path}", "}"), method.lower())
        for route in house.app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}  # which whatever is got answers to as well
    }
    assert len(routes) == len(house.app.routes)
    told = {(path, method) for path, method, _ in operations(document)}
    assert told == {(path, method) for path, method in routes if path not in PAGES}
    assert {path for path, _ in routes} >= PAGES


def test_every_operation_says_what_it_does_and_what_can_come_back(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, _, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        responses = operation["responses"]
        assert {"400", "403", "500"} <= set(responses), path
        for status, response in responses.items():
            assert response["description"], (path, status)
            kinds = set(response["content"])
            written = {"application/problem+json"} if int(status) >= 400 else set(WRITERS)
            assert kinds == written if path == "/v1/query" or int(status) >= 400 else len(kinds) == 1, path
            assert all(
                content.get("examples") or int(status) >= 400 or content["schema"].get("format") == "binary"
                for content in response["content"].values()
            )
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content["examples"], path
        in_path = set(re.findall(r"{(\w+)}", path))
        parameters = operation.get("parameters", [])
        assert in_path == {each["name"] for each in parameters if each["in"] == "path"}
        assert all(each["description"] for each in parameters), path


def test_the_statuses_of_the_main_routes(document: dict[str, Any]) -> None:
    def statuses(path: str, method: str) -> set[str]:
        return set(document["paths"][path][method]["responses"])

    asked = {"400", "401", "403", "429", "500", "503"}
    assert statuses("/v1/events", "post") == asked | {"202", "408", "413", "415", "507"}
    assert statuses("/v1/query", "post") == asked | {
        *("200", "406", "408", "413", "415", "422", "504"),
    }
    assert statuses("/v1/query", "get") == asked | {"200", "406", "422", "504"}
    assert statuses("/v1/metrics/{name}", "get") == asked | {"200", "404"}
    assert statuses("/v1/doctor", "get") == asked | {"200"}
    assert statuses("/v1/keys", "post") == asked | {"201", "408", "413", "415", "507"}
    assert statuses("/health", "get") == {"200", "400", "403", "500"}


def test_every_route_says_which_scope_opens_it_and_how_a_key_is_shown(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    scopes = {}
    for path, method, operation in operations(document):
        shown = {name for way in operation.get("security", ()) for name in way}
        assert shown <= schemes.keys()
        admin = operation.get(openapi.SCOPE) not in ("ingest", "read", None) or path == "/v1/metrics/summary"
        assert ("adminKey" in shown) == admin, path
        scopes[f"{method} {path}"] = operation.get(openapi.SCOPE)
    assert {name for name, scope in scopes.items() if scope is None} == {"get /health", "get /ready"}
    assert scopes["post /v1/events"] == "ingest"
    assert scopes["post /v1/query"] == "read"
    assert scopes["post /v1/fold"] == "operate"
    assert scopes["get /v1/refusals"] == "operate"
    assert scopes["post /v1/refusals"] == "ingest"
    assert scopes["delete /v1/keys/{id}"] == "admin"
    events = document["paths"]["/v1/events"]["post"]["security"]
    assert {"writeKey": []} in events
    assert {"basic": []} in events


def test_what_csv_has_no_place_for_is_in_headers_that_are_told(document: dict[str, Any]) -> None:
    for method in ("get", "post"):
        told = document["paths"]["/v1/query"][method]["responses"]["200"]["headers"]
        assert {name: each["schema"]["type"] for name, each in told.items()} == {
            "Aforo-Proof": "string",
            "Aforo-Totals": "string",
        }
        assert all(each["description"] for each in told.values())


def test_it_is_openapi_3_0(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.0.3"
    assert document["info"]["version"] == __version__
    schemas = document["components"]["schemas"]
    for part in every(document):
        if isinstance(part.get("$ref"), str):
            assert part["$ref"].removeprefix("#/components/schemas/") in schemas
    newer = {"const", "prefixItems", "$defs", "if", "unevaluatedProperties", "patternProperties"}
    for part in every(schemas):
        assert not newer & part.keys()
        assert part.get("type") != "null"
        assert not isinstance(part.get("type"), list)
        assert part.get("required") != []


def test_words_of_a_newer_schema_are_turned() -> None:
    turned = openapi.as_3_0({"anyOf": [{"type": "string"}, {"type": "null"}], "default": None})
    assert turned == {"type": "string", "nullable": True, "default": None}
    named = openapi.as_3_0({"anyOf": [{"$ref": "#/x"}, {"type": "null"}]})
    assert named == {"anyOf": [{"$ref": "#/x"}, {"type": "object", "nullable": True, "enum": [None]}]}
    both = openapi.as_3_0({"anyOf": [{"type": "string"}, {"type": "integer"}]})
    assert both == {"anyOf": [{"type": "string"}, {"type": "integer"}]}


def within(example: object, actual: object, path: str = "") -> None:
    """Holds that all an example shows is in what came; lists may be shortened, and what moves may differ."""
    if isinstance(example, dict):
        assert isinstance(actual, dict), path
        assert example.keys() == actual.keys(), path
        for name, value in example.items():
            if name not in MOVING:
                within(value, actual[name], f"{path}.{name}")
    elif isinstance(example, list) and example and isinstance(example[0], dict) and "name" in example[0]:
        assert isinstance(actual, list), path
        by_name = {each["name"]: each for each in actual}
        for each in example:
            within(each, by_name[each["name"]], f"{path}[{each['name']}]")
    else:
        assert example == actual, path


def only(examples_of_one: Any) -> Any:
    (example,) = examples_of_one.values()
    return example


def test_the_examples_are_what_happens(house: House, client: TestClient, bearer: dict[str, str]) -> None:
    several = "Three flights, one of them again, and one that cannot be"
    within(examples.RECEIPTS[several], client.post("/v1/events", json=examples.EVENTS[several]).json())
    folded = client.post("/v1/fold", json=only(operation_examples.NO_PARAMETERS), headers=bearer).json()
    assert folded.keys() == only(operation_examples.FOLDS).keys()
    by_airport = "Delays of a day by airport"
    house.clock.set(parse_instant("2013-02-01T00:00:00Z"))
    answer = client.post("/v1/query", json=examples.QUESTIONS[by_airport]).json()
    flights_only = client.get("/v1/models").json()
    expected = json.loads(json.dumps(examples.ANSWERS[by_airport]))
    assert answer["proof"].pop("modelVersion") == flights_only.pop("version")
    del expected["proof"]["modelVersion"]
    within(expected, answer)
    shortened = {key: value for key, value in only(examples.MODELS).items() if key != "version"}
    within(shortened, flights_only)
    definition = client.get("/v1/metrics/distance_total").json()
    within({**only(examples.DEFINITIONS), "modelVersion": definition["modelVersion"]}, definition)
    explained = client.get("/v1/metrics/distance_total/explain?tenant=nyc&day=2013-01-01", headers=bearer)
    expected = json.loads(json.dumps(only(EXPLAINED)))
    for each in (expected["metric"], expected["proof"]):
        each["modelVersion"] = definition["modelVersion"]
    [fold], [shown] = explained.json()["folds"], expected["folds"]
    shown["foldedAt"] = fold["foldedAt"]
    within(expected, explained.json())
    answer = client.post("/v1/query/explain", json=only(EXPLAIN_ASKED), headers=bearer).json()
    behind = json.loads(json.dumps(only(ANSWERS_EXPLAINED)))
    for each in (*behind["metrics"], behind["answer"]["proof"]):
        each["modelVersion"] = definition["modelVersion"]
    behind["behind"][0]["folds"] = [shown]
    within(behind, answer)
    within(operation_examples.LAST_DRIFT["Before the first"], client.get("/v1/drift", headers=bearer).json())
    for asked in operation_examples.DRIFT_ASKED.values():
        drift = client.post("/v1/drift", json=asked, headers=bearer).json()
        within({**operation_examples.DRIFTS["No drift"], "tookMs": drift["tookMs"]}, drift)
    report = client.get("/v1/doctor", headers=bearer).json()
    within({**only(operation_examples.REPORTS), "modelVersion": report["modelVersion"]}, report)
    refused = client.get("/v1/refusals", headers=bearer).json()
    within(only(operation_examples.REFUSALS), refused)
    reported = client.post("/v1/refusals", json=only(operation_examples.REFUSAL_REPORTS))
    within(only(operation_examples.REPORTED), reported.json())
    within(only(operation_examples.HEALTH), client.get("/health").json())
    within(only(operation_examples.READY), client.get("/ready").json())
    assert only(operation_examples.METRICS).splitlines()[0] in client.get("/internal/metrics").text


def test_every_example_of_a_request_is_taken(client: TestClient) -> None:
    for event in examples.EVENTS.values():
        assert client.post("/v1/events", json=event).status_code == 202
    lines = only(examples.EVENT_LINES)
    headers = {"Content-Type": "application/x-ndjson"}
    assert client.post("/v1/events", content=lines, headers=headers).json()["refused"] == []
    for question in examples.QUESTIONS.values():
        assert client.post("/v1/query", json=question).status_code == 200


@pytest.mark.parametrize(
    ("shown", "shape"),
    [
        (examples.RECEIPTS, ReceiptReply),
        (examples.ANSWERS, QueryReply),
        (examples.MODELS, ModelReply),
        (examples.DEFINITIONS, MetricDefinition),
        (EXPLAINED, ExplainReply),
        (operation_examples.DRIFTS, DriftReply),
        (operation_examples.REPORTS, DoctorReply),
        (operation_examples.HEALTH, HealthReply),
        (key_examples.KEYS_MADE, NewKeyReply),
        (key_examples.KEYS, KeyReply),
        (key_examples.KEY_LISTS, KeyList),
        (key_examples.AUDITS, AuditReply),
    ],
)
def test_the_examples_have_the_shape_that_is_told(shown: Any, shape: type) -> None:
    for example in shown.values():
        back = msgspec.to_builtins(msgspec.convert(example, shape))
        assert json.loads(json.dumps(back)) == json.loads(json.dumps(example))


def test_the_page_needs_nothing_from_elsewhere(shared: TestClient) -> None:
    page = shared.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(links) >= 4
    for link in links:
        assert link.startswith("/")
        assert shared.get(link).status_code == 200
    assert "//" not in page.text.replace("<!DOCTYPE html>", "")
    script = shared.get("/docs/assets/start.js").text
    assert "http" not in script
    assert "validatorUrl: null" in script
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"<script(?![^>]*src=)|style=|\bon\w+=", page.text)


def test_assets_are_those_and_no_others(shared: TestClient) -> None:
    script = shared.get("/docs/assets/swagger-ui-bundle.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["x-content-type-options"] == "nosniff"
    assert "SwaggerUIBundle" in script.text
    for name in ("index.html", "..%2f__init__.py", "%2e%2e", "start.js.map"):
        assert shared.get(f"/docs/assets/{name}").status_code == 404


def test_the_root_leads_to_the_reference(shared: TestClient) -> None:
    reply = shared.get("/")
    assert (reply.status_code, reply.headers["location"]) == (307, "/docs")
