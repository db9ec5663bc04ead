"""Files of a version as series, the same in every format; and what is told where they are none."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.errors import InvalidManifest, InvalidSeries
from aforo.runs.files.reading import FileHere, read_series
from aforo.runs.manifest import Format
from aforo.runs.series import Series

Rows = Sequence[Mapping[str, Any]]


def as_parquet(path: Path, rows: Rows) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows)), path)


def as_csv(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def as_jsonl(path: Path, rows: Rows) -> None:
    path.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows), encoding="utf-8")


WRITERS: dict[Format, Callable[[Path, Rows], None]] = {
    Format.PARQUET: as_parquet,
    Format.CSV: as_csv,
    Format.JSONL: as_jsonl,
}


@pytest.fixture(params=Format)
def form(request: pytest.FixtureRequest) -> Format:
    found: Format = request.param
    return found


def read(
    folder: Path, form: Format, *files: Rows, columns: str = "v", most_rows: int = 1_000
) -> dict[str, Series]:
    here = []
    for number, rows in enumerate(files):
        path = folder / f"{number}.{form}"
        WRITERS[form](path, rows)
        here.append(FileHere(path, f"s3://b/{path.name}"))
    wanted = {name.upper(): name for name in columns.split()}
    return read_series(here, form, "day", wanted, most_rows=most_rows)


def rows_of(values: Mapping[str, float | None]) -> Rows:
    return [{"day": date.fromisoformat(day), "v": value, "word": "x"} for day, value in values.items()]


def refused(folder: Path, form: Format, *files: Rows, columns: str = "v", most_rows: int = 1_000) -> str:
    with pytest.raises(InvalidSeries) as told:
        read(folder, form, *files, columns=columns, most_rows=most_rows)
    return told.value.detail


def test_files_are_one_series_by_rising_date(form: Format, tmp_path: Path) -> None:
    found = read(
        tmp_path,
        form,
        rows_of({"2026-03-01": 3.5, "2026-01-01": None}),
        rows_of({"2026-02-01": -2.0, "0001-01-01": 1e300}),
    )["V"]
    assert [str(day) for day in found.dates] == ["0001-01-01", "2026-01-01", "2026-02-01", "2026-03-01"]
    np.testing.assert_array_equal(found.values, [1e300, np.nan, -2.0, 3.5])


def test_several_columns_share_their_dates(form: Format, tmp_path: Path) -> None:
    rows = [{"day": date(2026, 1, day), "v": day, "w": -day} for day in (2, 1)]
    found = read(tmp_path, form, rows, columns="v w")
    assert found["V"].values.tolist() == [1.0, 2.0]
    assert found["W"].values.tolist() == [-1.0, -2.0]


@given(
    st.dictionaries(
        st.dates(min_value=date(1, 1, 1)),
        st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**40), 2**40),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(Format),
)
def test_what_was_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, values: dict[date, float | None], form: Format
) -> None:
    written = {day.isoformat(): value and float(value) for day, value in values.items()}
    found = read(tmp_path_factory.mktemp("files"), form, rows_of(written))["V"]
    kept = {
        str(day): None if np.isnan(value) else value
        for day, value in zip(found.dates, found.values, strict=True)
    }
    assert kept == written


@given(
    st.dictionaries(st.dates(min_value=date(1, 1, 1)), st.floats(-1e6, 1e6), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
    st.sampled_from(Format),
)
def test_any_split_into_files_in_any_order_is_the_same_series(
    tmp_path_factory: pytest.TempPathFactory, values: dict[date, float], dice: Random, form: Format
) -> None:
    rows = list(rows_of({day.isoformat(): value for day, value in values.items()}))
    whole = read(tmp_path_factory.mktemp("whole"), form, rows)["V"]
    dice.shuffle(rows)
    cut = dice.randint(1, len(rows))
    parts = [rows[:cut], *([rows[cut:]] if rows[cut:] else [])]
    split = read(tmp_path_factory.mktemp("split"), form, *parts)["V"]
    np.testing.assert_array_equal(split.dates, whole.dates)
    np.testing.assert_array_equal(split.values, whole.values)


NEW_YORK = timezone(timedelta(hours=-5))


@pytest.mark.parametrize(
    ("written", "day"),
    [
        (date(2026, 5, 31), "2026-05-31"),
        (datetime(2026, 5, 31, 23, 59, tzinfo=UTC), "2026-05-31"),
        (datetime(2026, 5, 31, 23, tzinfo=NEW_YORK), "2026-05-31"),  # the date it shows, not that of UTC
        ("2026-05-31", "2026-05-31"),
        ("2026-05-31T23:59:59.999999Z", "2026-05-31"),
        ("2026-05-31 23:59+02:00", "2026-05-31"),
    ],
    ids=str,
)
def test_a_date_may_be_written_in_many_ways(form: Format, tmp_path: Path, written: Any, day: str) -> None:
    assert str(read(tmp_path, form, [{"day": written, "v": 1}])["V"].dates[0]) == day


@pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.timestamp("s"), pa.date64(), pa.large_string()])
def test_every_type_of_date_is_taken(tmp_path: Path, kind: pa.DataType) -> None:
    days = pa.array(["2026-05-31"]).cast(pa.date32()).cast(kind)
    pq.write_table(pa.table({"day": days, "v": [1]}), tmp_path / "a")
    assert str(read_one(tmp_path / "a", Format.PARQUET).dates[0]) == "2026-05-31"


@pytest.mark.parametrize(
    "written", ["31.5.2026", "2026-5-31", "2026-05-31T", "now", "20260531", "2026-05-31x"]
)
def test_what_is_no_date_is_told_with_its_row(form: Format, tmp_path: Path, written: str) -> None:
    rows = [{"day": "2026-05-30", "v": 1}, {"day": written, "v": 1}]
    assert refused(tmp_path, form, rows) == f"s3://b/0.{form}: 'day' has {written!r} in row 1, and no date"


def test_a_date_that_no_calendar_has_is_told(form: Format, tmp_path: Path) -> None:
    assert "'2026-02-30'" in refused(tmp_path, form, [{"day": "2026-02-30", "v": 1}])


def test_a_date_twice_is_told(form: Format, tmp_path: Path) -> None:
    told = refused(tmp_path, form, rows_of({"2026-01-01": 1, "2026-01-02": 2}), rows_of({"2026-01-02": 2}))
    assert told.startswith("the date 2026-01-02 is there twice in s3://b/0.")


def test_a_row_without_a_date_is_told(tmp_path: Path) -> None:
    for form in (Format.PARQUET, Format.JSONL):
        told = refused(tmp_path, form, [{"day": "2026-01-01", "v": 1}, {"day": None, "v": 1}])
        assert told == f"s3://b/0.{form}: 'day' is null in row 1"
    told = refused(tmp_path, Format.CSV, [{"day": "2026-01-01", "v": 1}, {"day": None, "v": 1}])
    assert told == "s3://b/0.csv: 'day' has '' in row 1, and no date"


def test_a_column_that_is_not_there_is_told(form: Format, tmp_path: Path) -> None:
    assert refused(tmp_path, form, [{"day": "2026-01-01", "price": "x"}], columns="prize") == (
        f"s3://b/0.{form} has no column 'prize'"
    )
    assert refused(tmp_path, form, [{"date": "2026-01-01", "v": 1}]) == f"s3://b/0.{form} has no column 'day'"


def test_a_column_twice_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("day,v,v\n2026-01-01,1,2\n")
    with pytest.raises(InvalidSeries, match="has 2 columns named 'v'"):
        read_one(tmp_path / "a.csv", Format.CSV)


def test_what_is_no_number_is_told(form: Format, tmp_path: Path) -> None:
    told = refused(tmp_path, form, [{"day": "2026-01-01", "v": "seven"}])
    assert told.startswith(f"s3://b/0.{form}")
    assert told.endswith(
        {
            Format.PARQUET: ": 'v' is of the type string, and no number",
            Format.CSV: "In CSV column #1: Row #2: CSV conversion error to double: invalid value 'seven'",
            Format.JSONL: "JSON parse error: Column(/v) changed from number to string in row 0",
        }[form]
    )


@pytest.mark.parametrize("form", [Format.PARQUET, Format.CSV])
def test_what_is_infinite_is_told(form: Format, tmp_path: Path) -> None:
    rows = [{"day": "2026-01-01", "v": 1.0}, {"day": "2026-01-02", "v": float("-inf")}]
    assert refused(tmp_path, form, rows) == f"s3://b/0.{form}: 'v' is infinite in row 1"


def test_numbers_of_other_types_are_taken(tmp_path: Path) -> None:
    for written, value in ((2**62 + 1, float(2**62)), (Decimal("1.10"), 1.1), (None, None)):
        found = read(tmp_path, Format.PARQUET, [{"day": "2026-01-01", "v": written}])["V"].values[0]
        assert (None if np.isnan(found) else found) == value


def test_no_more_rows_are_read_than_may_be(form: Format, tmp_path: Path) -> None:
    first, second = rows_of({"2026-01-01": 1, "2026-01-02": 2}), rows_of({"2026-01-03": 3})
    assert len(read(tmp_path, form, first, second, most_rows=3)["V"]) == 3
    assert refused(tmp_path, form, first, second, most_rows=2).startswith(f"s3://b/1.{form} has 1 rows")


def test_a_count_that_is_not_so_is_told(form: Format, tmp_path: Path) -> None:
    path = tmp_path / f"a.{form}"
    WRITERS[form](path, rows_of({"2026-01-01": 1}))
    with pytest.raises(InvalidManifest, match="s3://b/a has 1 rows, and its manifest says 2"):
        read_one(path, form, row_count=2)
    assert len(read_one(path, form, row_count=1)) == 1


@pytest.mark.parametrize(
    "content", [b"PAR1", b"\xff\xfe\x00", b'{"day":\n', b"day,v\n2026-01-01,1,2\n", b"\0" * 99]
)
def test_what_is_not_in_its_format_is_told(form: Format, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(InvalidSeries, match="s3://b/a"):
        read_one(path, form)


def test_an_empty_file_of_lines_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "b").write_bytes(b"day,v\n")
    assert len(read_one(tmp_path / "a", Format.JSONL)) == 0
    assert len(read_one(tmp_path / "b", Format.CSV)) == 0


def read_one(path: Path, form: Format, row_count: int | None = None) -> Series:
    here = FileHere(path, "s3://b/a", row_count)
    return read_series([here], form, "day", {"V": "v"}, most_rows=10)["V"]
