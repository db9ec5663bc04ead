"""Columns of every form become typed arrays; bad rows are marked and fail no other."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.events import columns
from aforo.events.cast.typed import ARROW, FIRST_INSTANT, LAST_INSTANT
from aforo.events.columns import Source, Typed
from aforo.events.refusals import RefusalCode
from aforo.model.field import Field, FieldType

BAD, FAR, GONE, LONG = (
    RefusalCode.WRONG_TYPE,
    RefusalCode.OUT_OF_RANGE,
    RefusalCode.MISSING_FIELD,
    RefusalCode.TOO_LONG,
)
UTC_2013 = datetime(2013, 1, 1, 5, tzinfo=UTC)
NAIVE_2013 = UTC_2013.replace(tzinfo=None)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
BEGINNING = datetime(1, 1, 1, tzinfo=UTC).replace(tzinfo=None)
END = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC).replace(tzinfo=None)
TYPES = st.sampled_from(FieldType)
ANY_TEXT = st.text(st.characters(), max_size=12)  # lone surrogates too
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(-(2**64), 2**64),
        st.floats(),
        ANY_TEXT,
        st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=4,
)
NUMBER_LIKE = st.from_regex(r"[+-]?[0-9]{0,22}\.?[0-9]{0,4}([eE][+-]?[0-9]{1,4})?", fullmatch=True)
PLAIN_TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    NUMBER_LIKE,
    st.sampled_from(["", " 7 ", "TRUE", "f", "Yes", "no", "nan", "-Infinity", "0x10", "1_000", "٣"]),
    st.datetimes().map(datetime.isoformat),
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
)


def field(kind: FieldType, **rest: object) -> Field:
    return Field(name="delay", type=kind, **rest)  # type: ignore[arg-type]


def told(column: Typed) -> list[object]:
    """Each row's value, or its code where it is bad."""
    values: list[object] = column.array.to_pylist()
    for code, mask in column.faults.items():
        for row in np.flatnonzero(mask).tolist():
            assert values[row] is None
            values[row] = code
    return values


@given(TYPES, st.lists(JSON, max_size=8), st.booleans(), st.booleans())
def test_any_json_in_any_column_is_typed_or_marked(
    kind: FieldType, values: list[object], required: bool, summed: bool
) -> None:
    wanted = field(kind, required=required, max_length=5 if kind is FieldType.STRING else None)
    column = columns.checked(wanted, values, Source.JSON, summed=summed)
    column.array.validate(full=True)
    assert column.array.type == ARROW[kind]
    bad = column.bad.tolist()
    for value, came, refused in zip(values, column.array.to_pylist(), bad, strict=True):
        if value is None:
            assert refused == required
        if refused or value is None:
            assert came is None
        elif kind is FieldType.NUMBER:
            assert came == float(value)  # type: ignore[arg-type]
        elif kind is not FieldType.TIMESTAMP:
            assert type(came) is type(value)
            assert came == value
    for code, mask in column.faults.items():
        for row in np.flatnonzero(mask).tolist():
            columns.reason(wanted, code, values[row]).encode()


@given(TYPES, st.lists(JSON, min_size=1, max_size=8), st.data())
def test_a_verdict_does_not_depend_on_the_neighbours(
    kind: FieldType, values: list[object], data: st.DataObject
) -> None:
    row = data.draw(st.integers(0, len(values) - 1))
    alone = columns.checked(field(kind), [values[row]], Source.JSON)
    assert told(alone) == told(columns.checked(field(kind), values, Source.JSON))[row : row + 1]


