"""`aforo doctor --drift` as a person uses it, on a directory and through the server that holds it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from tests.cli.conftest import Aforo, serving
from tests.cli.shop import ORDERS, csv_file

LOAD = ("load", "orders.csv", "--stream", "orders", "--tenant", "corner")


@pytest.fixture
def shop(aforo: Aforo, folder: Path) -> Path:
    csv_file(folder / "orders.csv", ORDERS)
    assert aforo(*LOAD).code == 0
    return folder


def spoil(folder: Path) -> None:
    """Takes the days of countries away behind the engine's back."""
    with duckdb.connect(folder / "aforo-data" / "events.duckdb") as file:
        [(table,)] = file.execute(
            "SELECT table_name FROM duckdb_columns() "
            "WHERE column_name = 'country' AND table_name LIKE 'rollup%day'"
        ).fetchall()
        file.execute(f'DELETE FROM "{table}"')


def test_nothing_is_wrong_with_what_was_folded(aforo: Aforo, shop: Path) -> None:
    said = aforo("doctor", "--drift", "--format", "json")
    assert said.code == 0
    assert (said.json["days"], said.json["found"], said.json["differences"]) == (2, 0, [])


def test_what_is_wrong_is_shown_and_mended_by_the_next_fold(aforo: Aforo, shop: Path) -> None:
    spoil(shop)
    said = aforo("doctor", "--drift")
    assert said.code == 1
    assert "country DE" in said.out
    assert "paid 1, money 80.00" in said.out
    # What is marked waits for its fold, and is not found again.
    rows = aforo("doctor", "--drift", "--format", "csv")
    assert rows.code == 0
    assert rows.out.splitlines() == ["stream,tenant,rollup,period,start,split,measure,against,wanted,kept"]
    assert aforo("fold").code == 0
    assert aforo("doctor", "--drift", "--sample", "5").code == 0


def test_through_the_server_it_is_the_same(aforo: Aforo, shop: Path) -> None:
    spoil(shop)
    with serving(shop):
        assert aforo("doctor", "--drift", "--sample", "9").code == 1
        assert aforo("fold").code == 0
        assert aforo("doctor", "--drift").code == 0


def test_a_sample_is_of_a_drift_check(aforo: Aforo, folder: Path) -> None:
    aforo("doctor", "--sample", "3").told_no("--sample", "add --drift")
