"""When a value was seen, over HTTP: told to who may read its tenant, and never with the value."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient
from tests.http.conftest import House, filled

from aforo.engines.keeping import PurgeAsked
from aforo.http import examples_of_sets
from aforo.http.seen import SeenReply, SightReply
from aforo.windows import parse_instant

AIRCRAFT = {"tenant": "nyc", "entity": "aircraft", "value": "N14228"}
SECRET = {**AIRCRAFT, "value": "N99999"}


def test_first_and_last_to_the_event_and_after_a_purge_to_the_day(
    house: House, client: TestClient, bearer: dict[str, str]
) -> None:
    filled(client, bearer)
    told = client.post("/v1/seen", json=AIRCRAFT).json()
    example = next(iter(examples_of_sets.SEEN.values()))
    assert told.keys() == example.keys() == names(SeenReply)
    assert told["first"].keys() == example["first"].keys() == names(SightReply)
    assert (told["first"]["exactTo"], told["knownFrom"]) == ("event", None)
    assert told["first"]["time"].startswith("2013-01-01T")
    engine = house.rooms.engine
    assert engine.purge(PurgeAsked("flights", "nyc", parse_instant("2013-06-01T00:00:00Z"), 0, 10**6)).events
    while engine.forget(1_000) is not None:
        pass
    told = client.post("/v1/seen", json=AIRCRAFT).json()
    assert told["first"] == {"time": "2013-01-01", "exactTo": "day"}
    assert "N14228" not in str(told)


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ([], 400, "no object"),
        ({**SECRET, "vale": 1}, 400, "did you mean 'value'?"),
        ({**SECRET, "entity": "aircrafts"}, 400, "did you mean 'aircraft'?"),
        ({**SECRET, "tenant": "lax"}, 400, "no tenant"),
        ({**SECRET, "value": ""}, 400, "1 to 1024"),
        (SECRET, 404, "nothing that is kept"),
    ],
)
def test_mistakes(client: TestClient, bearer: dict[str, str], body: Any, status: int, told: str) -> None:
    filled(client, bearer)
    reply = client.post("/v1/seen", json=body)
    assert (reply.status_code, told in reply.text, "N99999" in reply.text) == (status, True, False)


def names(shape: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(shape)}