@pytest.mark.parametrize(
    ("kind", "values", "wanted"),
    [
        (FieldType.INTEGER, [1, True, 1.0, "1", None, [], {}], [1, BAD, BAD, BAD, None, BAD, BAD]),
        (FieldType.INTEGER, [2**63 - 1, 2**63, -(2**63), -(2**63) - 1], [2**63 - 1, FAR, -(2**63), FAR]),
        (FieldType.NUMBER, [1, 1.5, True, "1", None], [1.0, 1.5, BAD, BAD, None]),
        (FieldType.NUMBER, [math.nan, math.inf, 10**400, 2**70 + 1], [FAR, FAR, FAR, float(2**70)]),
        (FieldType.STRING, ["a", "", 1, None, "\ud800"], ["a", "", BAD, None, BAD]),
        (FieldType.BOOLEAN, [True, 1, "true", None], [True, BAD, BAD, None]),
        (
            FieldType.TIMESTAMP,
            ["2013-01-01T05:00:00Z", "2013-01-01T05:00:00", 1357016400, "\ud800", None],
            [NAIVE_2013, BAD, BAD, BAD, None],
        ),
    ],
)
def test_json_is_taken_at_its_word(kind: FieldType, values: list[object], wanted: list[object]) -> None:
    assert told(columns.typed(field(kind), values, Source.JSON)) == wanted


def reference(kind: FieldType, text: str) -> object:
    """What one text is, said in Python."""
    text = text.strip()
    try:
        text.encode("ascii")
        match kind:
            case FieldType.INTEGER:
                whole, _, rest = text.partition(".")
                if rest.strip("0") or "_" in text or not whole.strip("+-")[:1].isdigit():
                    return BAD
                return int(whole) if -(2**63) <= int(whole) < 2**63 else FAR
            case FieldType.NUMBER:
                number = BAD if "_" in text else float(text)
                return FAR if isinstance(number, float) and not math.isfinite(number) else number
            case _:
                lowered = text.lower()
                return lowered in ("true", "1", "t", "yes") or (
                    False if lowered in ("false", "0", "f", "no") else BAD
                )
    except ValueError:
        return BAD


@given(
    st.sampled_from([FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN]),
    st.lists(st.one_of(st.none(), PLAIN_TEXT), max_size=8),
)
def test_text_is_parsed_as_its_field_says(kind: FieldType, texts: list[str | None]) -> None:
    column = columns.typed(field(kind), pa.array(texts, pa.string()), Source.TEXT)
    assert column.array.type == ARROW[kind]
    assert told(column) == [None if text is None else reference(kind, text) for text in texts]


def test_text_of_a_string_field_is_kept_as_it_is() -> None:
    texts = pa.chunked_array([pa.array([" a ", None, ""], pa.string())])
    assert told(columns.typed(field(FieldType.STRING), texts, Source.TEXT)) == [" a ", None, ""]


@given(
    st.datetimes(
        BEGINNING + timedelta(days=2),
        END - timedelta(days=2),
    ),
    st.integers(-(24 * 60 - 1), 24 * 60 - 1),
    st.sampled_from(["T", "t", " "]),
    st.integers(0, 9),
)
def test_rfc_3339_is_read_to_the_microsecond(
    moment: datetime, minutes: int, between: str, digits: int
) -> None:
    sign = "-" if minutes < 0 else "+"
    fraction = f".{moment.microsecond:06}123"[: digits + 1] if digits else ""
    zone = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    text = moment.replace(microsecond=0).isoformat(between) + fraction + zone
    kept = moment.replace(microsecond=int(fraction[1:7].ljust(6, "0"))) - timedelta(minutes=minutes)
    times, bad = columns.instants([text, None, 5], Source.JSON)
    assert times.to_pylist() == [(kept - EPOCH) // timedelta(microseconds=1), None, None]
    assert bad.tolist() == [False, False, True]


@st.composite
def nearly_instants(draw: st.DrawFn) -> str:
    text = draw(
        st.sampled_from(
            ["2024-02-29T23:59:59Z", "0001-01-01t00:00:00.120-00:01", "1999-12-31 05:00:00.1234567891+05:45"]
        )
    )
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(text)))
        text = (
            text[:place]
            + draw(st.sampled_from("0123459TZz:-+. \0é"))
            + text[place + draw(st.integers(0, 1)) :]
        )
    return text


def read_plainly(text: str) -> datetime | None:
    found = re.fullmatch(r"(.{10})[Tt ](\d\d:\d\d:\d\d)(\.\d+)?(?:([Zz])|([+-]\d\d:\d\d))", text, re.ASCII)
    if found is None or not re.fullmatch(r"\d{4}-\d\d-\d\d", found[1], re.ASCII):
        return None
    fraction = (found[3] or ".0")[:7]
    try:
        read = datetime.fromisoformat(f"{found[1]}T{found[2]}{fraction.ljust(7, '0')}{found[5] or '+00:00'}")
        return read.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


