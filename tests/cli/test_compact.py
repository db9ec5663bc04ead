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


def test_nothing_is_done_while_a_server_holds_the_directory(aforo: Aforo, folder: Path) -> None:
    with serving(folder):
        aforo("compact").told_no("aforo-data is held by process", code=1)
