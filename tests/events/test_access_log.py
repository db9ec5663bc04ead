"""Access logs come as rows by the common and combined formats; what is no line is refused by its number."""

from __future__ import annotations

import gzip
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.logs import COMBINED, COMMON, MICROS, WHEN, mangled

from aforo.errors import StorageError, UnreadableFile
from aforo.events.readers import Chunk, FileShape, format_of
from aforo.events.readers.access_log import lines, read
from aforo.events.readers.access_log.grammar import instant, parsed
from aforo.events.readers.marks import Mark, Marks
from aforo.events.refusals import RefusalCode


def columns(*texts: bytes) -> dict[str, list[Any]]:
    found = parsed(pa.array(texts, pa.binary()))
    assert found.fits.all(), found.faults
    return {name: column.to_pylist() for name, column in found.columns.items()}


def fault(text: bytes) -> tuple[RefusalCode, str]:
    found = parsed(pa.array([COMBINED, text, COMMON], pa.binary()))
    ((at, code, what),) = found.faults
    assert at == 1
    assert found.fits.tolist() == [True, False, True]
    assert all(len(column) == 2 for column in found.columns.values())
    return code, what


def test_the_formats() -> None:
    found = columns(COMMON, COMBINED, b"example.org:443 " + COMBINED, COMBINED + b' "198.51.100.7" rt=0.01')
    assert found["address"] == [b"203.0.113.9"] * 4
    assert found["host"] == [None, None, b"example.org", None]
    assert {int(time.timestamp()) * 1_000_000 for time in found["time"]} == {MICROS}
    assert found["request"] == [b"GET /a.gif HTTP/1.0"] * 4
    assert (found["status"], found["bytes"]) == ([200] * 4, [2326] * 4)
    assert found["referrer"] == [None, *[b"http://example.com/start.html"] * 3]
    assert found["agent"] == [None, *[b"Mozilla/4.08 [en] (Win98; I ;Nav)"] * 3]


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        (COMMON.replace(b"2326", b"-"), "bytes", 0),
        (COMMON.replace(b"203.0.113.9", b"2001:db8::1"), "address", b"2001:db8::1"),
        (b"[::1]:80 " + COMMON, None, None),
        (b"www.example.org:80 2001:db8::1 - - " + WHEN + b' "-" 408 -', "host", b"www.example.org"),
        (COMMON.replace(b"frank", b"frank van der berg"), "address", b"203.0.113.9"),
        (COMMON.replace(b"frank", b""), "status", 200),
        (COMMON.replace(b"GET /a.gif HTTP/1.0", b"-"), "request", b"-"),
        (COMMON.replace(b"GET /a.gif HTTP/1.0", b""), "request", b""),
        (COMMON.replace(b"/a.gif", rb"/\"a\\b\x22"), "request", rb"GET /\"a\\b\x22 HTTP/1.0"),
        (COMMON.replace(b"GET /a.gif HTTP/1.0", rb"\x16\x03\x01"), "request", rb"\x16\x03\x01"),
        (COMMON.replace(b"/a.gif", b"/\xff\xc3\x28"), "request", b"GET /\xff\xc3\x28 HTTP/1.0"),
        (COMBINED + b"\r", "agent", b"Mozilla/4.08 [en] (Win98; I ;Nav)"),
        (COMMON + b' "" ""', "agent", b""),
        (COMMON + b' "-" "-"', "agent", b"-"),
        (COMMON.replace(b"200", b"499"), "status", 499),
    ],
)
def test_lines_as_servers_write_them(text: bytes, name: str | None, wanted: object) -> None:
    if name is None:
        assert fault(text)[0] is RefusalCode.NOT_AN_OBJECT
    else:
        assert columns(text)[name] == [wanted]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"hello", "an address, two words and a time"),
        (b"\0" * 40, "an address, two words and a time"),
        (b"203.0.113.9 - - [10/Oct/2000", "a time in brackets"),
        (b"203.0.113.9 - - " + WHEN, "a request in quotes"),
        (b"203.0.113.9 - - " + WHEN + b' "GET / HTTP', "a request in quotes"),
        (COMMON.replace(b" 200 ", b" ok "), "a status of three digits"),
        (COMMON.replace(b"2326", b"many"), "the bytes sent, or -"),
        (COMMON + b' "http://example.com/" "Mozil', "nothing after the bytes, or a referrer and an agent"),
        (COMMON.replace(b"2326", b"9" * 19), "the bytes sent, or -"),
    ],
)
def test_a_line_that_does_not_fit_says_what_was_wanted_and_not_whose_it_is(text: bytes, wanted: str) -> None:
    code, what = fault(text)
    assert code is RefusalCode.NOT_AN_OBJECT
    assert wanted in what
    assert "203.0.113.9" not in what


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("10/Oct/2000:13:55:36 -0700", "2000-10-10T13:55:36-07:00"),
        ("29/Feb/2024:23:59:60 +0545", "2024-02-29T23:59:59+05:45"),
        ("01/Jan/1970:00:00:00 +0000", "1970-01-01T00:00:00+00:00"),
    ],
)
def test_times(text: str, wanted: str) -> None:
    assert instant(text.encode()) == round(datetime.fromisoformat(wanted).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "30/Feb/2024:00:00:00 +0000",
        "00/Jan/2024:00:00:00 +0000",
        "01/jan/2024:00:00:00 +0000",
        "01/Ene/2024:00:00:00 +0000",
        "01/Jan/2024:24:00:00 +0000",
        "01/Jan/2024:00:00:61 +0000",
        "01/Jan/2024:00:00:00 +2400",
        "01/Jan/2024:00:00:00 +0060",
        "01/Jan/2024:00:00:00",
        "01/Jan/0000:00:00:00 +0000",
        "2024-01-01T00:00:00Z",
    ],
)
def test_no_times(text: str) -> None:
    assert instant(text.encode()) is None
    code, what = fault(COMMON.replace(WHEN, f"[{text}]".encode()))
    assert code is RefusalCode.BAD_TIME
    assert "10/Oct/2000:13:55:36 -0700" in what