@given(st.lists(st.one_of(st.none(), nearly_instants()), max_size=8))
def test_what_is_nearly_an_instant_is_read_only_where_it_is_one(texts: list[str | None]) -> None:
    column = columns.typed(field(FieldType.TIMESTAMP), texts, Source.TYPED)
    assert column.array.to_pylist() == [None if text is None else read_plainly(text) for text in texts]
    assert column.bad.tolist() == [text is not None and read_plainly(text) is None for text in texts]


@pytest.mark.parametrize(
    "text",
    [
        "2013-02-29T00:00:00Z",
        "2013-04-31T00:00:00Z",
        "2013-13-01T00:00:00Z",
        "2013-01-01T24:00:00Z",
        "2013-01-01T00:60:00Z",
        "2013-01-01T00:00:60Z",
        "2013-01-01T00:00Z",
        "2013-01-01T00:00:00+24:00",
        "2013-01-01T00:00:00+0500",
        "2013-01-01T00:00:00.Z",
        "2013-01-01",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "1357016400",
    ],
)
def test_what_is_no_instant_is_bad(text: str) -> None:
    good = "2012-02-29T00:00:00Z"
    for column, source in (([good, text], Source.JSON), (pa.array([good, text]), Source.TEXT)):
        times, bad = columns.instants(column, source)
        assert times.to_pylist() == [1_330_473_600_000_000, None]
        assert bad.tolist() == [False, True]


