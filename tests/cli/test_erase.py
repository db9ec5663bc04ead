"""`aforo erase` and `aforo seen`: to its end on a directory, and through the server that holds it."""

from __future__ import annotations

import io
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.cli.conftest import Aforo, serving
from tests.cli.shop import ORDERS, REVENUE, csv_file

ASK = (
    "ask",
    "revenue",
    "--tenant",
    "corner",
    "--from",
    "2024-03-01",
    "--to",
    "2024-03-31",
    "--format",
    "json",
)
ERASE = ("erase", "--tenant", "corner", "--entity", "buyer", "--format", "json", "--value")
ANA = 32.25


def loaded(folder: Path, aforo: Aforo) -> None:
    orders = csv_file(folder / "orders.csv", ORDERS)
    assert aforo("load", orders, "--stream", "orders", "--tenant", "corner").code == 0
    assert revenue(aforo) == REVENUE


def revenue(aforo: Aforo) -> Any:
    assert aforo("fold").code == 0
    return aforo(*ASK).json["rows"][0]["revenue"]


def test_a_directory_is_erased_at_once(folder: Path, aforo: Aforo, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(folder, aforo)
    erased = aforo(*ERASE, "ana").json
    assert (erased["state"], erased["events"]) == ("done", 2)
    assert aforo(*ASK).json["rows"][0]["revenue"] == REVENUE - ANA
    monkeypatch.setattr("sys.stdin", io.StringIO("carl\n"))
    assert aforo(*ERASE, "-").json["events"] == 1
    listed = aforo("erasures", "--format", "json")
    assert [each["state"] for each in listed.json["erasures"]] == ["done", "done"]
    assert "ana" not in listed.out
    assert "there is more: --cursor" in aforo("erasures", "--limit", "1").err
    assert aforo("erasures", erased["id"], "--format", "json").json == erased


def test_mistakes(folder: Path, aforo: Aforo) -> None:
    loaded(folder, aforo)
    aforo("erase", "--tenant", "corner", "--entity", "buyr", "--value", "ana").told_no(
        "did you mean 'buyer'?"
    )
    aforo("erase", "--tenant", "none", "--entity", "buyer", "--value", "ana").told_no(
        "no tenant named 'none'"
    )
    aforo("erasures", "era_x").told_no("no erasure with the id 'era_x'", code=2)


def test_a_server_goes_on_by_itself(folder: Path, aforo: Aforo) -> None:
    loaded(folder, aforo)
    with serving(folder):
        asked = aforo(*ERASE, "ana").json
        ended = Event()
        for _ in range(200):
            found = aforo("erasures", asked["id"], "--format", "json").json
            if found["state"] == "done":
                break
            ended.wait(0.05)
        assert (found["state"], found["events"]) == ("done", 2)
        assert revenue(aforo) == REVENUE - ANA


def test_seen_on_a_directory_and_through_its_server(
    folder: Path, aforo: Aforo, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(folder, aforo)
    seen = ("seen", "--tenant", "corner", "--entity", "buyer", "--format", "json", "--value")
    told = aforo(*seen, "ana").json
    assert told["first"] == {"time": "2024-03-01T09:15:00+01:00", "exactTo": "event"}
    assert told["last"] == {"time": "2024-03-02T11:30:00+01:00", "exactTo": "event"}
    monkeypatch.setattr("sys.stdin", io.StringIO("ana\n"))
    with serving(folder):
        assert aforo(*seen, "-").json == told
    assert "2024-03-02T11:30:00+01:00" in aforo(*seen[:5], "--value", "ana").out
    aforo(*seen, "nobody").told_no("to the letter", code=2)