def rows(chunks: list[Chunk]) -> list[tuple[int, str]]:
    out: list[tuple[int, str]] = []
    for chunk in chunks:
        ids = pa.array(chunk.columns["id"]).to_pylist()
        assert all(len(column) == chunk.rows for column in chunk.columns.values())
        out += zip(chunk.numbers.tolist(), ids, strict=True)
    return out


@pytest.mark.parametrize("name", ["access.log", "access.log.gz"])
@pytest.mark.parametrize("chunk_rows", [1, 3, 50_000])
def test_rows_are_named_by_their_bytes_and_numbered_by_their_line(
    tmp_path: Path, name: str, chunk_rows: int
) -> None:
    text = b"\n".join((COMMON, b"", COMBINED, b"what", COMMON, COMMON))
    path = tmp_path / name
    path.write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    chunks = list(read(path, FileShape(chunk_rows=chunk_rows)))
    found = rows(chunks)
    assert [number for number, _ in found] == [0, 2, 4, 5]
    ids = [id_ for _, id_ in found]
    assert ids[2:] == [f"{ids[0]}#1", f"{ids[0]}#2"]
    refused = [refusal for chunk in chunks for refusal in chunk.refusals]
    assert [(each.index, each.detail[:8]) for each in refused] == [(3, "line 4: ")]
    assert chunks[-1].bytes_read == chunks[-1].bytes_total == path.stat().st_size


