"""`GET /api/project-metrics`: in by the paper's POST, out by its GET, and each tenant's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.http.conftest import settings_in, standing
from tests.http.test_project_events import NOW, PACK, PAPER, Office, event

from aforo.http.project_events import PATH
from aforo.packs.projects.asked import PARAMETERS
from aforo.settings import Access
from aforo.store.act import Actor
from aforo.store.key import KeyScope, NewKey, Principal, PrincipalKind

ADMIN = {"Authorization": "Bearer an-admin-key-of-these-tests"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A house with an admin's key, two events of `mine` and five of `yours`, and a key of `yours`."""
    settings = settings_in(tmp_path_factory.mktemp("metrics"))
    access = Access(admin_key=ADMIN["Authorization"].split()[1], wrong_keys_per_minute=0)
    for house in standing(replace(settings, access=access), PACK):
        house.clock.set(NOW)
        made = NewKey(
            name="k",
            principal=Principal(PrincipalKind.TEAM, "office"),
            scopes=frozenset({KeyScope.READ}),
            tenants=frozenset({"yours"}),
        )
        _, secret = house.rooms.ring.create(made, Actor("test", None))
        with house.client() as client:
            for tenant, count in (("mine", 2), ("yours", 5)):
                for at in range(count):
                    reply = client.post(PATH, json=event(tenant, eventId=f"{at}"), headers=ADMIN)
                    assert reply.status_code == 202, reply.text
            client.post(PATH, json=PAPER["post"], headers=ADMIN)
            house.rooms.folder.run_until_clean()
            yield Office(house, client, {"x-api-key": secret})


def get(office: Office, headers: dict[str, str] = ADMIN, **parameters: str) -> Any:
    return office.client.get(PATH, params=parameters, headers=headers)


def test_the_paper_s_event_is_in_the_paper_s_reply(office: Office) -> None:
    reply = get(office, weddingId="w123", module="finance", range="7d", groupBy="daily")
    assert reply.status_code == 200
    told = reply.json()
    assert [point["date"] for point in told["points"]] == [f"2025-10-{day:02}" for day in range(8, 15)]
    assert told["points"][-1] == {"date": "2025-10-14", "alerts": 1, "transactions": 0, "overBudget": 1}
    assert told["points"][0] == {"date": "2025-10-08", "alerts": 0, "transactions": 0, "overBudget": 0}
    assert told["totals"] == {"events": 1, "alerts": 1, "errors": 0}
    assert told["breakdown"] == [
        {"key": "budget_over_threshold", "count": 1, "lastEventAt": "2025-10-14T10:03:22.000Z"}
    ]
    assert told["refreshedAt"] == PAPER["get"]["refreshedAt"]
    assert (told["source"], told["meta"]) == ("metricAggregatorWorker", {"version": "2025.10.1"})


def test_a_key_s_only_tenant_is_meant_where_none_is_named(office: Office) -> None:
    told = get(office, dict(office.headers), module="finance").json()
    assert (told["weddingId"], told["totals"]["events"]) == ("yours", 5)
    reply = get(office, module="finance")
    assert (reply.status_code, reply.json()["errors"][0]["path"]) == (400, "weddingId")


WORDS = st.sampled_from(["mine", "MINE", "yours", "*", "", "?", "yours&weddingId=mine", "finance", "7d"])


@given(st.dictionaries(st.sampled_from([*PARAMETERS, "tenant"]), WORDS), st.booleans())
def test_no_parameter_shows_another_tenant_s(office: Office, given_: dict[str, str], twice: bool) -> None:
    pairs = [*{"module": "finance", **given_}.items(), *([("weddingId", "mine")] if twice else [])]
    reply = office.client.get(PATH, params=pairs, headers=dict(office.headers))
    if reply.status_code == 200:
        assert reply.json()["weddingId"] == "yours"
        assert reply.json()["totals"]["events"] in (0, 5)
    else:
        assert reply.json()["code"] in ("not_your_tenant", "unknown_name", "invalid_request")


@pytest.mark.parametrize(
    ("parameters", "code", "told"),
    [
        ({"weddingId": "mine"}, "invalid_request", "module is missing"),
        ({"weddingId": "mine", "module": "finance", "range": "10d"}, "invalid_request", "30d"),
        ({"weddingId": "mine", "module": "finance", "groupBy": "week"}, "invalid_request", "weekly"),
        ({"weddingId": "mine", "module": "finance", "groupby": "daily"}, "unknown_name", "'groupBy'"),
        ({"weddingId": "nobody", "module": "finance"}, "unknown_name", "from its first event on"),
    ],
)
def test_what_is_wrong_is_told(office: Office, parameters: dict[str, str], code: str, told: str) -> None:
    reply = get(office, **parameters)
    assert (reply.status_code, reply.json()["code"]) == (400, code)
    assert told in reply.json()["detail"] + reply.json()["hint"]


def test_keys(office: Office) -> None:
    assert office.client.get(PATH).status_code == 401
    reply = get(office, dict(office.headers), weddingId="mine", module="finance")
    assert (reply.status_code, reply.json()["code"]) == (403, "not_your_tenant")


def test_the_reference_tells_the_shapes(office: Office) -> None:
    document = office.client.get("/openapi.json").json()
    operations, schemas = document["paths"][PATH], document["components"]["schemas"]
    assert {each["name"] for each in operations["get"]["parameters"]} == set(PARAMETERS)
    reply = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert reply["$ref"].endswith("/ProjectMetrics")
    assert schemas["ProjectMetrics"]["properties"].keys() >= PAPER["get"].keys()
    taken = operations["post"]["responses"]["202"]["content"]["application/json"]["schema"]
    assert taken["$ref"].endswith("/ProjectEventTaken")
    assert schemas["ProjectEvent"]["properties"].keys() >= PAPER["post"].keys()


def test_without_the_pack_it_says_which_one(tmp_path: Path, client: TestClient) -> None:
    reply = client.get(PATH, params={"weddingId": "w", "module": "finance"})
    assert (reply.status_code, reply.json()["code"]) == (422, "not_servable")
    assert "AFORO_PACKS=projects" in reply.json()["hint"]
