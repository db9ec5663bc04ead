"""Answers as bytes: every cell comes back as it was, with its type, and the proof beside it."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.questions.test_ask import ask, reference
from tests.questions.trips import at, trip

from aforo.errors import NotServable
from aforo.questions.answer import Answer
from aforo.questions.formats import (
    ARROW,
    CSV,
    JSON,
    MOST_BYTES,
    PARQUET,
    WRITERS,
    as_csv,
    compact,
    in_a_line,
    table_of,
)

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.sampled_from(
    ["=1+1", "'=1", "-2", '"', "a,b", "a\r\nb", "@x", "+", "", "\tx", " "]
)


def answer_of(*cities: str | None, **asked: object) -> Answer:
    events = [
        trip(
            "2013-03-09T12:00:00Z",
            city=city,
            night=True,
            line=7,
            delay=1.5,
            ordered=at("2013-01-01T10:00:00Z"),
        )
        for city in cities
    ]
    window = {"from": "2013-03-09", "to": "2013-03-10"}
    return ask(reference(events), **{**window, "metrics": ["trips", "delay_avg"], "by": ["city"], **asked})


@given(st.sets(TEXTS | st.none(), max_size=6))
def test_texts_come_back_from_csv_and_none_is_a_formula(cities: set[str | None]) -> None:
    """One apostrophe less is the value; a null is bare nothing and no empty text."""
    written = as_csv(answer_of(*cities)).decode()
    head, *rows = csv.reader(io.StringIO(written, newline=""), strict=True)
    assert head == ["city", "trips", "delay_avg"]
    read = {row[0].removeprefix("'") for row in rows if row[0]}
    assert read == {city for city in cities if city}
    assert not any(row[0].startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows)
    assert ("\r\n,1," in written) == (None in cities)
    assert ('\r\n"",1,' in written) == ("" in cities)
    assert written.endswith("\r\n")


def test_csv_in_full() -> None:
    assert as_csv(answer_of("Rome", 'a "b"', None, grain="day", limit=2)).decode() == (
        "time,city,trips,delay_avg,other\r\n"
        '2013-03-09,"Rome",1,1.5,\r\n'
        '2013-03-09,"a ""b""",1,1.5,\r\n'
        "2013-03-09,,1,1.5,true\r\n"
        '2013-03-10,"Rome",0,,\r\n'
        '2013-03-10,"a ""b""",0,,\r\n'
        "2013-03-10,,0,,true\r\n"
    )


@pytest.mark.parametrize("kind", [ARROW, PARQUET])
def test_columns_have_types_and_the_proof_is_in_the_metadata(kind: str) -> None:
    asked = {
        "by": ["city", "night", "line", "ordered"],
        "grain": "hour",
        "compare": "previous",
        "totals": True,
    }
    answer = answer_of("Rome", **asked, metrics=["trips", "delay_avg", "delay_few_bins"], limit=5)
    written = WRITERS[kind](answer)
    table = (
        pa.ipc.open_stream(written).read_all() if kind == ARROW else pq.read_table(pa.BufferReader(written))
    )
    zone = pa.timestamp("us", "America/New_York")
    types = {field.name: field.type for field in table.schema}
    assert [types[name] for name in ("time", "city", "night", "line", "ordered", "trips", "delay_avg")] == [
        *(zone, pa.string(), pa.bool_(), pa.int64(), zone, pa.int64(), pa.float64()),
    ]
    assert table.column_names == [column.name for column in answer.columns]
    for got, row in zip(table.to_pylist(), answer.rows, strict=True):
        assert got["time"].isoformat() == row["time"]
        assert got["ordered"].isoformat() == row["ordered"]
        assert {name: got[name] for name in row if name not in ("time", "ordered")} == {
            name: cell for name, cell in row.items() if name not in ("time", "ordered")
        }
        assert got["other"] is False
    metadata = {
        name.decode(): json.loads(text) for name, text in table.schema.metadata.items() if b"aforo." in name
    }
    told = json.loads(WRITERS[JSON](answer))
    assert metadata == {f"aforo.{name}": told[name] for name in ("proof", "totals", "comparison")}
    assert table.schema.field("delay_avg").metadata[b"unit"] == b"minutes"


def test_days_are_dates() -> None:
    table = table_of(answer_of("Rome", grain="day"))
    assert table.schema.field("time").type == pa.date32()
    assert [str(cell) for cell in table["time"].to_pylist()] == ["2013-03-09", "2013-03-10"]


def test_an_answer_of_no_rows_has_its_columns() -> None:
    answer = answer_of()
    assert as_csv(answer) == b"city,trips,delay_avg\r\n"
    assert table_of(answer).num_rows == 0
    assert set(WRITERS) == {JSON, CSV, ARROW, PARQUET}


def test_an_integer_that_has_no_room_is_told() -> None:
    events = [trip("2013-03-09T12:00:00Z", length=2**62) for _ in range(2)]
    answer = ask(reference(events), **{"from": "2013-03-09", "to": "2013-03-10"}, metrics=["distance"])
    assert str(2**63).encode() in as_csv(answer)
    with pytest.raises(NotServable, match="distance holds an integer beyond 64 bits"):
        table_of(answer)


def test_a_proof_for_a_header_is_bounded_and_plain() -> None:
    proof = answer_of("Rome", compare="previous").proof.as_json()
    brief = json.loads(compact(proof))
    assert "considered" not in compact(proof)
    assert (brief["rollup"], brief["comparison"]["rollup"]) == ("cities", "cities")
    long = compact({**proof, "reason": "ä" * MOST_BYTES})
    assert len(long) <= MOST_BYTES
    assert long.isascii()
    assert json.loads(long)["shortened"] is True
    assert json.loads(long)["completeUntil"] == proof["completeUntil"]
    assert in_a_line({"trips": 1, "bins": []}, {"trips": 1}) == '{"trips":1,"bins":[]}'
    assert in_a_line({"trips": 1, "bins": [0] * 9_999}, {"trips": 1}) == '{"trips":1,"shortened":true}'
