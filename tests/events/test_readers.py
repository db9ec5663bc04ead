"""Files come as chunks of raw columns; what is no row is refused by its number, and the rest is read."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.errors import UnreadableFile
from aforo.events.columns import Column, Source
from aforo.events.readers import READERS, chunk, csv, format_of, ndjson, parquet
from aforo.events.readers.chunk import Chunk, FileShape
from aforo.events.refusals import RefusalCode

CELL = st.one_of(
    st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
)


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def values(columns: Mapping[str, Column]) -> dict[str, list[object]]:
    return {
        name: column.to_pylist() if isinstance(column, pa.Array) else list(column)
        for name, column in columns.items()
    }


def joined(chunks: list[Chunk]) -> dict[str, list[object]]:
    out: dict[str, list[object]] = {}
    for each in chunks:
        for name, column in values(each.columns).items():
            assert len(column) == each.rows == len(each.numbers)
            out.setdefault(name, []).extend(column)
    return out


def refused(chunks: list[Chunk]) -> dict[int, RefusalCode]:
    return {refusal.index: refusal.code for each in chunks for refusal in each.refusals}


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_csv_is_read_as_text(tmp_path: Path, name: str) -> None:
    content = '\ufeffcarrier,delay,note\r\nUA,5,"a, ""b""\n"\r\n\r\n"",NA,é\r\n'.encode()
    (only,) = csv.read(written(tmp_path, name, content), FileShape(nulls=frozenset({"", "NA"})))
    assert values(only.columns) == {"carrier": ["UA", None], "delay": ["5", None], "note": ['a, "b"\n', "é"]}
    assert only.source is Source.TEXT
    assert only.refusals == ()
    assert 0 < only.bytes_read <= only.bytes_total == (tmp_path / name).stat().st_size


def test_na_is_text_unless_it_is_said_to_be_null(tmp_path: Path) -> None:
    (only,) = csv.read(written(tmp_path, "a.csv", b"a,b\nNA,null\n"), FileShape())
    assert values(only.columns) == {"a": ["NA"], "b": ["null"]}


@given(st.lists(st.tuples(CELL, CELL), max_size=30), st.integers(1, 9))
def test_whatever_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str | None, str | None]], size: int
) -> None:
    lines = [
        ",".join('"' + (cell or "").replace('"', '""') + '"' for cell in row) for row in [("a", "b"), *rows]
    ]
    path = written(tmp_path_factory.mktemp("csv"), "a.csv", "\n".join(lines).encode())
    chunks = list(csv.read(path, FileShape(chunk_rows=size)))
    assert joined(chunks) == ({"a": [a for a, _ in rows], "b": [b for _, b in rows]} if rows else {})
    assert [each.rows for each in chunks[:-1]] == [size] * (len(chunks) - 1)


@given(st.lists(st.sampled_from(["good", "short", "long", "garbled"]), max_size=40), st.integers(1, 9))
def test_bad_rows_of_csv_are_refused_by_their_number(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], size: int
) -> None:
    line = {"good": b"%d,x", "short": b"%d", "long": b"%d,x,y", "garbled": b"%d,\xff"}
    lines = [b"n,t", *(line[kind] % number for number, kind in enumerate(kinds))]
    path = written(tmp_path_factory.mktemp("csv"), "a.csv", b"\n".join(lines))
    chunks = list(csv.read(path, FileShape(chunk_rows=size)))
    good = [number for number, kind in enumerate(kinds) if kind == "good"]
    assert [number for each in chunks for number in each.numbers.tolist()] == good
    assert joined(chunks).get("n", []) == [str(number) for number in good]
    assert refused(chunks) == dict.fromkeys(
        sorted(set(range(len(kinds))) - set(good)), RefusalCode.NOT_AN_OBJECT
    )


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_large_csv_comes_in_chunks_of_one_size(tmp_path: Path, name: str) -> None:
    line = "x" * 90
    rows = [f"{number},{line}" if number % 30_000 else f"{number}" for number in range(130_000)]
    chunks = list(csv.read(written(tmp_path, name, "\n".join(["n,t", *rows]).encode()), FileShape()))
    assert [each.rows for each in chunks] == [50_000, 50_000, 29_995]
    assert refused(chunks).keys() == {0, 30_000, 60_000, 90_000, 120_000}
    numbers = np.concatenate([each.numbers for each in chunks])
    assert joined(chunks)["n"] == [str(number) for number in numbers.tolist()]
    progress = [each.bytes_read for each in chunks]
    assert progress == sorted(progress)
    assert [each / chunks[0].bytes_total for each in progress] == pytest.approx([0.38, 0.77, 1], abs=0.05)
    assert [each.first_row for each in chunks] == [0, *(int(each.numbers[-1]) + 1 for each in chunks[:-1])]


def test_columns_are_mapped_to_fields(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", b"time_hour,airline,carrier\n1,2,3\n")
    shape = FileShape(mapping={"time": "time_hour", "carrier": "airline", "hour": "time_hour"})
    (only,) = csv.read(path, shape)
    assert values(only.columns) == {"time": ["1"], "carrier": ["2"], "hour": ["1"]}
    with pytest.raises(UnreadableFile, match="no column named 'airlin'") as caught:
        list(csv.read(path, FileShape(mapping={"carrier": "airlin"})))
    assert caught.value.hint == "did you mean 'airline'?"


LINES = [
    b'{"carrier": "UA", "delay": 5}',
    b"",
    b"[1, 2]",
    b'{"stream": "flights", "time": "now", "fields": {"carrier": "DL", "time": 3}}',
    b"not json",
    b'{"note": NaN, "delay": 1e999, "carrier": "\\ud800"}',
    b'"' + b"x" * (2 * 1024 * 1024) + b'"',
    b'{"broken": "\xff"}',
    b"[" * 100_000,
    b'{"delay": 123456789012345678901234567890}\r',
]


@pytest.mark.parametrize("name", ["a.ndjson", "a.jsonl.gz"])
def test_ndjson_is_read_line_by_line(tmp_path: Path, name: str) -> None:
    content = b"\xef\xbb\xbf" + b"\n".join(LINES)
    (only,) = ndjson.read(written(tmp_path, name, content), FileShape())
    found = values(only.columns)
    assert only.source is Source.JSON
    assert only.numbers.tolist() == [0, 2, 4, 8]
    assert found["carrier"] == ["UA", "DL", "\ud800", None]
    assert found["delay"] == [5, None, float("inf"), 123456789012345678901234567890]
    assert (found["stream"], found["time"]) == ([None, "flights", None, None], [None, "now", None, None])
    assert found["fields.time"] == [None, 3, None, None]
    assert refused([only]) == {
        1: RefusalCode.NOT_AN_OBJECT,
        3: RefusalCode.NOT_AN_OBJECT,
        5: RefusalCode.TOO_LONG,
        6: RefusalCode.NOT_AN_OBJECT,
        7: RefusalCode.NOT_AN_OBJECT,
    }
    assert "came [1, 2], wanted an object" in only.refusals[0].detail


@pytest.mark.parametrize("tail", [b"", b"\n", b"\n\n", b'\n{"a": 5}'])
@pytest.mark.parametrize("length", [1024 * 1024 - 9, 1024 * 1024, 1024 * 1024 + 1, 3 * 1024 * 1024])
def test_lines_around_the_limit(tmp_path: Path, length: int, tail: bytes) -> None:
    line = b'{"a": "' + b"x" * (length - 9) + b'"}'
    assert len(line) == length
    chunks = list(ndjson.read(written(tmp_path, "a.ndjson", b'{"a": 1}\n' + line + tail), FileShape()))
    numbers = [number for each in chunks for number in each.numbers.tolist()]
    fits = length <= 1024 * 1024
    assert numbers == [0, *([1] if fits else []), *([2] if tail.strip() else [])]
    assert refused(chunks) == ({} if fits else {1: RefusalCode.TOO_LONG})


def test_ndjson_comes_in_chunks_and_is_mapped(tmp_path: Path) -> None:
    lines = [json.dumps({"n": number, "at": "x"} if number % 2 else {"n": number}) for number in range(25)]
    path = written(tmp_path, "a.ndjson", "\n".join(lines).encode())
    chunks = list(ndjson.read(path, FileShape(chunk_rows=10, mapping={"time": "at", "id": "gone"})))
    assert [(each.first_row, each.rows) for each in chunks] == [(0, 10), (10, 10), (20, 5)]
    assert joined(chunks) == {"n": list(range(25)), "time": [None, "x"] * 12 + [None]}


def test_rows_that_share_no_names_make_short_chunks(tmp_path: Path) -> None:
    lines = [json.dumps({f"{number}-{at}": 1 for at in range(50)}) for number in range(200)]
    chunks = list(ndjson.read(written(tmp_path, "a.ndjson", "\n".join(lines).encode()), FileShape()))
    assert sum(each.rows for each in chunks) == 200
    assert max(len(each.columns) for each in chunks) <= chunk.MOST_COLUMNS + 50


def test_columns_of_rows_have_none_where_a_row_has_nothing() -> None:
    rows = [{"a": 1}, {"b": 2}, "no object", {"fields": 3}]
    assert chunk.columns_of(rows) == {
        "a": [1, None, None, None],
        "b": [None, 2, None, None],
        "fields": [None, None, None, 3],
    }
    assert chunk.columns_of([]) == {}


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    table = pa.table({"n": pa.array(range(25)), "t": ["x", None, "y", "x", "x"] * 5})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=7)
    chunks = list(parquet.read(tmp_path / "a.parquet", FileShape(chunk_rows=10, mapping={"delay": "n"})))
    assert [(each.first_row, each.rows) for each in chunks] == [(0, 10), (10, 10), (20, 5)]
    assert joined(chunks) == {"t": ["x", None, "y", "x", "x"] * 5, "delay": list(range(25))}
    assert chunks[0].source is Source.ARROW
    assert chunks[-1].bytes_read == chunks[-1].bytes_total
    pq.write_table(table.slice(0, 0), tmp_path / "none.parquet")
    assert list(parquet.read(tmp_path / "none.parquet", FileShape())) == []


def test_parquet_with_dictionaries_is_read_whole(tmp_path: Path) -> None:
    table = pa.table({"t": pa.array(["x", None, "y", "x", "x"] * 5).dictionary_encode()})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=7)
    chunks = list(parquet.read(tmp_path / "a.parquet", FileShape(chunk_rows=10)))
    assert joined(chunks) == {"t": ["x", None, "y", "x", "x"] * 5}
    assert np.concatenate([each.numbers for each in chunks]).tolist() == list(range(25))


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert list(csv.read(written(tmp_path, "a.csv", b"a,b\n"), FileShape())) == []
    assert list(csv.read(written(tmp_path, "b.csv", b"a,b"), FileShape())) == []
    assert list(ndjson.read(written(tmp_path, "a.ndjson", b"\n"), FileShape())) == []


CUT_OFF = gzip.compress(os.urandom(9_000).hex().encode())[:-900]


@pytest.mark.parametrize(
    ("name", "content", "said", "hint"),
    [
        ("a.csv", b"", "is empty", "names the columns"),
        ("a.csv", b"a,b,a\n1,2,3\n", "more than one column named 'a'", "its own name"),
        ("a.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16", "UTF-8"),
        ("a.csv", b"caf\xe9,b\n1,2\n", "is not UTF-8", "UTF-8"),
        ("a.csv", b"PK\x03\x04\0\0\0", "is no text", "CSV"),
        ("a.csv", b'"' + b"x" * 200_000 + b'",b\n', "cannot be read", "CSV"),
        ("a.csv", b'a,b\n1,"never closed' + b"\n1,2" * 3_000_000, "cannot be read", "never closed"),
        ("a.ndjson", '{"a": 1}\n'.encode("utf-16"), "UTF-16", "UTF-8"),
        ("a.parquet", b"a,b\n1,2\n", "cannot be read", "parquet"),
        ("a.parquet", b"", "cannot be read", "parquet"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, name: str, content: bytes, said: str, hint: str
) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(UnreadableFile, match=said) as caught:
        list(READERS[str(format_of(path))](path, FileShape()))
    assert str(path) in caught.value.detail
    assert hint in caught.value.hint


@pytest.mark.parametrize("name", ["csv", "ndjson", "parquet"])
def test_what_is_no_file_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "flights.csv").touch()
    with pytest.raises(UnreadableFile, match="no file") as caught:
        list(READERS[name](tmp_path / "flight.csv", FileShape()))
    assert caught.value.hint == "did you mean 'flights.csv'?"
    with pytest.raises(UnreadableFile, match="is a directory"):
        list(READERS[name](tmp_path, FileShape()))
    with pytest.raises(UnreadableFile, match="no file"):
        list(READERS[name](tmp_path / "gone" / "flight.csv", FileShape()))
    with pytest.raises(UnreadableFile, match="cannot be read"):
        list(READERS[name](tmp_path / ("x" * 300), FileShape()))


@pytest.mark.parametrize("name", ["csv", "ndjson"])
@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [
        (b"a,b\n1,2\n", "no gzip file", "take away .gz"),
        (CUT_OFF, "cannot be read", "cut off or damaged"),
        (b"\x1f\x8bnothing that inflates", "cannot be read", "cut off or damaged"),
    ],
)
def test_a_broken_gzip_file_says_so(tmp_path: Path, name: str, content: bytes, said: str, hint: str) -> None:
    path = tmp_path / f"a.{name}.gz"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=said) as caught:
        list(READERS[name](path, FileShape()))
    assert hint in caught.value.hint


def test_formats_are_told_by_name() -> None:
    names = ["a.csv", "a.CSV.gz", "a.jsonl", "a.ndjson.gz", "a.parquet", "a.txt", "gz"]
    wanted = ["csv", "csv", "ndjson", "ndjson", "parquet", None, None]
    assert [format_of(Path(name)) for name in names] == wanted
