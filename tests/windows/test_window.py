"""Windows, slots and what people write."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.errors import InvalidRequest
from aforo.windows import (
    EARLIEST,
    LATEST,
    SLOT,
    Window,
    Zone,
    parse_date,
    parse_instant,
    slot_of,
    window_of_dates,
)

times = st.integers(-(10**17), 10**17)


def test_a_window_holds_its_start_and_not_its_end() -> None:
    window = Window(10, 20)
    assert window.contains(10)
    assert window.contains(19)
    assert not window.contains(20)
    assert window.length == 10
    assert Window(5, 5).length == 0


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="ends before it begins"):
        Window(2, 1)


def test_windows_that_only_meet_have_nothing_in_common() -> None:
    assert Window(0, 10).intersect(Window(10, 20)) is None
    assert Window(0, 10).intersect(Window(5, 20)) == Window(5, 10)


@given(times, times, times, times, times)
def test_law_the_intersection_holds_what_both_hold(a: int, b: int, c: int, d: int, time: int) -> None:
    one, other = Window(min(a, b), max(a, b)), Window(min(c, d), max(c, d))
    both = one.intersect(other)
    assert (both is not None and both.contains(time)) == (one.contains(time) and other.contains(time))


@given(times)
def test_law_a_slot_holds_its_time(time: int) -> None:
    start = slot_of(time)
    assert start % SLOT == 0
    assert start <= time < start + SLOT


def test_the_limits_are_the_dates_they_are_said_to_be() -> None:
    assert parse_instant("1973-01-01T00:00:00Z") == EARLIEST
    assert parse_instant("3000-01-01T00:00:00Z") == LATEST
    assert EARLIEST % SLOT == LATEST % SLOT == 0


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00.5z", 500_000),
        ("1970-01-01 05:45:00+05:45", 0),
        ("1969-12-31T20:30:00.000001-03:30", 1),
        ("1970-01-01T00:00:00.1234567899Z", 123_456),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2012-02-29T00:00:00-00:00", 1_330_473_600_000_000),
    ],
)
def test_instants_are_read(text: str, time: int) -> None:
    assert parse_instant(text) == time


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2013-01-01",
        "2013-01-01T00:00Z",
        "2013-01-01T00:00:00+0545",
        "2013-01-01T00:00:00.Z",
        "2013-01-01T24:00:00Z",
        "2013-01-01T00:00:60Z",
        "2013-02-29T00:00:00Z",
        "2013-01-01T00:00:00+24:00",
        "2013-01-01T00:00:00+05:60",
        "٢٠١٣-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:00:00Z",
        "2013-01-01T00:00:00Z\n",
    ],
)
def test_what_is_no_instant_is_refused_by_its_text(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_instant(text)
    assert repr(text) in refused.value.detail


def test_an_instant_without_a_zone_is_told_what_to_write() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_instant("2013-01-01T00:00:00")
    assert "write Z or +hh:mm" in refused.value.hint


@given(st.datetimes(min_value=datetime.datetime(1, 1, 3), max_value=datetime.datetime(9999, 12, 29)))  # noqa: DTZ001
def test_law_an_instant_shown_is_read_back(wall: datetime.datetime) -> None:
    time = (wall - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)  # noqa: DTZ001
    for zone in (Zone("UTC"), Zone("Asia/Kathmandu"), Zone("America/New_York"), Zone("Africa/Monrovia")):
        assert parse_instant(zone.rfc3339(time)) == time


def test_dates_are_read() -> None:
    assert parse_date("2012-02-29") == datetime.date(2012, 2, 29)


@pytest.mark.parametrize(
    "text", ["", "2013-2-1", "20130201", "2013-02-29", "2013-W01-1", "2013-01-01T00:00:00Z"]
)
def test_what_is_no_date_is_refused_by_its_text(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_date(text)
    assert repr(text) in refused.value.detail
    assert "2013-01-31" in refused.value.hint


def test_a_window_of_dates_holds_both_days_whole() -> None:
    zone = Zone("America/New_York")
    window = window_of_dates(datetime.date(2013, 1, 1), datetime.date(2013, 1, 1), zone)
    assert zone.rfc3339(window.start) == "2013-01-01T00:00:00-05:00"
    assert zone.rfc3339(window.end) == "2013-01-02T00:00:00-05:00"


@pytest.mark.parametrize(
    ("first", "last"),
    [("2013-01-02", "2013-01-01"), ("1972-12-31", "2013-01-01"), ("2013-01-01", "9999-12-31")],
)
def test_dates_that_make_no_window_are_refused(first: str, last: str) -> None:
    with pytest.raises(InvalidRequest):
        window_of_dates(parse_date(first), parse_date(last), Zone("UTC"))


@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC", "Asia/Kathmandu"])
def test_the_widest_window_of_dates_can_be_cut_into_days(name: str) -> None:
    zone = Zone(name)
    for day in ("1973-01-02", "2999-12-30"):
        window = window_of_dates(parse_date(day), parse_date(day), zone)
        assert [each.date for each in zone.days(window)] == [parse_date(day)]
