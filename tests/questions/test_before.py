"""Growth over the bucket right before, and the average day: edges of years, cut periods, nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.questions.test_compare import DATES, LATER, ZONES, asked, compared, dates_of
from tests.questions.trips import at

from aforo.questions.before import days_passed
from aforo.questions.compare import change, delta
from aforo.windows import DAY, HOUR, SLOT, Bucket, Grain, Window, Zone, window_of_dates

NEW_YORK = Zone("America/New_York")
LONG = [Grain.SLOT, Grain.HOUR, Grain.DAY, Grain.WEEK, Grain.MONTH]


def before(first: str, last: str, grain: Grain, zone: Zone = NEW_YORK) -> dict[str, str | None]:
    """The dates of each bucket, and those that it is compared with."""
    window = window_of_dates(date.fromisoformat(first), date.fromisoformat(last), zone)
    buckets, other = compared(asked(window, grain, zone, "before"))
    return {
        dates_of(zone, Window(bucket.start, bucket.end)): None
        if pair is None
        else dates_of(zone, Window(other.buckets[pair].start, other.buckets[pair].end))
        for bucket, pair in zip(buckets, other.pairs, strict=True)
    }


@given(DATES, st.integers(0, 100), ZONES, st.sampled_from(LONG), st.data())
def test_what_is_before_tiles_its_window_and_lies_right_before(
    first: date, more: int, zone: Zone, grain: Grain, data: st.DataObject
) -> None:
    days = more if grain in (Grain.DAY, Grain.WEEK, Grain.MONTH) else more % 3
    window = window_of_dates(first, first + timedelta(days=days), zone)
    now = data.draw(st.integers(window.start - SLOT, window.end + SLOT) | st.just(LATER))
    buckets, other = compared(asked(window, grain, zone, "before"), now)
    edges = [other.window.start, *(bucket.end for bucket in other.buckets)]
    assert [bucket.start for bucket in other.buckets] == edges[:-1]
    assert edges[-1] == other.window.end
    assert len(other.pairs) == len(buckets)
    for bucket, pair in zip(buckets, other.pairs, strict=True):
        if pair is None:
            continue
        one = other.buckets[pair]
        assert one.start < bucket.start
        assert one.end <= bucket.end
        if not bucket.partial and bucket.end <= now:
            assert one.end == bucket.start or one.partial, "the whole of what ends where the bucket begins"
        if bucket.start <= now < bucket.end:
            assert one.end - one.start <= now - bucket.start, "as much as has passed"
        assert bucket.start <= now, "what is to come is compared with nothing"


def test_weeks_at_the_edges_of_iso_years() -> None:
    """2009 had 53 ISO weeks; the week of 28 December is whole, and the one before and after are."""
    assert before("2009-12-21", "2010-01-10", Grain.WEEK) == {
        "2009-12-21..2009-12-27": "2009-12-14..2009-12-20",
        "2009-12-28..2010-01-03": "2009-12-21..2009-12-27",
        "2010-01-04..2010-01-10": "2009-12-28..2010-01-03",
    }


def test_months_of_any_length_are_beside_the_month_before() -> None:
    assert before("2012-01-01", "2012-03-31", Grain.MONTH) == {
        "2012-01-01..2012-01-31": "2011-12-01..2011-12-31",
        "2012-02-01..2012-02-29": "2012-01-01..2012-01-31",
        "2012-03-01..2012-03-31": "2012-02-01..2012-02-29",
    }


def test_what_the_window_cuts_is_beside_the_same_part() -> None:
    assert before("2013-02-07", "2013-02-19", Grain.WEEK) == {
        "2013-02-07..2013-02-10": "2013-01-31..2013-02-03",
        "2013-02-11..2013-02-17": "2013-02-04..2013-02-10",
        "2013-02-18..2013-02-19": "2013-02-11..2013-02-12",
    }
    assert before("2013-03-30", "2013-04-02", Grain.MONTH) == {
        "2013-03-30..2013-03-31": None,  # February had no thirtieth
        "2013-04-01..2013-04-02": "2013-03-01..2013-03-02",
    }


def test_an_unfinished_week_is_beside_as_much_of_the_one_before() -> None:
    now = at("2013-02-13T15:10:00-05:00")  # Wednesday
    zone = NEW_YORK
    window = window_of_dates(date(2013, 2, 4), date(2013, 2, 24), zone)
    buckets, other = compared(asked(window, Grain.WEEK, zone, "before"), now)
    assert other.cut
    assert other.pairs == (0, 1, None)
    assert other.buckets[1].end == at("2013-02-06T15:00:00-05:00")
    assert [bucket.partial for bucket in buckets] == [False] * 3


def test_the_day_before_one_that_apia_skipped() -> None:
    assert before("2011-12-29", "2011-12-31", Grain.DAY, Zone("Pacific/Apia")) == {
        "2011-12-29..2011-12-29": "2011-12-28..2011-12-28",
        "2011-12-31..2011-12-31": "2011-12-29..2011-12-29",
    }


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Pacific/Chatham", "America/Santiago", "Pacific/Auckland"])
def test_weeks_before_in_zones_of_half_hours_and_of_the_south(zone: str) -> None:
    assert before("2013-04-01", "2013-04-14", Grain.WEEK, Zone(zone)) == {
        "2013-04-01..2013-04-07": "2013-03-25..2013-03-31",
        "2013-04-08..2013-04-14": "2013-04-01..2013-04-07",
    }


def test_growth_from_zero_to_zero_and_of_a_first_period() -> None:
    assert (change(5, 0), delta(5, 0)) == (5, None)
    assert (change(0, 5), delta(0, 5)) == (-5, -1.0)
    assert (change(0, 0), delta(0, 0)) == (0, None)
    assert (change(5, None), delta(5, None)) == (None, None)
    assert (change(None, 5), delta(None, 5)) == (None, None)


def test_days_passed_are_local_and_whole_where_clocks_change() -> None:
    week = Window(at("2013-03-04T00:00:00-05:00"), at("2013-03-11T00:00:00-04:00"))
    bucket = Bucket(week.start, week.end, False, None)
    assert week.length == 7 * DAY - HOUR
    assert days_passed(bucket, NEW_YORK, LATER) == 7
    assert days_passed(bucket, NEW_YORK, week.start + DAY + DAY // 2) == 1.5
    assert days_passed(bucket, NEW_YORK, week.start - 1) == 0
