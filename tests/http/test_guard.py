"""What one question and one key may cost: raw events by the key's own limit, and questions at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.http.test_keys import ADMIN, Keyed, bearer, keyed_in

from aforo.errors import TooManyRequests
from aforo.http.access.turns import Turns
from aforo.questions.answer import Answer
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked
from aforo.questions.proof import Turn

WHOLE = {"tenant": "shop", "metrics": ["visits"], "from": "2013-01-31", "to": "2013-01-31"}
RAW = {**WHOLE, "by": ["page"]}
ONE_OF_ONE = {"keyQuestionsAtOnce": 1, "keyQuestionsLimit": 1}


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Keyed]:
    for keyed in keyed_in(tmp_path, key_questions_at_once=1):
        for number in range(3):
            event = {"stream": "visits", "tenant": "shop", "time": "2013-01-31T10:00:00Z", "id": str(number)}
            keyed.client.post("/v1/events", json={**event, "fields": {"page": "/"}}, headers=bearer(ADMIN))
        keyed.client.post("/v1/fold", headers=bearer(ADMIN))
        yield keyed


def asked(keyed: Keyed, key: str, question: dict[str, Any]) -> Any:
    return keyed.client.post("/v1/query", json=question, headers=bearer(key))


def test_a_key_has_its_own_limit_of_raw_events(filled: Keyed) -> None:
    free, bound, none = (filled.make(scopes=["read"], rawRows=rows) for rows in (None, 2, 0))
    proof = asked(filled, free, RAW).json()["proof"]
    assert proof["guard"] == {
        "rawRowsExpected": 3,
        "rawRowsLimit": 50_000_000,
        "rawBytesExpected": 3 * (8 + len("shop") + len("/")),
        "rawBytesLimit": 2**34,
        "timeLimitSeconds": 30.0,
        **ONE_OF_ONE,
    }
    assert proof["rowsRead"] == 3
    refused = asked(filled, bound, RAW)
    assert (refused.status_code, refused.json()["code"]) == (422, "question_too_large")
    assert "about 3 raw events with 39 bytes, and it may read 2 with " in refused.json()["detail"]
    assert "questions.raw_rows_limit or the key's own" in refused.json()["hint"]
    assert asked(filled, none, RAW).json()["code"] == "not_servable"
    for key in (free, bound, none):
        reply = asked(filled, key, WHOLE)
        assert reply.json()["rows"] == [{"visits": 3}]
        assert reply.json()["proof"]["guard"] == ONE_OF_ONE
    assert "guard" not in asked(filled, ADMIN, WHOLE).json()["proof"], "it is not limited"


def test_a_key_has_its_own_limit_of_bytes_of_raw_events(filled: Keyed) -> None:
    enough, bound, none = (filled.make(scopes=["read"], rawBytes=size) for size in (39, 38, 0))
    guard = asked(filled, enough, RAW).json()["proof"]["guard"]
    assert (guard["rawBytesExpected"], guard["rawBytesLimit"]) == (39, 39)
    refused = asked(filled, bound, RAW)
    assert (refused.status_code, refused.json()["code"]) == (422, "question_too_large")
    assert "about 3 raw events with 39 bytes, and it may read 50,000,000 with 38" in refused.json()["detail"]
    assert "fewer fields, or raise questions.raw_bytes_limit or the key's own" in refused.json()["hint"]
    assert asked(filled, none, RAW).json()["code"] == "not_servable"
    assert asked(filled, bound, WHOLE).json()["rows"] == [{"visits": 3}]


def test_what_another_key_may_read_is_not_told_from_the_cache(filled: Keyed) -> None:
    free, bound = (filled.make(scopes=["read"], rawRows=rows) for rows in (10, 2))
    told = [asked(filled, free, RAW).json()["proof"] for _ in range(2)]
    assert told[1]["cached"]
    assert told[1]["guard"]["rawRowsLimit"] == 10
    assert asked(filled, bound, RAW).status_code == 422


@pytest.mark.parametrize("limit", ["rawRows", "rawBytes"])
@pytest.mark.parametrize("wrong", [-1, 2**61, "many"])
def test_a_limit_that_is_none_is_refused(filled: Keyed, limit: str, wrong: object) -> None:
    asked_for = {"name": "k", "scopes": ["read"], limit: wrong}
    reply = filled.client.post("/v1/keys", json=asked_for, headers=bearer(ADMIN))
    assert (reply.status_code, reply.json()["errors"][0]["path"]) == (400, limit)


def test_one_key_does_not_take_the_turns_of_another(filled: Keyed, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = Event(), Event()
    first, second = filled.make(scopes=["read"]), filled.make(scopes=["read"])
    ask = Desk.ask

    def slow(desk: Desk, question: Asked) -> Answer:
        begun.set()
        assert go.wait(10)
        return ask(desk, question)

    monkeypatch.setattr(Desk, "ask", slow)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(asked, filled, first, WHOLE)
        assert begun.wait(10)
        monkeypatch.setattr(Desk, "ask", ask)
        refused = asked(filled, first, WHOLE)
        others = asked(filled, second, WHOLE)
        go.set()
        assert waiting.result().status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert int(refused.headers["retry-after"]) >= 1
    assert others.status_code == 200
    assert asked(filled, first, WHOLE).status_code == 200, "its turn is free again"


def test_a_turn_is_given_back_whatever_happens() -> None:
    turns = Turns(1)
    for _ in range(3):
        with pytest.raises(KeyError), turns.taken("a"):
            raise KeyError
    with (
        turns.taken("a"),
        turns.taken("b"),
        turns.taken(None),
        turns.taken(None),
        pytest.raises(TooManyRequests),
        turns.taken("a"),
    ):
        pass
    free = Turns(0)
    with free.taken("a") as one, free.taken("a") as other:
        assert (one, other) == (None, None)


def test_a_turn_says_how_many_are_under_way_with_it() -> None:
    turns = Turns(3)
    with turns.taken("a") as one, turns.taken("b") as theirs, turns.taken("a") as other:
        assert (one, theirs, other) == (Turn(1, 3), Turn(1, 3), Turn(2, 3))


def test_every_kind_of_question_says_how_many_of_its_key_may_be_at_once(filled: Keyed) -> None:
    key = filled.make(scopes=["read"])
    day = {"tenant": "shop", "from": "2013-01-31", "to": "2013-01-31"}
    cohorts = {**day, "metric": "aircraft"}
    funnel = {**day, "entity": "aircraft", "stream": "flights", "steps": [{"where": "origin = 'JFK'"}]}
    for path, question in (("query/explain", WHOLE), ("retention", cohorts), ("funnel", funnel)):
        reply = filled.client.post(f"/v1/{path}", json=question, headers=bearer(key))
        assert reply.status_code == 200, reply.text
        proof = reply.json().get("answer", reply.json())["proof"]
        assert proof["guard"].items() >= ONE_OF_ONE.items()
