"""Local days and hours of the zones that are hardest to get right."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from aforo.errors import InvalidRequest, UnknownName
from aforo.windows import (
    DAY,
    EARLIEST,
    HOUR,
    LATEST,
    SLOT,
    Bucket,
    Grain,
    Window,
    Zone,
    buckets_at_least,
    parse_instant,
    window_of_dates,
)


def day_of(zone: Zone, day: date) -> Window:
    return window_of_dates(day, day, zone)


def hours_of(zone: Zone, day: date) -> list[tuple[str, float]]:
    """The hours of a day: local start without its date, and length in hours."""
    return [
        (zone.rfc3339(bucket.start)[11:], (bucket.end - bucket.start) / HOUR)
        for bucket in zone.buckets(day_of(zone, day), Grain.HOUR)
    ]


@pytest.mark.parametrize(
    ("name", "day", "start", "hours"),
    [
        ("Asia/Kathmandu", date(2013, 1, 1), "2012-12-31T18:15:00Z", 24.0),
        ("Asia/Kolkata", date(2012, 2, 29), "2012-02-28T18:30:00Z", 24.0),
        ("America/St_Johns", date(2013, 1, 1), "2013-01-01T03:30:00Z", 24.0),
        ("America/New_York", date(2013, 3, 10), "2013-03-10T05:00:00Z", 23.0),
        ("America/New_York", date(2013, 11, 3), "2013-11-03T04:00:00Z", 25.0),
        ("Australia/Lord_Howe", date(2013, 4, 7), "2013-04-06T13:00:00Z", 24.5),
        ("Australia/Lord_Howe", date(2013, 10, 6), "2013-10-05T13:30:00Z", 23.5),
        # Midnight came twice; the day begins at the first.
        ("America/Havana", date(2013, 11, 3), "2013-11-03T04:00:00Z", 25.0),
        # Midnight was skipped; the day begins at 01:00.
        ("America/Sao_Paulo", date(2013, 10, 20), "2013-10-20T03:00:00Z", 23.0),
        # Back past the midnight before it: 00:00 comes twice, the hour before it too.
        ("America/Sao_Paulo", date(2013, 2, 16), "2013-02-16T02:00:00Z", 25.0),
        # Newfoundland changed at 00:01: a minute of the new day, then 23:01 again.
        ("America/St_Johns", date(2006, 10, 29), "2006-10-29T02:30:00Z", 25.0),
        ("America/St_Johns", date(2006, 10, 28), "2006-10-28T02:30:00Z", 24.0),
        ("America/St_Johns", date(2006, 4, 2), "2006-04-02T03:30:00Z", 23.0),
        ("America/St_Johns", date(1988, 4, 3), "1988-04-03T03:30:00Z", 22.0),
        ("America/St_Johns", date(1988, 10, 30), "1988-10-30T01:30:00Z", 26.0),
        # The day that Samoa crossed the date line, and those beside it.
        ("Pacific/Apia", date(2011, 12, 29), "2011-12-29T10:00:00Z", 24.0),
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00:00Z", 0.0),
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00:00Z", 24.0),
        ("Pacific/Kwajalein", date(1993, 8, 21), "1993-08-21T12:00:00Z", 0.0),
    ],
)
def test_a_local_day_begins_and_lasts(name: str, day: date, start: str, hours: float) -> None:
    zone = Zone(name)
    window = day_of(zone, day)
    assert window.start == parse_instant(start)
    assert window.length / HOUR == hours


def test_new_york_on_the_day_clocks_go_forward() -> None:
    hours = hours_of(Zone("America/New_York"), date(2013, 3, 10))
    assert len(hours) == 23
    assert hours[1:3] == [("01:00:00-05:00", 1.0), ("03:00:00-04:00", 1.0)]


def test_new_york_on_the_day_clocks_go_back_has_one_o_clock_twice() -> None:
    hours = hours_of(Zone("America/New_York"), date(2013, 11, 3))
    assert len(hours) == 25
    assert hours[1:4] == [("01:00:00-04:00", 1.0), ("01:00:00-05:00", 1.0), ("02:00:00-05:00", 1.0)]


def test_lord_howe_has_half_hours_where_its_clocks_change() -> None:
    zone = Zone("Australia/Lord_Howe")
    back = hours_of(zone, date(2013, 4, 7))
    assert back[1:4] == [("01:00:00+11:00", 1.0), ("01:30:00+10:30", 0.5), ("02:00:00+10:30", 1.0)]
    forward = hours_of(zone, date(2013, 10, 6))
    assert forward[1:4] == [("01:00:00+10:30", 1.0), ("02:30:00+11:00", 0.5), ("03:00:00+11:00", 1.0)]


def test_havana_has_midnight_twice_in_one_day() -> None:
    hours = hours_of(Zone("America/Havana"), date(2013, 11, 3))
    assert hours[:3] == [("00:00:00-04:00", 1.0), ("00:00:00-05:00", 1.0), ("01:00:00-05:00", 1.0)]


def test_a_change_a_minute_past_the_hour_leaves_hours_whole() -> None:
    zone = Zone("America/St_Johns")
    for day, count in ((date(2006, 10, 29), 25), (date(2006, 4, 2), 23), (date(1988, 10, 30), 26)):
        hours = hours_of(zone, day)
        assert len(hours) == count
        assert {length for _, length in hours} == {1.0}


def test_the_hour_that_comes_again_belongs_to_the_day_that_had_begun() -> None:
    zone = Zone("America/St_Johns")
    again = parse_instant("2006-10-28T23:30:00-03:30")
    assert zone.rfc3339(again) == "2006-10-28T23:30:00-03:30"
    assert zone.date_of(again) == date(2006, 10, 29)


def test_the_line_islands_are_slot_aligned_at_ten_forty() -> None:
    zone = Zone("Pacific/Kiritimati")
    window = Window(EARLIEST, EARLIEST + 72 * HOUR)
    for grain in (Grain.HOUR, Grain.DAY):
        assert all(bucket.start % SLOT == 0 for bucket in zone.buckets(window, grain))
    assert zone.offset_text(EARLIEST) == "-10:40"


def test_a_skipped_day_is_no_day_of_a_window() -> None:
    zone = Zone("Pacific/Apia")
    window = window_of_dates(date(2011, 12, 29), date(2012, 1, 1), zone)
    assert [day.date for day in zone.days(window)] == [
        date(2011, 12, 29),
        date(2011, 12, 31),
        date(2012, 1, 1),
    ]
    assert zone.days(day_of(zone, date(2011, 12, 30))) == ()
    assert zone.date_of(parse_instant("2011-12-30T10:00:00Z")) == date(2011, 12, 31)
    assert zone.date_of(parse_instant("2011-12-30T09:59:59Z")) == date(2011, 12, 29)


def test_a_week_may_begin_on_a_skipped_day() -> None:
    zone = Zone("Pacific/Apia", "friday")
    window = window_of_dates(date(2011, 12, 26), date(2012, 1, 8), zone)
    weeks = zone.buckets(window, Grain.WEEK)
    assert [week.date for week in weeks] == [date(2011, 12, 23), date(2011, 12, 30), date(2012, 1, 6)]
    assert [(week.end - week.start) // HOUR for week in weeks] == [4 * 24, 6 * 24, 3 * 24]
    assert [week.partial for week in weeks] == [True, False, True]


def test_days_are_whole_where_the_window_cuts_them() -> None:
    zone = Zone("America/New_York")
    noon = parse_instant("2013-03-10T12:00:00-04:00")
    (day,) = zone.days(Window(noon, noon + 1))
    assert (day.date, day.start, (day.end - day.start) // HOUR) == (
        date(2013, 3, 10),
        parse_instant("2013-03-10T00:00:00-05:00"),
        23,
    )


def test_buckets_cut_by_the_window_say_so_and_keep_the_periods_date() -> None:
    zone = Zone("America/New_York")
    start, end = parse_instant("2013-01-15T12:30:00-05:00"), parse_instant("2013-03-02T00:00:00-05:00")
    january, february, march = zone.buckets(Window(start, end), Grain.MONTH)
    first_of_february = parse_instant("2013-02-01T00:00:00-05:00")
    first_of_march = parse_instant("2013-03-01T00:00:00-05:00")
    assert january == Bucket(start, first_of_february, True, date(2013, 1, 1))
    assert february == Bucket(first_of_february, first_of_march, False, date(2013, 2, 1))
    assert march == Bucket(first_of_march, end, True, date(2013, 3, 1))
    hours = zone.buckets(Window(start, end), Grain.HOUR)
    assert [hours[0].partial, hours[1].partial, hours[-1].partial] == [True, False, False]
    assert hours[0].date is None


def test_one_bucket_may_be_cut_on_both_sides() -> None:
    zone = Zone("UTC")
    window = Window(EARLIEST + 1, EARLIEST + 2)
    for grain in Grain:
        (bucket,) = zone.buckets(window, grain)
        assert (bucket.start, bucket.end) == (window.start, window.end)
        assert bucket.partial is (grain is not Grain.TOTAL)


def test_an_empty_window_has_no_buckets() -> None:
    zone = Zone("Asia/Kathmandu")
    empty = Window(EARLIEST, EARLIEST)
    assert zone.days(empty) == ()
    for grain in Grain:
        assert zone.buckets(empty, grain) == ()
        assert buckets_at_least(empty, grain) == 0


def test_leap_years_have_their_day() -> None:
    zone = Zone("Europe/Madrid")
    leap = window_of_dates(date(2012, 1, 1), date(2012, 12, 31), zone)
    assert len(zone.days(leap)) == 366
    months = zone.buckets(leap, Grain.MONTH)
    assert len(months) == 12
    assert (months[1].end - months[1].start) == 29 * 24 * HOUR
    assert months[11].end == leap.end


def test_a_year_by_every_grain_in_new_york() -> None:
    zone = Zone("America/New_York")
    year = window_of_dates(date(2013, 1, 1), date(2013, 12, 31), zone)
    counts = {grain: len(zone.buckets(year, grain)) for grain in Grain}
    assert counts == {
        Grain.SLOT: 35_040,
        Grain.HOUR: 8_760,
        Grain.DAY: 365,
        Grain.WEEK: 53,
        Grain.MONTH: 12,
        Grain.TOTAL: 1,
    }


@pytest.mark.parametrize(
    ("first", "expected"), [("monday", 31), ("sunday", 30), ("wednesday", 2), ("tuesday", 1)]
)
def test_weeks_begin_where_the_tenant_says(first: str, expected: int) -> None:
    start = Zone("UTC", first).week_start_of(date(2013, 1, 2 if first == "wednesday" else 1))
    assert start.day == expected
    assert start.strftime("%A").lower() == first
    assert timedelta(0) <= date(2013, 1, 2) - start < timedelta(7)


def test_month_starts() -> None:
    assert Zone("UTC").month_start_of(date(2012, 2, 29)) == date(2012, 2, 1)


def test_instants_are_shown_in_local_time() -> None:
    zone = Zone("Asia/Kathmandu")
    assert zone.rfc3339(EARLIEST) == "1973-01-01T05:30:00+05:30"
    assert zone.rfc3339(parse_instant("2013-01-01T00:00:00.000250Z")) == "2013-01-01T05:45:00.000250+05:45"
    assert Zone("UTC").offset_text(0) == "+00:00"
    assert Zone("America/St_Johns").offset_text(parse_instant("2013-01-01T00:00:00Z")) == "-03:30"


def test_zones_are_values() -> None:
    assert Zone("UTC") == Zone("UTC", "monday")
    assert len({Zone("UTC"), Zone("UTC"), Zone("UTC", "sunday"), Zone("Asia/Tokyo")}) == 3


@pytest.mark.parametrize(
    "name",
    [
        "America/NewYork",
        "",
        "America",
        "../UTC",
        "/etc/localtime",
        "right/UTC",
        "localtime",
        "UTC\0",
        "é" * 400,
    ],
)
def test_an_unknown_zone_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnknownName) as refused:
        Zone(name)
    assert repr(name) in refused.value.detail


def test_an_unknown_zone_brings_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'America/New_York'"):
        Zone("America/NewYork")


def test_an_unknown_weekday_brings_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'monday'"):
        Zone("UTC", "mondy")


@pytest.mark.parametrize(
    "window", [Window(EARLIEST - 33 * DAY, EARLIEST), Window(LATEST, LATEST + 33 * DAY), Window(0, 10**18)]
)
@pytest.mark.parametrize("grain", [Grain.HOUR, Grain.DAY, Grain.WEEK, Grain.MONTH])
def test_windows_beyond_what_is_known_of_zones_are_refused(window: Window, grain: Grain) -> None:
    with pytest.raises(InvalidRequest, match="between 1973"):
        Zone("UTC").buckets(window, grain)


@pytest.mark.parametrize("limit", [EARLIEST, LATEST - SLOT])
def test_the_periods_of_the_first_and_last_slot_can_be_asked_for_whole(limit: int) -> None:
    zone = Zone("America/St_Johns")
    month = zone.month_start_of(zone.date_of(limit))
    whole = Window(zone.day_start(month), zone.day_start(month) + 31 * 24 * HOUR)
    assert whole.contains(limit)
    assert len(zone.days(whole)) == 31
