"""What is behind a number, over HTTP: to whom events are shown, and what is told of each kind of number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.http.conftest import TOKEN, settings_in, standing
from tests.http.test_keys import Keyed, bearer, keyed_in

from aforo.http import examples
from aforo.http.behind import WITHHELD
from aforo.http.shown import model_of
from aforo.model.reading import read_model
from aforo.packs import model_file

OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
FLIGHTS = examples.EVENTS["Three flights, one of them again, and one that cannot be"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server that has the examples' flights, folded."""
    for house in standing(settings_in(tmp_path_factory.mktemp("explained"))):
        with house.client() as client:
            client.post("/v1/events", json=FLIGHTS)
            client.post("/v1/fold", headers=OPERATOR)
            yield client


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    for keyed in keyed_in(tmp_path_factory.mktemp("keyed")):
        for tenant in ("nyc", "others"):
            events = [{**flight, "tenant": tenant} for flight in FLIGHTS["events"][:3]]
            keyed.client.post(
                "/v1/events", json={"events": events}, headers=bearer("an-admin-key-for-the-tests")
            )
        yield keyed


def explained(client: TestClient, metric: str, headers: Mapping[str, str] = OPERATOR, **asked: str) -> Any:
    asked = {"tenant": "nyc", "day": "2013-01-01", **asked}
    reply = client.get(f"/v1/metrics/{metric}/explain", params=asked, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_the_value_and_the_proof_are_the_answers(client: TestClient) -> None:
    for metric in ("flights", "dep_delay_avg", "dep_delay_p95", "aircraft"):
        asked = {"tenant": "nyc", "metrics": [metric], "from": "2013-01-01", "to": "2013-01-01"}
        answer, told = client.post("/v1/query", json=asked).json(), explained(client, metric)
        assert told["value"] == answer["rows"][0][metric]
        moving = {"tookMs": 0}
        assert {**told["proof"], **moving} == {**answer["proof"], **moving}
        assert told["metric"] == client.get(f"/v1/metrics/{metric}").json()


def test_an_answer_is_explained_as_it_is_given(client: TestClient) -> None:
    asked = {
        "tenant": "nyc",
        "from": "2013-01-01",
        "to": "2013-01-02",
        "grain": "day",
        "by": ["carrier"],
        "metrics": ["distance_total"],
        "limit": 1,
        "totals": True,
        "compare": "previous",
        "where": "origin != 'JFK'",
    }
    answer = client.post("/v1/query", json=asked).json()
    told = client.post("/v1/query/explain", json=asked, headers=OPERATOR).json()
    answer["proof"]["tookMs"] = told["answer"]["proof"]["tookMs"]
    assert told["answer"] == answer
    assert [each["of"] for each in told["reads"]] == [
        *("rows", "comparison", "ranking", "totals", "totalsComparison"),
    ]
    assert all(each["sql"] for each in told["reads"])
    rows, comparison, ranking, totals, _ = told["reads"]
    miles = {"name": "miles", "state": 2816}
    assert rows["states"] == [{"row": {"time": "2013-01-01", "carrier": "UA"}, "states": [miles]}]
    assert ranking["states"] == [{"row": {"carrier": "UA"}, "states": [miles]}]
    assert totals["states"] == [{"row": {}, "states": [miles]}]
    assert comparison["states"] == [{"row": {}, "states": [{"name": "miles", "state": 0}]}]
    [behind] = told["behind"]
    assert (behind["stream"], behind["days"], len(behind["folds"])) == ("flights", 1, 1)
    assert {each["fields"]["flight"] for each in behind["events"]["sample"]} == {1545, 1714}
    assert (behind["events"]["kept"], behind["events"]["counted"]) == (2, 2)
    nobody = client.post("/v1/query/explain", json=asked).json()["behind"][0]["events"]
    assert nobody == {"kept": 2, "counted": 2, "sample": None, "withheld": WITHHELD}


def test_every_stream_of_an_answer_is_explained(client: TestClient) -> None:
    asked = {
        "tenant": "nyc",
        "from": "2013-01-31",
        "to": "2013-01-31",
        "metrics": ["flights", "ingest_accepted"],
    }
    told = client.post("/v1/query/explain", json=asked, headers=OPERATOR).json()
    assert [each["name"] for each in told["metrics"]] == asked["metrics"]
    flights, arrivals = told["behind"]
    assert flights["events"] == {"kept": 0, "counted": 0, "sample": [], "withheld": None}
    assert arrivals["events"]["withheld"].endswith("keeps no events: its counts are all there is")
    assert [each["stream"] for each in told["reads"]] == ["flights", arrivals["stream"]]


def test_what_was_run_is_shown_each_time_though_the_rows_are_in_memory(client: TestClient) -> None:
    client.post("/v1/query", json={"tenant": "nyc", "metrics": ["flights"], "from": "2013-01-01"})
    shown = [explained(client, "flights")["sql"] for _ in range(2)]
    assert shown[0] == shown[1]
    assert "_day" in shown[0][0], "the rollup's rows of days"


def test_every_kind_of_state_is_told(client: TestClient) -> None:
    states = {each["name"]: each["state"] for each in explained(client, "dep_delay_avg")["states"]}
    assert states == {"dep_delay_sum": 8, "dep_delay_count": 3}
    [histogram] = explained(client, "dep_delay_p95")["states"]
    assert histogram["state"] == {"count": 3, "minimum": 2.0, "maximum": 4.0}
    [aircraft] = explained(client, "aircraft")["states"]
    assert aircraft["state"] == 3
    [nothing] = explained(client, "dep_delay_p95", day="2013-01-05")["states"]
    assert nothing["state"] == {"count": 0, "minimum": None, "maximum": None}


def test_a_day_without_events_has_nothing_behind_it(client: TestClient) -> None:
    told = explained(client, "flights", day="2013-01-05")
    assert (told["value"], told["folds"]) == (0, [])
    assert told["events"] == {"kept": 0, "counted": 0, "sample": [], "withheld": None}


def test_counts_of_arrivals_have_no_events(client: TestClient) -> None:
    told = explained(client, "ingest_accepted", day="2013-01-31")
    assert (told["value"], told["events"], told["folds"]) == (3, None, [])
    assert told["proof"]["source"] == "ledger"


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("flight/explain?tenant=nyc&day=2013-01-01", 404, "no metric named 'flight'"),
        ("flights/explain?tenant=nobody&day=2013-01-01", 400, "no tenant named 'nobody'"),
        ("flights/explain?day=2013-01-01", 400, "tenant is wanted once"),
        ("flights/explain?tenant=nyc", 400, "day is wanted once"),
        ("flights/explain?tenant=nyc&day=2013-01-01&day=2013-01-02", 400, "day is wanted once"),
        ("flights/explain?tenant=nyc&day=2013-02-30", 400, "day: '2013-02-30' is not a date"),
        ("flights/explain?tenant=nyc&day=2013-01-01T00:00:00Z", 400, "is not a date"),
        ("flights/explain?tenant=nyc&day=2013-01-01&sample=9", 400, "no parameter named 'sample'"),
    ],
)
def test_what_cannot_be_explained(client: TestClient, path: str, status: int, said: str) -> None:
    reply = client.get(f"/v1/metrics/{path}")
    assert (reply.status_code, said in reply.json()["detail"]) == (status, True), reply.text


