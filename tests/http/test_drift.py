"""`/v1/drift` over HTTP: who may, what may be asked, and what is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.http.conftest import TOKEN, House, settings_in, standing

from aforo.assembly.remote import checked
from aforo.errors import AforoError, StorageError
from aforo.settings import Drift


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"sampleDays": 0}, "1 to 1,000,000"),
        ({"sampleDays": "ten"}, "whole number"),
        ({"sampledays": 3}, "sampleDays"),
        ([], "wanted"),
    ],
)
def test_what_cannot_be_asked(shared: TestClient, bearer: dict[str, str], body: object, told: str) -> None:
    reply = shared.post("/v1/drift", json=body, headers=bearer)
    assert reply.status_code == 400
    assert told in reply.json()["hint"]


def test_a_check_is_kept_as_the_last_and_in_the_audit(
    house: House, client: TestClient, bearer: dict[str, str]
) -> None:
    event = {"stream": "visits", "tenant": "shop", "time": "2013-01-31T10:00:00Z", "fields": {"page": "/"}}
    for moved in ("2013-01-31T10:00:00Z", "2013-01-31T11:00:00Z"):
        client.post("/v1/events", json={**event, "id": "same", "time": moved})
    client.post("/v1/fold", headers=bearer)
    report = client.post("/v1/drift", json={}, headers=bearer).json()
    assert (report["days"], report["found"], report["returned"]) == (1, 0, 1)
    assert report["returnedIds"] == [
        {
            "stream": "visits",
            "tenant": "shop",
            "id": "same",
            "count": 2,
            "times": ["2013-01-31T10:00:00+00:00", "2013-01-31T11:00:00+00:00"],
        }
    ]
    told = client.get("/v1/drift", headers=bearer).json()
    assert told == {"last": report, "running": None, "failed": None}
    acts = [each for each in house.rooms.audit.page(10) if each.action == "drift_checked"]
    assert [(act.subject, act.detail) for act in acts] == [("rollups", "all days")]


class Held:
    """A server that answers at once while a check goes on, and a check that waits until it is let go."""

    def __init__(self, house: House, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = client
        self.begun, self.go = Event(), Event()
        self.error: AforoError | None = None
        kept_days = house.rooms.engine.kept_days
        monkeypatch.setattr(house.rooms.engine, "kept_days", lambda: self._held(kept_days))

    def _held(self, kept_days: Any) -> Any:
        self.begun.set()
        assert self.go.wait(20)
        if self.error is not None:
            raise self.error
        return kept_days()

    def ask(self, **asked: object) -> Any:
        return self.client.post("/v1/drift", json=asked, headers=BEARER)

    def status(self) -> dict[str, Any]:
        told: dict[str, Any] = self.client.get("/v1/drift", headers=BEARER).json()
        return told

    def ended(self) -> dict[str, Any]:
        """The status once nothing is under way."""
        self.go.set()
        while (told := self.status())["running"] is not None:
            pass
        return told


BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    at_once = replace(settings_in(tmp_path), drift=Drift(answer_seconds=0))
    for house in standing(at_once):
        with house.client() as client:
            found = Held(house, client, monkeypatch)
            yield found
            found.go.set()


def test_a_check_that_takes_long_goes_on_and_is_told_of(held: Held) -> None:
    first = held.ask()
    assert (first.status_code, first.headers["location"]) == (202, "/v1/drift")
    assert held.begun.wait(20)
    under_way = {"sampleDays": None, "daysDone": 0, "days": 0}
    assert first.json() == {"running": under_way}
    assert held.status() == {"last": None, "running": under_way, "failed": None}
    again = held.ask(sampleDays=None)
    assert (again.status_code, again.json()) == (202, first.json())
    other = held.ask(sampleDays=3)
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    assert "all days is under way" in other.json()["detail"]
    told = held.ended()
    assert (told["last"]["found"], told["last"]["keptDays"], told["failed"]) == (0, 0, None)
    assert held.ask(sampleDays=3).status_code == 202, "the one before is done"


def test_a_check_that_fails_when_nobody_waits_says_why(held: Held) -> None:
    held.error = StorageError("the disk is gone")
    assert held.ask().status_code == 202
    told = held.ended()
    assert told["failed"] == {"code": "storage_error", "detail": "the disk is gone"}
    assert told["last"] is None
    with pytest.raises(StorageError, match="the check ended early: the disk is gone"):
        checked(held.status, lambda _done, _of: None)


def test_the_command_line_follows_a_check_to_its_end(held: Held) -> None:
    held.ask()
    assert held.begun.wait(20)
    seen: list[tuple[int, int]] = []

    def progress(done: int, of: int) -> None:
        seen.append((done, of))
        held.go.set()

    assert checked(held.status, progress)["found"] == 0
    assert seen[0] == (0, 0)