@pytest.mark.parametrize(
    ("kind", "array", "wanted"),
    [
        (FieldType.STRING, pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        (FieldType.STRING, pa.array(["a"], pa.large_string()), ["a"]),
        (FieldType.STRING, pa.array(["a"], pa.string_view()), ["a"]),
        (FieldType.STRING, pa.array([1, None]), [BAD, None]),
        (FieldType.INTEGER, pa.array([1, None], pa.int8()), [1, None]),
        (FieldType.INTEGER, pa.array([1, 2**63], pa.uint64()), [1, FAR]),
        (FieldType.INTEGER, pa.array([517.0, None, 1.5]), [517, None, BAD]),
        (FieldType.INTEGER, pa.array([math.nan, math.inf, 2.0**63, -(2.0**63)]), [FAR, FAR, FAR, -(2**63)]),
        (FieldType.INTEGER, pa.array([Decimal("2.00"), Decimal("2.50"), None]), [2, BAD, None]),
        (FieldType.INTEGER, pa.array([Decimal(2**63 - 1), Decimal(2**63)]), [2**63 - 1, FAR]),
        (FieldType.INTEGER, pa.array(["1", None]), [BAD, None]),
        (FieldType.NUMBER, pa.array([1, None], pa.int64()), [1.0, None]),
        (FieldType.NUMBER, pa.array([2**60 + 1], pa.int64()), [2.0**60]),
        (FieldType.NUMBER, pa.array([0.5, math.nan], pa.float32()), [0.5, FAR]),
        (FieldType.NUMBER, pa.array([Decimal("2.5")]), [2.5]),
        (FieldType.BOOLEAN, pa.array([True, None]), [True, None]),
        (FieldType.BOOLEAN, pa.array([1, None]), [BAD, None]),
        (FieldType.TIMESTAMP, pa.array([UTC_2013, None], pa.timestamp("ns", "UTC")), [NAIVE_2013, None]),
        (FieldType.TIMESTAMP, pa.array([UTC_2013], pa.timestamp("ms", "Asia/Kolkata")), [NAIVE_2013]),
        (
            FieldType.TIMESTAMP,
            pa.array([2**62, -(2**62), 0], pa.timestamp("s", "UTC")),
            [FAR, FAR, EPOCH],
        ),
        (FieldType.TIMESTAMP, pa.array([NAIVE_2013, None], pa.timestamp("us")), [BAD, None]),
        (FieldType.TIMESTAMP, pa.array([date(2013, 1, 1)]), [BAD]),
        (FieldType.TIMESTAMP, pa.array(["2013-01-01T05:00:00Z", "x"]), [NAIVE_2013, BAD]),
        (FieldType.NUMBER, pa.nulls(2), [None, None]),
        (FieldType.STRING, pa.chunked_array([pa.array(["a"]), pa.array(["b"])]), ["a", "b"]),
        (FieldType.STRING, pa.array([b"a", b"\xff", None]).view(pa.string()), ["a", BAD, None]),
    ],
)
def test_arrow_is_cast_where_nothing_is_lost(kind: FieldType, array: pa.Array, wanted: list[object]) -> None:
    column = columns.typed(field(kind), array)
    assert column.array.type == ARROW[kind]
    assert told(column) == wanted


def test_a_field_nobody_sent_is_null() -> None:
    assert told(columns.absent(field(FieldType.BOOLEAN), 2)) == [None, None]


def test_bounds_are_inclusive_and_by_code() -> None:
    whole = field(FieldType.INTEGER, minimum=-1.5, maximum=10, required=True)
    assert told(columns.checked(whole, [-2, -1, 10, 11, None, "x"])) == [FAR, -1, 10, FAR, GONE, BAD]
    number = field(FieldType.NUMBER, minimum=0)
    assert told(columns.checked(number, [-0.1, 0.0, None])) == [FAR, 0.0, None]
    text = field(FieldType.STRING, max_length=2)
    assert told(columns.checked(text, ["é😀", "abc", None])) == ["é😀", LONG, None]
    huge = field(FieldType.INTEGER, minimum=-(10**30), maximum=2**62 + 1)
    assert told(columns.checked(huge, [2**62 + 1, 2**62 + 2])) == [2**62 + 1, FAR]


def test_what_cannot_be_summed_is_out_of_range_only_where_it_is_summed() -> None:
    number = field(FieldType.NUMBER, scale=6)
    values = [2.0**63 / 1e6, -1e300, 9e12, None]
    assert told(columns.checked(number, values, summed=True)) == [FAR, FAR, 9e12, None]
    assert told(columns.checked(number, values)) == values


@pytest.mark.parametrize(
    ("wanted", "code", "value", "said"),
    [
        (field(FieldType.INTEGER), BAD, "abc", 'field delay: came "abc", wanted integer'),
        (field(FieldType.STRING), BAD, [1], "field delay: came [1], wanted string"),
        (field(FieldType.BOOLEAN), BAD, 2, "field delay: came 2, wanted true or false"),
        (field(FieldType.NUMBER), GONE, None, "field delay: missing, wanted number"),
        (
            field(FieldType.STRING, max_length=3),
            LONG,
            "abcd",
            'field delay: came "abcd", wanted at most 3 characters',
        ),
        (
            field(FieldType.INTEGER, minimum=0, maximum=9),
            FAR,
            10,
            "field delay: came 10, wanted integer from 0 to 9",
        ),
        (field(FieldType.INTEGER, minimum=0), FAR, -1, "field delay: came -1, wanted integer of at least 0"),
        (field(FieldType.NUMBER, maximum=9), FAR, 10, "field delay: came 10, wanted number of at most 9"),
        (field(FieldType.INTEGER), FAR, 2**63, f"field delay: came {2**63}, wanted integer of 64 bits"),
    ],
)
def test_reasons_say_what_came_and_what_was_wanted(
    wanted: Field, code: RefusalCode, value: object, said: str
) -> None:
    assert columns.reason(wanted, code, value) == said


def test_reasons_stay_short_whatever_came() -> None:
    for value in ("x" * 10_000, "\ud800" * 50, 10**10_000, json.loads("[" * 500 + "]" * 500)):
        said = columns.reason(field(FieldType.TIMESTAMP), BAD, value)
        assert len(said.encode()) < 160
    assert "2013-01-31T17:05:00Z" in said
    assert "years 1 to 9999" in columns.reason(field(FieldType.TIMESTAMP), FAR, "0000-01-01T00:00:00Z")
    assert "6 decimal places" in columns.reason(field(FieldType.NUMBER), FAR, 1e300)


def test_the_years_of_instants_are_those_of_a_calendar() -> None:
    assert EPOCH + timedelta(microseconds=FIRST_INSTANT) == BEGINNING
    assert EPOCH + timedelta(microseconds=LAST_INSTANT) == END
