"""Ids say the same of the same content, however it came, and never the same of different content."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.events.identity import Occurrences, composed_ids, content_ids

TEXT = st.one_of(st.none(), st.text(st.sampled_from("ab|\\0:1é"), max_size=4))
INTEGER = st.one_of(st.none(), st.integers(-2, 12), st.integers(-(2**63), 2**63 - 1))
NUMBER = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
INSTANT = st.one_of(st.none(), st.datetimes())
TYPES = {
    "a": pa.string(),
    "ab": pa.string(),
    "flag": pa.bool_(),
    "number": pa.float64(),
    "seen": pa.timestamp("us"),
    "whole": pa.int64(),
}
ROW = st.tuples(TEXT, TEXT, st.sampled_from([None, True, False]), NUMBER, INSTANT, INTEGER)
ROWS = st.lists(st.tuples(ROW, st.integers(-5, 5)), min_size=1, max_size=12)


def columns(rows: list[tuple[object, ...]], names: list[str] | None = None) -> dict[str, pa.Array]:
    by_name = {name: [row[at] for row in rows] for at, name in enumerate(TYPES)}
    return {name: pa.array(by_name[name], TYPES[name]) for name in names or TYPES}


def ids(rows: list[tuple[tuple[object, ...], int]], names: list[str] | None = None) -> list[str]:
    found: list[str] = content_ids(
        columns([row for row, _ in rows], names), np.array([time for _, time in rows], np.int64)
    ).to_pylist()
    return found


@given(ROWS, st.permutations(list(TYPES)), st.integers(0, 12))
def test_content_ids_do_not_depend_on_columns_order_or_batches(
    rows: list[tuple[tuple[object, ...], int]], names: list[str], cut: int
) -> None:
    whole = ids(rows)
    assert ids(rows, names) == whole
    split = [ids(part) for part in (rows[:cut], rows[cut:]) if part]
    assert [each for part in split for each in part] == whole


@given(ROWS)
def test_content_ids_are_equal_where_content_is(rows: list[tuple[tuple[object, ...], int]]) -> None:
    found = ids(rows)
    for (one, one_time), one_id in zip(rows, found, strict=True):
        assert len(one_id) == 32
        for (other, other_time), other_id in zip(rows, found, strict=True):
            assert (one_id == other_id) == (one == other and one_time == other_time)


def test_a_field_nobody_sent_is_as_one_left_out() -> None:
    time = pa.array([1], pa.int64())
    bare = content_ids({"a": pa.array(["x"])}, time)
    assert content_ids({"a": pa.array(["x"]), "b": pa.nulls(1, pa.int64())}, time) == bare
    assert content_ids({"a": pa.array(["x"]), "b": pa.array([""])}, time) != bare
    assert content_ids({"a": pa.array(["1"])}, time) != content_ids({"a": pa.array([1])}, time)
    assert content_ids({"a": pa.array([-0.0])}, time) == content_ids({"a": pa.array([0.0])}, time)
    assert content_ids({}, time).to_pylist() != content_ids({}, pa.array([2])).to_pylist()


def test_a_content_id_stays_what_it_was() -> None:
    """Events are recognised for as long as they are kept: a new way of hashing would count them again."""
    row = ("x|", "", True, 1.5, datetime.fromisoformat("2013-01-01T05:00:00"), -7)
    assert ids([(row, 1_357_016_400_000_000)]) == ["f720d572f0c53443eabb54532ad392af"]


def test_composed_ids_are_readable() -> None:
    moments = pa.array(
        [
            datetime.fromisoformat("2013-01-01T05:00:00"),
            datetime.fromisoformat("2013-01-01T05:00:00.250000"),
            None,
        ],
        pa.timestamp("us"),
    )
    made = composed_ids(
        [moments, pa.array(["UA", "a|b\\", ""]), pa.array([1545, None, 0]), pa.array([True, False, None])]
    )
    assert made.type == pa.string()
    assert made.to_pylist() == [
        "2013-01-01T05:00:00Z|UA|1545|true",
        "2013-01-01T05:00:00.250000Z|a\\|b\\\\|\\0|false",
        "\\0||0|\\0",
    ]
    assert composed_ids([pa.array([1.0, -0.0, 0.1])]).to_pylist() == ["1.0", "0.0", "0.1"]


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=12))
def test_composed_ids_are_equal_only_where_values_are(rows: list[tuple[str | None, ...]]) -> None:
    made = composed_ids([pa.array([row[at] for row in rows], pa.string()) for at in range(3)]).to_pylist()
    assert len(set(made)) == len(set(rows))


@given(st.lists(st.lists(st.integers(0, 5), max_size=20), max_size=12))
def test_equal_rows_of_a_file_are_numbered_across_batches(batches: list[list[int]]) -> None:
    occurrences = Occurrences()
    seen: dict[int, int] = {}
    for batch in batches:
        hashes = content_ids({"a": pa.array(batch, pa.int64())}, np.zeros(len(batch), np.int64))
        wanted = []
        for value, known in zip(batch, hashes.to_pylist(), strict=True):
            wanted.append(known + (f"#{seen[value]}" if value in seen else ""))
            seen[value] = seen.get(value, 0) + 1
        assert occurrences.number(hashes).to_pylist() == wanted


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_numbers_of_many_rows_are_those_of_one_batch(size: int) -> None:
    values = np.random.default_rng(1).integers(0, 400, 3000)
    hashes = content_ids({"a": pa.array(values)}, np.zeros(3000, np.int64))
    occurrences = Occurrences()
    parts = [occurrences.count(hashes.slice(start, size)) for start in range(0, 3000, size)]
    assert np.concatenate(parts).tolist() == Occurrences().count(hashes).tolist()
