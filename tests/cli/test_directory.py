"""What may be wrong with a data directory: each is told, and nothing is changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Aforo, environment
from tests.cli.shop import MODEL, ORDERS, REVENUE, csv_file

LOAD = ("load", "orders.csv", "--stream", "orders", "--tenant", "corner")
HOLD = """
import sys
from pathlib import Path
from aforo.engines.embedded import EmbeddedEngine
engine = EmbeddedEngine(Path(sys.argv[1]), memory_mb=64, threads=1, untimed_id_seconds=1)
print("held", flush=True)
sys.stdin.read()
"""
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


def test_a_broken_model_tells_all_faults_of_all_files_and_changes_nothing(folder: Path, aforo: Aforo) -> None:
    csv_file(folder / "orders.csv", ORDERS)
    assert aforo(*LOAD).code == 0
    file = folder / "aforo-data" / "models" / "shop.yaml"
    file.write_text(
        MODEL.replace("sum: amount", "sum: amout").replace("minimum: 0", "minimun: 0"), encoding="utf-8"
    )
    (file.parent / "more.yml").write_text("streems: {}\n", encoding="utf-8")
    said = aforo(*ASK)
    said.told_no("shop.yaml: 2 faults", "more.yml: 1 fault", "nothing of it was applied")
    said.told_no("line 15, streams.orders.measures.money.sum", "did you mean 'amount'?")
    said.told_no("'minimun' means nothing here; did you mean 'minimum'?", "did you mean 'streams'?")
    file.write_text(MODEL, encoding="utf-8")
    (file.parent / "more.yml").unlink()
    assert aforo(*ASK).json["rows"] == [{"revenue": REVENUE}]


def test_a_name_in_two_model_files(folder: Path, aforo: Aforo) -> None:
    (folder / "aforo-data" / "models" / "twin.yaml").write_text(MODEL, encoding="utf-8")
    aforo("doctor").told_no("orders")


def test_a_model_that_contradicts_what_is_kept(folder: Path, aforo: Aforo) -> None:
    csv_file(folder / "orders.csv", ORDERS)
    assert aforo(*LOAD).code == 0
    file = folder / "aforo-data" / "models" / "shop.yaml"
    file.write_text(
        MODEL.replace("country: {type: string, required: true, max_length: 2}", "country: integer"), "utf-8"
    )
    aforo("doctor").told_no("field country of stream orders", "give the field of the new type another name")
    file.write_text(MODEL, encoding="utf-8")
    assert aforo(*ASK).json["rows"] == [{"revenue": REVENUE}]


def test_a_model_may_gain_and_lose_fields(folder: Path, aforo: Aforo) -> None:
    csv_file(folder / "orders.csv", ORDERS)
    assert aforo(*LOAD).code == 0
    file = folder / "aforo-data" / "models" / "shop.yaml"
    changed = MODEL.replace("      amount: {", "      shop: string\n      amount: {")
    changed = changed.replace("      all: {by: []}", "      all: {by: []}\n      shop: {by: [shop]}")
    file.write_text(changed, encoding="utf-8")
    # The events answer, and why, until the new rollup is whole.
    early = aforo(*ASK, "--by", "shop").json
    assert (early["proof"]["source"], early["proof"]["staleSeconds"]) == ("raw", 0)
    assert "shop is being built" in early["proof"]["reason"]
    assert "slotsLeft" in aforo("doctor").out
    assert aforo("fold").code == 0
    whole = aforo(*ASK, "--by", "shop").json
    assert whole["proof"]["source"] == "rollup"
    assert whole["rows"] == early["rows"] == [{"shop": None, "revenue": REVENUE}]
    file.write_text(MODEL, encoding="utf-8")
    assert aforo(*ASK).json["rows"] == [{"revenue": REVENUE}]


def test_a_data_directory_that_another_process_has(folder: Path, aforo: Aforo) -> None:
    command = [sys.executable, "-c", HOLD, str(folder / "aforo-data")]
    with subprocess.Popen(
        command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        aforo("doctor").told_no("aforo-data is held by process", "--data DIR", code=1)
        aforo("load", csv_file(folder / "orders.csv", ORDERS), *LOAD[2:]).told_no(
            "is held by process", code=1
        )
        holder.kill()
    assert aforo("doctor").code == 0


def test_a_data_directory_that_is_a_file(folder: Path, aforo: Aforo) -> None:
    (folder / "file").touch()
    aforo("doctor", "--data", "file").told_no("file", code=1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_directory_that_may_not_be_written(folder: Path, aforo: Aforo) -> None:
    (folder / "aforo-data").chmod(0o500)
    try:
        aforo("doctor").told_no("aforo-data", code=1)
    finally:
        (folder / "aforo-data").chmod(0o700)
