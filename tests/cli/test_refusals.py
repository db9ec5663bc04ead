"""`aforo refusals`, and what a server counts of a file's refused rows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.cli.conftest import Aforo, serving
from tests.cli.shop import BAD, BAD_CODES, ORDERS, csv_file


def test_what_was_refused_is_shown_without_values(aforo: Aforo, folder: Path) -> None:
    aforo("load", csv_file(folder / "orders.csv", [*ORDERS, *BAD]), "--tenant", "corner")
    told = aforo("refusals", "--format", "json").json
    assert Counter(each["code"] for each in told["refusals"]) == Counter(BAD_CODES)
    assert "a very long order" not in str(told)
    assert (
        aforo("refusals", "--code", "bad_time", "--format", "csv").out.splitlines()[0].startswith("at,stream")
    )
    assert "older ones: --cursor" in aforo("refusals", "--limit", "2").out
    aforo("refusals", "--code", "to_long").told_no("to_long", "did you mean 'too_long'?")
    aforo("refusals", "--limit", "none").told_no("whole number from 1")


def test_a_server_counts_the_rows_that_never_reach_it(aforo: Aforo, folder: Path) -> None:
    """Through a server and on the directory itself the same is counted, asked and shown."""
    file = csv_file(folder / "orders.csv", [*ORDERS, *BAD])
    asked = (
        "ask",
        "ingest_refused,ingest_accepted,ingest_success_rate",
        "--tenant",
        "corner",
        "--format",
        "json",
    )
    with serving(folder):
        assert aforo("load", file, "--tenant", "corner").code == 2
        through = aforo(*asked).json["rows"]
        kept = aforo("refusals", "--format", "json").json
        assert through == [
            {"ingest_refused": len(BAD), "ingest_accepted": len(ORDERS), "ingest_success_rate": 4 / 9}
        ]
        assert Counter(each["code"] for each in kept["refusals"]) == Counter(BAD_CODES)


def test_tenants_fixed_by_the_setting_are_fixed_for_files(aforo: Aforo, folder: Path) -> None:
    with (folder / "aforo.toml").open("a", encoding="utf-8") as settings:
        settings.write('[intake]\ntenants = "fixed"\n')
    file = csv_file(folder / "orders.csv", ORDERS)
    told = aforo("load", file, "--tenant", "stranger", "--format", "json")
    assert (told.code, told.json["refused"]) == (2, {"unknown_tenant": len(ORDERS)})
    assert aforo("load", file, "--tenant", "corner").code == 0
