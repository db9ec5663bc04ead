"""`aforo load`: what is right is kept, what is wrong is counted by reason, and nothing ends in a trace."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tests.cli.conftest import Aforo
from tests.cli.shop import BAD, BAD_CODES, COLUMNS, ORDERS, REVENUE, WRITERS, csv_file

SHOP = ("--stream", "orders", "--tenant", "corner")
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


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_is_loaded_once_however_often(kind: str, folder: Path, aforo: Aforo) -> None:
    file = WRITERS[kind](folder / f"orders.{kind}", ORDERS)
    first = aforo("load", file, *SHOP, "--format", "json")
    again = aforo("load", file, *SHOP, "--format", "json")
    nothing: dict[str, object] = {"refused": {}, "samples": []}
    assert (first.code, again.code) == (0, 0)
    assert first.json == {"rows": 4, "accepted": 4, "duplicates": 0, **nothing}
    assert again.json == {"rows": 4, "accepted": 0, "duplicates": 4, **nothing}
    assert aforo(*ASK).json["rows"] == [{"revenue": REVENUE}]


@pytest.mark.parametrize("kind", WRITERS)
def test_bad_rows_are_counted_by_reason_and_the_rest_is_loaded(kind: str, folder: Path, aforo: Aforo) -> None:
    rows = [ORDERS[0], *BAD, *ORDERS[1:]]
    file = WRITERS[kind](folder / f"orders.{kind}", rows)
    said = aforo("load", file, *SHOP, "--format", "json")
    assert said.code == 2
    assert (said.json["rows"], said.json["accepted"]) == (9, 4)
    assert said.json["refused"] == dict.fromkeys(BAD_CODES, 1)
    assert [(each["row"], each["code"]) for each in said.json["samples"]] == list(enumerate(BAD_CODES, 1))
    assert aforo(*ASK).json["rows"] == [{"revenue": REVENUE}]


def test_refusals_are_shown_in_tables_and_csv_too(folder: Path, aforo: Aforo) -> None:
    file = csv_file(folder / "orders.csv", [*ORDERS, BAD[0]])
    table = aforo("load", file, *SHOP)
    assert table.code == 2
    assert "out_of_range" in table.out
    assert "field amount: came" in table.out
    listed = aforo("load", file, *SHOP, "--format", "csv")
    assert listed.out.splitlines() == ["outcome,events", "accepted,0", "duplicate,4", "out_of_range,1"]


def test_lines_that_are_no_rows_are_refused_by_their_number(folder: Path, aforo: Aforo) -> None:
    file = csv_file(folder / "orders.csv", ORDERS)
    file.write_text(file.read_text(encoding="utf-8") + "o6,too,few\n", encoding="utf-8")
    said = aforo("load", file, *SHOP, "--format", "json")
    assert (said.code, said.json["accepted"]) == (2, 4)
    assert [(each["row"], each["code"]) for each in said.json["samples"]] == [(4, "not_an_object")]


def test_columns_are_mapped_and_nulls_are_named(folder: Path, aforo: Aforo) -> None:
    file = folder / "export"
    text = "number,when,who,land,euros\no1,2024-03-01T09:15:00Z,ana,ES,20\no2,2024-03-01T09:20:00Z,NA,ES,20\n"
    file.write_bytes(gzip.compress(text.encode()))
    pairs = zip(COLUMNS, ("number", "when", "who", "land", "euros"), strict=True)
    mapped = [word for pair in pairs for word in ("--map", "=".join(pair))]
    said = aforo("load", file, "--input", "csv", "--null", "NA", *SHOP, *mapped, "--format", "json")
    assert (said.json["accepted"], said.json["refused"]) == (1, {"missing_field": 1})


def test_rows_may_say_their_stream_and_tenant(folder: Path, aforo: Aforo) -> None:
    head = ",".join((*COLUMNS, "stream", "tenant"))
    rows = [
        ",".join((*map(str, order), stream, "corner"))
        for order, stream in zip(ORDERS, ["orders", "oders", "orders", "orders"], strict=True)
    ]
    (folder / "mixed.csv").write_text("\n".join((head, *rows)), encoding="utf-8")
    said = aforo("load", "mixed.csv", "--format", "json")
    assert (said.code, said.json["accepted"], said.json["refused"]) == (2, 3, {"unknown_stream": 1})
    assert "did you mean 'orders'?" in said.json["samples"][0]["detail"]


def test_what_is_not_folded_is_told_and_folded_later(folder: Path, aforo: Aforo) -> None:
    assert aforo("load", csv_file(folder / "orders.csv", ORDERS), *SHOP, "--no-fold").code == 0
    assert aforo(*ASK).json["proof"]["staleSeconds"] > 0
    folded = aforo("fold", "--format", "json")
    assert (folded.code, folded.json["slots"]) == (0, 4)
    answer = aforo(*ASK).json
    assert (answer["rows"], answer["proof"]["staleSeconds"]) == ([{"revenue": REVENUE}], 0)


def test_files_that_cannot_be_read(folder: Path, aforo: Aforo) -> None:
    csv_file(folder / "orders.csv", ORDERS)
    (folder / "folder.csv").mkdir()
    (folder / "empty.csv").touch()
    (folder / "broken.csv.gz").write_bytes(gzip.compress(b"order\n" * 9)[:-9])
    (folder / "text.parquet").write_text("no parquet", encoding="utf-8")
    aforo("load", "order.csv", *SHOP).told_no("there is no file order.csv", "did you mean 'orders.csv'?")
    aforo("load", "nowhere", *SHOP).told_no("there is no file nowhere")
    aforo("load", "folder.csv", *SHOP).told_no("folder.csv is a directory")
    aforo("load", ".", *SHOP).told_no(". is a directory")
    aforo("load", "aforo.toml", *SHOP).told_no("does not tell its format", "--input csv | ndjson | parquet")
    aforo("load", "empty.csv", *SHOP).told_no("empty.csv is empty")
    aforo("load", "broken.csv.gz", *SHOP).told_no("the gzip file is cut off or damaged")
    aforo("load", "text.parquet", *SHOP).told_no("text.parquet cannot be read", "is it a parquet file?")


def test_words_that_do_not_fit(folder: Path, aforo: Aforo) -> None:
    file = csv_file(folder / "orders.csv", ORDERS)
    aforo("load", file, "--stream", "oders", "--tenant", "corner").told_no("did you mean 'orders'?")
    (folder / "empty.ndjson").touch()
    aforo("load", "empty.ndjson", "--stream", "oders").told_no("did you mean 'orders'?")
    aforo("load", file, "--stream", "orders").told_no("has no tenant column", "--tenant T")
    aforo("load", file, *SHOP, "--input", "cvs").told_no("no input format named 'cvs'", "did you mean 'csv'?")
    aforo("load", file, *SHOP, "--map", "amount").told_no("wanted FIELD=COLUMN")
    aforo("load", file, *SHOP, "--map", "amount=amout").told_no("did you mean 'amount'?")
    aforo("load", file, *SHOP, "--map", "amout=amount").told_no("'amout'", "did you mean 'amount'?")
    aforo("load", file, *SHOP, "--tennant", "x").told_no("No such option: --tennant", "--tenant")
    aforo("load", *SHOP).told_no("Missing argument")
