"""`aforo explain`, and `aforo ask --explain` of everything that an answer is made of."""

from __future__ import annotations

import csv
import io
import re

from tests.cli.conftest import Aforo
from tests.cli.test_sets import loaded, shop

from aforo.cli.explained import PARTS
from aforo.cli.proofs import considered_lines, proof_lines

__all__ = ["loaded", "shop"]  # the loaded shop, as a fixture

DAY = ("--tenant", "corner", "--day", "2024-03-02")


def test_a_number_down_to_its_events(aforo: Aforo) -> None:
    said = aforo("explain", "revenue", *DAY)
    assert said.code == 0
    assert "92.25 euros = money" in said.out
    assert "2 raw events of orders are kept, and 2 of them count here" in said.out
    assert "carl" in said.out
    assert "SELECT __bucket, sum(" in said.out
    assert "→ all: can serve, with 0 dimensions, the fewest" in said.out
    told = aforo("explain", "revenue", *DAY, "--format", "json").json
    assert {each["fields"]["order"] for each in told["events"]["sample"]} == {"o3", "o4"}
    [fold] = told["folds"]
    assert (fold["day"], fold["revision"], fold["commit"]) == ("2024-03-02", 1, told["proof"]["commit"])
    assert fold["foldedAt"] in said.out
    rows = list(csv.DictReader(io.StringIO(aforo("explain", "median_order", *DAY, "--format", "csv").out)))
    assert rows == [{"name": "amounts", "state": "2 values from 12.25 to 80"}]


def test_what_cannot_be_explained(aforo: Aforo) -> None:
    aforo("explain", "order", *DAY).told_no("no metric named 'order'")
    aforo("explain", "orders", "--tenant", "corner", "--day", "yesterday").told_no(
        "day: 'yesterday' is not a date"
    )


def test_an_answer_tells_what_ranked_its_groups_and_what_its_totals_are_of(aforo: Aforo) -> None:
    window = ("--tenant", "corner", "--from", "2024-03-01", "--to", "2024-03-02", "--grain", "day")
    more = ("--by", "country", "--limit", "1", "--totals", "--compare", "previous", "--explain")
    lines = aforo("ask", "orders", *window, *more).out.splitlines()
    found = [re.match(r"(.*?) ?from rollup (\w+)", line) for line in lines if " rows read" in line]
    read = [each.groups() for each in found if each is not None]
    assert read == [
        ("", "country"),
        ("compared with what was read", "country"),
        ("ranked by what was read", "country"),
        ("totals are", "all"),
        ("totals are compared with what was read", "all"),
    ]
    assert sum(line.startswith("→ ") for line in lines) == len(read)
    text = "\n".join(lines)
    for part in ("rows", "comparison", "ranking", "totals", "totalsComparison"):
        assert re.search(f"^{PARTS[part]}$", text, re.MULTILINE), part
    assert "orders = " in text
    assert text.count("-- Counts, sums and extremes, merged by bucket and split.") == len(read)
    assert re.search(r"folds of orders\n.*\n2024-03-01 ", text)
    assert re.search(r"\d raw events of orders are kept, and \d of them count here", text)
    assert "carl" in text


def test_the_limits_that_an_answer_was_near_are_told() -> None:
    read = {"source": "rollup", "rollup": "all", "grains": ["day"], "rowsRead": 1, "considered": []}
    fresh = {"completeUntil": "now", "staleSeconds": 0, "exact": {}, "tookMs": 1, "modelVersion": "m"}
    proof = {**read, **fresh, "timezone": "UTC", "weekStart": "monday", "commit": 1, "revision": 1}
    turn = {"keyQuestionsAtOnce": 2, "keyQuestionsLimit": 3}
    assert considered_lines({**proof, "guard": turn}) == [
        "guard: 2 of 3 questions of the key were under way, with this one"
    ]
    nulls = [{"metric": "orders", "reason": "before_measure", "until": "March"}]
    told = proof_lines({**proof, "sealedUntil": "February", "nulls": nulls})
    assert told[1:3] == [
        "raw events before February were purged",
        "orders is null before March: it is kept only since then",
    ]


def test_an_explained_answer_is_written_where_there_is_a_place_for_it(aforo: Aforo) -> None:
    window = ("--from", "2024-03-01", "--to", "2024-03-02")
    question = ("ask", "orders", "--tenant", "corner", *window, "--explain")
    told = aforo(*question, "--where", "country = 'ES'", "--format", "json").json
    assert told["answer"]["rows"][0]["orders"] == told["behind"][0]["events"]["counted"]
    assert {each["fields"]["country"] for each in told["behind"][0]["events"]["sample"]} == {"ES"}
    aforo(*question, "--format", "csv").told_no("--explain tells more than csv has a place for")
