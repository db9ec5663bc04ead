"""`aforo retention` and `aforo funnel`, as a table, as CSV and as HTTP's JSON."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from tests.cli.conftest import Aforo, furnished
from tests.cli.shop import ORDERS, csv_file

from aforo.cli.app import run
from aforo.cli.output import shown

MARCH = ("--tenant", "corner", "--from", "2024-03-01", "--to", "2024-03-03")
FUNNEL = ("funnel", *MARCH, "--entity", "buyer", "--stream", "orders")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose data directory has the orders, folded; the tests here only read it."""
    folder = furnished(tmp_path_factory.mktemp("shop"))
    file = csv_file(folder / "orders.csv", ORDERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with pytest.raises(SystemExit, match="0"):
            run(["load", str(file), "--stream", "orders", "--tenant", "corner"])
    return folder


@pytest.fixture(autouse=True)
def shop(loaded: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The loaded folder as the working directory."""
    monkeypatch.chdir(loaded)
    monkeypatch.setenv("COLUMNS", "200")
    return loaded


def test_cohorts(aforo: Aforo) -> None:
    said = aforo("retention", "buyers", *MARCH, "--grain", "day", "--format", "json")
    assert [(each["size"], each["returned"]) for each in said.json["cohorts"]] == [
        (2, [2, 1, 0]),
        (1, [1, 0]),
        (0, [0]),
    ]
    table = aforo("retention", "buyers", *MARCH, "--grain", "day").out
    assert "2024-03-01" in table
    assert "1 (50.0%)" in table
    assert "from rollup all (day rows)" in table
    rows = list(csv.DictReader(io.StringIO(aforo("retention", "buyers", *MARCH, "--format", "csv").out)))
    assert rows == [
        {"cohort": "2024-02-26", "size": "3", "periods_later": "0", "returned": "3", "share": "1.0"}
    ]


def test_a_funnel(aforo: Aforo) -> None:
    steps = ("amount > 15", "orders: amount < 15")
    said = aforo(*FUNNEL, *steps, "--within", "2d", "--format", "json")
    assert [step["count"] for step in said.json["steps"]] == [3, 1]
    assert said.json["proof"]["source"] == "raw"
    table = aforo(*FUNNEL, *steps).out
    assert "orders: amount < 15" in table
    assert "from the raw events: orders has no rollup split by amount" in table
    unordered = aforo(*FUNNEL, 'country = "ES"', "orders:", "--any-order", "--format", "json")
    assert [step["count"] for step in unordered.json["steps"]] == [2, 2]
    assert unordered.json["proof"]["rollup"] == "country"


def test_numbers_of_a_distribution_are_written_out() -> None:
    bounds = ((-25_312.7, -7_126.5), (-1e-9, 1e-9), (0.28157, 1.0), (7_126.5, 25_312.7))
    told = shown([{"from": low, "to": high, "count": 1_200} for low, high in bounds])
    assert told.split("\n") == [
        "-25,313 to -7,126: 1,200", "0: 1,200", "0.2816 to 1: 1,200", "7,126 to 25,313: 1,200",
    ]  # fmt: skip


def test_wrong_words(aforo: Aforo) -> None:
    said = aforo("retention", "orders", *MARCH)
    assert said.code == 2
    assert "such as buyers" in said.err
    assert said.err.count("cohorts are of a metric") == 1  # an only fault is the error itself
    several = aforo("retention", "orders", *MARCH, "--returns", "revenue", "--grain", "hour").err
    assert "grain: there is no period of cohorts named 'hour'" in several
    assert "no length of time" in aforo(*FUNNEL, "amount > 1", "--within", "ever").err