def test_a_line_that_is_too_long_is_refused_and_never_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", 1_000)
    path = tmp_path / "access.log"
    long = COMMON.replace(b"/a.gif", b"/" + b"a" * 2 * lines.LINE_BYTES)
    path.write_bytes(b"\n".join((long, COMMON, long, long, COMMON, long)))
    chunks = list(read(path, FileShape()))
    assert [number for number, _ in rows(chunks)] == [1, 4]
    refused = [refusal for chunk in chunks for refusal in chunk.refusals]
    assert [each.index for each in refused] == [0, 2, 3, 5]
    assert {each.code for each in refused} == {RefusalCode.TOO_LONG}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "utf16.log").write_bytes(COMMON.decode().encode("utf-16"))
    (tmp_path / "cut.log.gz").write_bytes(gzip.compress(COMMON * 100)[:-9])
    with pytest.raises(UnreadableFile, match="UTF-16"):
        list(read(tmp_path / "utf16.log", FileShape()))
    with pytest.raises(UnreadableFile, match="cut off"):
        list(read(tmp_path / "cut.log.gz", FileShape()))
    (tmp_path / "empty.log").touch()
    assert rows(list(read(tmp_path / "empty.log", FileShape()))) == []


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("access.log", "access-log"),
        ("site.log.12.gz", "access-log"),
        ("access_log-20240301", "access-log"),
        ("ssl_access_log.gz", "access-log"),
        ("access.log.csv", "csv"),
        ("access.login", None),
        ("log", None),
    ],
)
def test_names_that_tell_a_log(name: str, wanted: str | None) -> None:
    assert format_of(Path(name)) == wanted


MARK = Mark(offset=9, lines=1, end="", end_bytes=0, tail=0, settled=None)


@pytest.mark.parametrize(
    "damage",
    ["", "{}", "[]", "null", '{"offset": -1, "lines": 0, "end": "", "end_bytes": 0, "tail": 0}', "\0"],
)
def test_a_mark_that_is_damaged_is_none(tmp_path: Path, damage: str) -> None:
    marks = Marks(tmp_path / "marks", "me")
    marks.keep(b"first", MARK)
    assert marks.find(b"first") == MARK
    assert marks.find(b"second") is None
    assert Marks(tmp_path / "marks", "you").find(b"first") is None
    (only,) = (tmp_path / "marks").iterdir()
    only.write_text(damage, encoding="utf-8")
    assert marks.find(b"first") is None


def test_marks_that_cannot_be_kept_are_told(tmp_path: Path) -> None:
    (tmp_path / "marks").touch()
    with pytest.raises(StorageError, match="how far the file is read"):
        Marks(tmp_path / "marks", "me").keep(b"first", MARK)


def survives(path: Path, content: bytes) -> None:
    """Every line that is not blank is a row or a refusal, each told once."""
    path.write_bytes(content)
    chunks = list(read(path, FileShape(chunk_rows=1_000)))
    told = [number for number, _ in rows(chunks)]
    told += [refusal.index for chunk in chunks for refusal in chunk.refusals]
    wanted = [at for at, line in enumerate(content.split(b"\n")) if line.strip()]
    assert sorted(told) == wanted


@settings(max_examples=60)
@given(
    st.one_of(
        st.binary(max_size=300), st.lists(st.sampled_from([COMMON, COMBINED, b"", b"\xff"])).map(b"\n".join)
    )
)
def test_any_bytes_are_rows_or_refusals(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    # What begins as UTF-16 or gzip does is read as that, and told to be damaged.
    if not content.startswith((b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b")):
        survives(tmp_path_factory.mktemp("log") / "log", content)


def test_mangled_lines_are_rows_or_refusals(tmp_path: Path) -> None:
    chance = random.Random(7)
    survives(tmp_path / "log", b"\n".join(mangled(chance) for _ in range(5_000)))


@pytest.mark.long
def test_a_million_mangled_lines(tmp_path: Path) -> None:
    for seed in range(100):
        chance = random.Random(seed)
        survives(tmp_path / "log", b"\n".join(mangled(chance) for _ in range(10_000)))
