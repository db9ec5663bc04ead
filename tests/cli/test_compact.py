"""`aforo compact` as a person uses it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Aforo, serving
from tests.cli.shop import ORDERS, csv_file

LOAD = ("load", "orders.csv", "--stream", "orders", "--tenant", "corner")
ASK = ("ask", "orders", "--tenant", "corner", "--from", "2024-03-01", "--to", "2024-03-02", "--format", "csv")


def test_everything_is_there_afterwards(aforo: Aforo, folder: Path) -> None:
    csv_file(folder / "orders.csv", ORDERS)
    assert aforo(*LOAD).code == 0
    before = aforo(*ASK)
    said = aforo("compact", "--format", "json")
    assert (said.code, said.json["events"]) == (0, 4)
    assert said.json["bytesAfter"] == (folder / "aforo-data" / "events.duckdb").stat().st_size
    assert aforo(*ASK).out == before.out
    assert aforo("doctor", "--drift").code == 0


def test_the_server_that_holds_the_directory_does_what_it_can(aforo: Aforo, folder: Path) -> None:
    csv_file(folder / "orders.csv", ORDERS)
    with serving(folder):
        assert aforo(*LOAD).code == 0
        before = aforo(*ASK)
        said = aforo("compact", "--format", "json")
        assert (said.code, said.json["events"], said.json["moved"]) == (0, 4, 0)
        assert said.json["finished"] is True
        assert said.json["bytesAfter"] >= said.json["freeBytes"] >= 0
        assert aforo(*ASK).out == before.out
        told = aforo("doctor", "--format", "json").json
        assert told["fileBytesPerEvent"] == round(told["fileBytes"] / 4, 1)
        assert told["outOfOrder"] >= 0
