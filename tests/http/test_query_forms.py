"""One question as a body and as an address, and its answer in each form."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient
from tests.http.test_questions import FLIGHTS

from aforo.errors import InvalidRequest, NotAcceptable
from aforo.http.accepting import chosen
from aforo.http.query_words import WORDS, question_of
from aforo.questions.asked import PARAMETERS
from aforo.questions.formats import ARROW, CSV, JSON, PARQUET, WRITERS

TENANT = "forms"  # other tests send to the same server
QUESTION: dict[str, Any] = {
    "tenant": TENANT,
    "metrics": ["flights", "dep_delay_avg"],
    "from": "2013-01-01",
    "to": "2013-01-01",
    "by": ["origin"],
    "where": 'carrier in ("UA", "AA")',
    "compare": "previous",
    "matchWeekdays": True,
    "order": "flights desc, origin",
    "limit": 1,
    "totals": True,
}


@pytest.fixture
def asked(shared: TestClient, bearer: dict[str, str]) -> TestClient:
    shared.post("/v1/events", json={"events": [{**each, "tenant": TENANT} for each in FLIGHTS["events"]]})
    shared.post("/v1/fold", headers=bearer)
    return shared


def address(**more: Any) -> str:
    words = {**QUESTION, **more}
    told = {"metrics": ",".join(words["metrics"]), "matchWeekdays": "true", "totals": "true"}
    return f"/v1/query?{urlencode({**words, **told}, doseq=True)}"


def answered(reply: Any) -> dict[str, Any]:
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    for of_the_moment in ("tookMs", "cached", "ageSeconds"):
        told["proof"].pop(of_the_moment, None)
    return told


def test_an_address_asks_what_a_body_asks(asked: TestClient) -> None:
    by_body = answered(asked.post("/v1/query", json=QUESTION))
    assert answered(asked.get(address())) == by_body
    assert [row.get("other") for row in by_body["rows"]] == [None, True]
    assert by_body["totals"]["flights"] == sum(row["flights"] for row in by_body["rows"])
    assert by_body["comparison"]["matchWeekdays"] is True


def test_an_address_knows_the_words_of_a_body_and_no_others(asked: TestClient) -> None:
    assert tuple(sorted(WORDS)) == tuple(sorted(PARAMETERS))
    reply = asked.get("/v1/query?tenant=nyc&metrics=flights&form=2013-01-01")
    assert (reply.status_code, reply.json()["hint"]) == (400, "did you mean 'from'?")
    reply = asked.get("/v1/query?tenant=nyc&metrics=fligths")
    assert (reply.status_code, reply.json()["hint"]) == (400, "did you mean 'flights'?")


def test_lists_are_repeated_or_have_commas() -> None:
    pairs = [("metrics", "a, b"), ("metrics", "c"), ("by", ""), ("limit", "3"), ("daily", "false")]
    assert question_of(pairs) == {"metrics": ["a", "b", "c"], "by": [], "limit": 3, "daily": False}


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        (("limit", "ten"), "limit: came 'ten', wanted a whole number"),
        (("limit", "-1"), "limit: came '-1'"),
        (("totals", "yes"), "totals: came 'yes', wanted true or false"),
        (("tenant", "b"), "tenant: came 2 times, wanted once"),
    ],
)
def test_words_that_cannot_be_read_are_all_told(pair: tuple[str, str], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told) as raised:
        question_of([("tenant", "a"), ("daily", "1"), pair])
    assert len(raised.value.faults) == 2


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ([], JSON),
        (["*/*"], JSON),
        (["text/html, application/xhtml+xml, */*;q=0.8"], JSON),
        (["text/csv"], CSV),
        (["Text/CSV; header=present"], CSV),
        (["text/*"], CSV),
        ([f"{JSON};q=0.5, {ARROW}"], ARROW),
        ([f"{JSON};q=0.5", f"{PARQUET};q=0.7"], PARQUET),
        ([f"{JSON};q=0, application/*"], ARROW),
        (["text/csv;q=high, */*;q=0.1"], JSON),
    ],
)
def test_what_is_rather_had(accept: list[str], kind: str) -> None:
    assert chosen(accept, WRITERS) == kind


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*"])
def test_what_is_not_given_is_told_before_anything_is_read(asked: TestClient, accept: str) -> None:
    with pytest.raises(NotAcceptable):
        chosen([accept], WRITERS)
    for reply in (
        asked.get(address(), headers={"Accept": accept}),
        asked.post("/v1/query", json=QUESTION, headers={"Accept": accept}),
    ):
        assert (reply.status_code, reply.json()["code"]) == (406, "not_acceptable")
        assert reply.headers["content-type"] == "application/problem+json"
        assert "text/csv" in reply.json()["hint"]


def test_csv_has_proof_and_totals_in_headers(asked: TestClient) -> None:
    reply = asked.get(address(), headers={"Accept": "text/csv"})
    assert reply.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert reply.headers["vary"] == "Accept"
    lines = reply.text.split("\r\n")
    assert lines[0].startswith("origin,flights,flights_compared,flights_delta,")
    proof = json.loads(reply.headers["aforo-proof"])
    assert proof["source"] == "rollup"
    assert proof["totals"]["source"] == "rollup"
    assert json.loads(reply.headers["aforo-totals"])["flights"] == 3


def test_tables_for_programs(asked: TestClient) -> None:
    rows = asked.post("/v1/query", json=QUESTION).json()["rows"]
    arrow = asked.post("/v1/query", json=QUESTION, headers={"Accept": ARROW})
    parquet = asked.get(address(), headers={"Accept": PARQUET})
    assert (arrow.headers["content-type"], parquet.headers["content-type"]) == (ARROW, PARQUET)
    for table in (
        pa.ipc.open_stream(arrow.content).read_all(),
        pq.read_table(pa.BufferReader(parquet.content)),
    ):
        assert [row["flights"] for row in table.to_pylist()] == [row["flights"] for row in rows]
        assert json.loads(table.schema.metadata[b"aforo.proof"])["source"] == "rollup"


def test_errors_are_problems_whatever_is_wanted(asked: TestClient) -> None:
    reply = asked.get("/v1/query?tenant=nyc&metrics=fligths", headers={"Accept": "text/csv"})
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")