def test_nobody_without_a_key_is_shown_events(client: TestClient) -> None:
    events = explained(client, "flights", headers={})["events"]
    assert events == {"kept": 3, "counted": 3, "sample": None, "withheld": WITHHELD}


@pytest.mark.parametrize(
    ("scopes", "shown"),
    [(["read"], False), (["read", "operate"], False), (["read", "support"], True), (["admin"], True)],
)
def test_events_are_for_support_and_admins(keyed: Keyed, scopes: list[str], shown: bool) -> None:
    key = bearer(keyed.make(scopes=scopes, tenants=["nyc"]))
    events = explained(keyed.client, "flights", headers=key)["events"]
    assert (events["kept"], events["counted"]) == (3, 3)
    assert (events["sample"] is not None, events["withheld"] is None) == (shown, shown)
    if shown:
        assert {each["fields"]["tailnum"] for each in events["sample"]} == {"N14228", "N24211", "N619AA"}
    path = "/v1/metrics/flights/explain"
    asked = {"tenant": "others", "day": "2013-01-01"}
    assert keyed.ask("GET", path, key["Authorization"].split()[1], params=asked) == (403, "not_your_tenant")


def test_nothing_is_told_of_more_events_than_a_key_may_read(keyed: Keyed) -> None:
    keyed.client.post("/v1/fold", headers=bearer("an-admin-key-for-the-tests"))
    key = bearer(keyed.make(scopes=["read", "support"], tenants=["nyc"], rawRows=2))
    told = explained(keyed.client, "flights", headers=key)
    assert (told["value"], len(told["folds"])) == (3, 1)
    assert (told["events"]["kept"], told["events"]["counted"], told["events"]["sample"]) == (None, None, None)
    assert told["events"]["withheld"].startswith("to look at the events behind it would read about 3 raw")


def test_the_only_tenant_of_a_key_need_not_be_named(keyed: Keyed) -> None:
    key = bearer(keyed.make(scopes=["read"], tenants=["nyc"]))
    reply = keyed.client.get("/v1/metrics/flights/explain?day=2013-01-01", headers=key)
    assert (reply.status_code, reply.json()["tenant"]) == (200, "nyc")


def test_a_derived_stream_says_what_it_follows_from() -> None:
    shown = model_of(read_model(model_file("web").read_bytes(), source="web"))
    derived = {stream.name: stream.derived for stream in shown.streams}
    assert derived["web_events"] is None
    sessions, firsts = (each for each in derived.values() if each is not None)
    assert (sessions.kind, sessions.source, sessions.entity) == ("sessions", "web_events", "visitor")
    assert (sessions.field, sessions.gap_minutes) == ("visitor_id", 30)
    takes = {take.name: (take.kind, take.field, take.where) for take in sessions.takes}
    assert takes["exit_path"] == ("last", "path", "")
    assert takes["views"] == ("count", None, "event = 'page_view'")
    assert takes["seconds"] == ("duration", None, "")
    assert (firsts.kind, firsts.source, firsts.gap_minutes) == ("firsts", "web_leads", None)
