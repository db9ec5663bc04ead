"""`POST /api/project-metrics`, to the letter of what its senders speak."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.http.conftest import House, settings_in, standing

from aforo.http import project_examples
from aforo.http.project_events import PATH
from aforo.model.reading import read_model
from aforo.packs import model_file
from aforo.packs.projects.brought import brought
from aforo.settings import Access
from aforo.store.act import Actor
from aforo.store.key import KeyScope, NewKey, Principal, PrincipalKind
from aforo.windows import Window, parse_instant

PAPER = json.loads(
    (Path(__file__).parents[1] / "packs" / "project_metrics_of_the_paper.json").read_text(encoding="utf-8")
)
POST = PAPER["post"]
NOW = parse_instant("2025-10-14T10:05:00Z")
FOREVER = Window(0, NOW + 10**15)
PACK = read_model(model_file("projects").read_bytes(), source="projects")


@dataclass(frozen=True)
class Office:
    """A house with the pack, and a client of it."""

    house: House
    client: TestClient
    headers: Mapping[str, str] = field(default_factory=dict)

    def post(self, body: object, **headers: str) -> Any:
        return self.client.post(PATH, json=body, headers={**self.headers, **headers})

    def count(self, tenant: str) -> int:
        return self.house.rooms.engine.estimate_raw("project_events", tenant, FOREVER)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    for house in standing(settings_in(tmp_path_factory.mktemp("office")), PACK):
        house.clock.set(NOW)
        with house.client() as client:
            yield Office(house, client)


def event(tenant: str, **more: object) -> dict[str, object]:
    return {"weddingId": tenant, "module": "finance", "event": "transaction_added", **more}


def test_the_event_of_the_paper(office: Office) -> None:
    reply = office.post(POST)
    assert (reply.status_code, reply.json()["accepted"]) == (202, True)
    assert reply.json().keys() == {"accepted", "eventId"}
    assert office.post(POST).json() == reply.json()
    assert office.count("w123") == 1
    kept = brought(POST).event["fields"]
    assert kept == {
        "module": "finance",
        "event": "budget_over_threshold",
        "category_id": "venue",
        "percentage": 0.92,
        "payload": '{"categoryId":"venue","percentage":0.92,"timestamp":"2025-10-14T10:03:22.000Z"}',
        "source": "performanceMonitor",
        "version": "1.0.0",
    }


@pytest.mark.parametrize("example", project_examples.EVENTS.values(), ids=str)
def test_the_examples_of_the_reference(office: Office, example: dict[str, Any]) -> None:
    assert office.post(example).status_code == 202


def test_by_id_and_time_it_counts_once_for_good(office: Office) -> None:
    one = event("once", eventId="1", payload={"timestamp": "2025-01-01T00:00:00Z"})
    assert office.post(one).json() == {"accepted": True, "eventId": "1"}
    office.house.clock.set(NOW + 300 * 86_400 * 1_000_000)
    try:
        assert office.post(one).status_code == 202
        other = {**one, "payload": {"timestamp": "2025-01-01T00:00:01Z"}}
        assert office.post(other).json()["eventId"] == "1"
    finally:
        office.house.clock.set(NOW)
    assert office.count("once") == 2


def test_equal_content_without_id_and_time_is_known_for_ten_minutes(office: Office) -> None:
    first = office.post(event("echo", payload={"a": 1, "b": 2})).json()
    office.house.clock.set(NOW + 599 * 1_000_000)
    assert office.post(event("echo", payload={"b": 2, "a": 1})).json() == first
    assert office.count("echo") == 1
    office.house.clock.set(NOW + 601 * 1_000_000)
    later = office.post(event("echo", payload={"a": 1, "b": 2})).json()
    office.house.clock.set(NOW)
    assert later["eventId"] != first["eventId"]
    assert office.count("echo") == 2


def test_other_content_counts(office: Office) -> None:
    timed = {"timestamp": "2025-10-14T09:00:00Z"}
    bodies = [
        event("many"),
        event("many", event="other"),
        event("many", payload={"amount": 1}),
        event("many", payload=timed),
        event("many", payload={**timed, "amount": 1}),
        event("many", payload=timed, meta={"source": "x"}),
    ]
    ids = {office.post(body).json()["eventId"] for body in bodies for _ in range(2)}
    assert (len(ids), office.count("many")) == (len(bodies), len(bodies))


def test_any_module_and_payload_is_taken(office: Office) -> None:
    payload = {"categoryId": 7, "percentage": "92 %", "nested": {"list": [1, None, "ñ"]}, "huge": 10**30}
    assert office.post(event("any", module="a module of mine", payload=payload)).status_code == 202
    assert office.count("any") == 1


WRONG = [
    ({"module": None}, ("module", "missing_field")),
    ({"event": ""}, ("event", "missing_field")),
    ({"module": 7}, ("module", "wrong_type")),
    ({"weddingId": None}, ("weddingId", "missing_field")),
    ({"weddingId": ["w"]}, ("weddingId", "wrong_type")),
    ({"eventId": 7}, ("eventId", "wrong_type")),
    ({"payload": [1]}, ("payload", "wrong_type")),
    ({"payload": "x"}, ("payload", "wrong_type")),
    ({"payload": {"timestamp": 1760436202}}, ("payload.timestamp", "wrong_type")),
    ({"payload": {"timestamp": "yesterday"}}, ("payload.timestamp", "bad_time")),
    ({"payload": {"timestamp": "2025-10-14T11:00:00Z"}}, ("payload.timestamp", "in_future")),
    ({"meta": "x"}, ("meta", "wrong_type")),
    ({"meta": {"source": 1}}, ("meta.source", "wrong_type")),
    ({"meta": {"sauce": "x"}}, ("meta.sauce", "unknown_field")),
    ({"modul": "x"}, ("modul", "unknown_field")),
    ({"module": "m" * 65}, ("module", "too_long")),
]


@pytest.mark.parametrize(("wrong", "fault"), WRONG, ids=lambda value: str(value)[:40])
def test_what_is_wrong_is_told_at_its_place(
    office: Office, wrong: dict[str, Any], fault: tuple[str, str]
) -> None:
    reply = office.client.post(PATH, json={**event("wrong"), **wrong})
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")
    assert fault in [(each["path"], each["code"]) for each in reply.json()["errors"]]
    assert office.count("wrong") == 0


def test_all_faults_at_once_with_the_nearest_word(office: Office) -> None:
    reply = office.post({"weddingId": 1, "modul": "finance", "event": None, "payload": []}).json()
    paths = [each["path"] for each in reply["errors"]]
    assert paths == ["modul", "weddingId", "module", "event", "payload"]
    assert "did you mean 'module'?" in reply["errors"][0]["message"]


VALUES = st.sampled_from([None, "", "x", 7, 1.5, True, [], {}, {"a": 1}, {"source": 1}, {"timestamp": 3}])


@given(st.dictionaries(st.sampled_from([*POST, "eventId", "modul", "id"]), VALUES))
def test_whatever_has_faults_is_refused(changes: dict[str, object]) -> None:
    """What the pack finds wrong, no step of the intake may take."""
    from aforo.events.draft import Draft
    from aforo.events.shape import drafts_of
    from aforo.events.steps import Rules, walk

    made = brought({**POST, **changes})
    drafts, refusals = drafts_of([made.event], PACK)
    kept: list[Draft] = [walk(draft, Rules(NOW, 600))[0] for draft in drafts]
    if made.faults:
        assert refusals or not any(draft.rows for draft in kept)


def test_refusals_are_counted_for_their_stream(office: Office) -> None:
    office.post(event("counted"))
    office.post(event("counted", payload={"timestamp": "never"}))
    listed = office.house.rooms.engine.statistics().outcomes
    assert listed["bad_time"] >= 1


@pytest.mark.parametrize(("content", "status"), [(b"[]", 400), (b"{", 400), (b"", 400), (b"1", 400)])
def test_what_is_no_object_is_told(office: Office, content: bytes, status: int) -> None:
    reply = office.client.post(PATH, content=content, headers={"Content-Type": "application/json"})
    assert reply.status_code == status
    assert office.client.post(PATH, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415


def test_a_key_brings_its_own_tenant_s_only(tmp_path: Path) -> None:
    settings = replace(settings_in(tmp_path), access=Access(admin_key="an-admin-key-of-these-tests"))
    for house in standing(settings, PACK):
        house.clock.set(NOW)
        made = NewKey(
            name="k",
            principal=Principal(PrincipalKind.TEAM, "office"),
            scopes=frozenset({KeyScope.INGEST}),
            tenants=frozenset({"mine"}),
        )
        _, secret = house.rooms.ring.create(made, Actor("test", None))
        with house.client() as client:
            office = Office(house, client, {"x-api-key": secret})
            assert office.post(event("mine")).status_code == 202
            without = event("mine")
            del without["weddingId"]
            assert office.post({**without, "event": "other"}).status_code == 202
            reply = office.post(event("yours"))
            assert (reply.status_code, reply.json()["code"]) == (403, "not_your_tenant")
            assert (office.count("mine"), office.count("yours")) == (2, 0)
            assert client.post(PATH, json=event("mine")).status_code == 401


def test_without_the_pack_it_says_which_one(client: TestClient) -> None:
    reply = client.post(PATH, json=POST)
    assert (reply.status_code, reply.json()["code"]) == (422, "not_servable")
    assert "AFORO_PACKS=projects" in reply.json()["hint"]
