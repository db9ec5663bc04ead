"""What a window is compared with, and which bucket with which."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.questions.trips import at

from aforo.errors import InvalidRequest
from aforo.questions import comparison
from aforo.questions.compare import Counterpart, counterpart, delta
from aforo.questions.question import Question
from aforo.windows import SLOT, Bucket, Grain, Window, Zone, window_of_dates

NEW_YORK = Zone("America/New_York")
ZONES = st.sampled_from(
    [
        NEW_YORK,
        Zone("UTC"),
        Zone("Asia/Kathmandu", "sunday"),
        Zone("Australia/Lord_Howe"),
        Zone("Pacific/Apia"),
    ]
)
DATES = st.dates(date(2007, 1, 1), date(2017, 12, 31))
LATER = at("2030-01-01T00:00:00Z")


def asked(window: Window, grain: Grain, zone: Zone, compare: str) -> Question:
    return Question(
        tenant="nyc",
        stream="trips",
        metrics=("trips",),
        window=window,
        grain=grain,
        compare=comparison.parse(compare),
        zone=zone,
        tenant_zone=zone,
    )


def by_weekdays(question: Question) -> Question:
    return replace(question, compare=comparison.with_weekdays(question.compare))


def compared(question: Question, now: int = LATER) -> tuple[tuple[Bucket, ...], Counterpart]:
    assert question.compare is not None
    buckets = question.zone.buckets(question.window, question.grain)
    return buckets, counterpart(question, question.compare, buckets, now)


def dates_of(zone: Zone, window: Window) -> str:
    return f"{zone.date_of(window.start)}..{zone.date_of(window.end - 1)}"


def days(first: str, last: str, compare: str, grain: Grain = Grain.DAY, zone: Zone = NEW_YORK) -> Question:
    window = window_of_dates(date.fromisoformat(first), date.fromisoformat(last), zone)
    return asked(window, grain, zone, compare)


@given(DATES, st.integers(0, 45), ZONES, st.sampled_from(Grain))
def test_a_window_compared_with_itself_is_paired_bucket_by_bucket(
    first: date, more: int, zone: Zone, grain: Grain
) -> None:
    last = first + timedelta(days=more)
    buckets, other = compared(asked(window_of_dates(first, last, zone), grain, zone, f"{first}..{last}"))
    assert other.buckets == buckets
    assert other.pairs == tuple(range(len(buckets)))
    assert not other.cut


@given(
    DATES, st.integers(0, 45), ZONES, st.sampled_from(Grain), st.sampled_from(["previous", "year"]), st.data()
)
def test_the_others_buckets_tile_its_window_at_any_time(
    first: date, more: int, zone: Zone, grain: Grain, kind: str, data: st.DataObject
) -> None:
    window = window_of_dates(first, first + timedelta(days=more), zone)
    now = data.draw(st.integers(window.start - SLOT, window.end + SLOT))
    buckets, other = compared(asked(window, grain, zone, kind), now)
    edges = [other.window.start, *(bucket.end for bucket in other.buckets)]
    assert [bucket.start for bucket in other.buckets] == edges[:-1]
    assert edges[-1] == other.window.end
    assert len(other.pairs) == len(buckets)
    assert all(pair is None or 0 <= pair < len(other.buckets) for pair in other.pairs)
    if now < window.end:
        assert other.window.length <= max(0, now - window.start)
        assert other.window.length % SLOT == 0


@given(DATES, st.integers(0, 400), ZONES)
def test_previous_is_as_many_days_and_ends_where_the_window_begins(
    first: date, more: int, zone: Zone
) -> None:
    question = asked(
        window_of_dates(first, first + timedelta(days=more), zone), Grain.TOTAL, zone, "previous"
    )
    _, other = compared(question)
    assert other.window == window_of_dates(first - timedelta(days=more + 1), first - timedelta(days=1), zone)


@pytest.mark.parametrize(
    ("question", "dates"),
    [
        (days("2013-03-01", "2013-03-31", "previous", Grain.MONTH), "2013-02-01..2013-02-28"),
        (days("2013-03-01", "2013-03-31", "previous", Grain.TOTAL), "2013-01-29..2013-02-28"),
        (days("2013-01-01", "2013-06-30", "previous", Grain.MONTH), "2012-07-01..2012-12-31"),
        (days("2013-02-01", "2013-02-28", "year", Grain.MONTH), "2012-02-01..2012-02-29"),
        (days("2013-02-01", "2013-02-28", "year"), "2012-02-01..2012-02-28"),
        (days("2012-02-29", "2012-02-29", "year"), "2011-02-28..2011-02-28"),
        (days("2012-01-01", "2012-12-31", "year"), "2011-01-01..2011-12-31"),
        (days("2013-07-01", "2013-07-07", "2013-05-06..2013-05-12"), "2013-05-06..2013-05-12"),
    ],
)
def test_the_dates_compared_with(question: Question, dates: str) -> None:
    _, other = compared(question)
    assert dates_of(question.zone, other.window) == dates


def paired_dates(question: Question) -> dict[str, str | None]:
    buckets, other = compared(question)
    named = [None if pair is None else str(other.buckets[pair].date) for pair in other.pairs]
    return {str(bucket.date): name for bucket, name in zip(buckets, named, strict=True)}


def test_a_year_earlier_each_date_meets_itself_and_a_leap_day_the_28th() -> None:
    pairs = paired_dates(days("2012-02-27", "2012-03-02", "year"))
    assert pairs == {
        "2012-02-27": "2011-02-27",
        "2012-02-28": "2011-02-28",
        "2012-02-29": "2011-02-28",
        "2012-03-01": "2011-03-01",
        "2012-03-02": "2011-03-02",
    }
    assert paired_dates(days("2013-02-28", "2013-03-01", "year")) == {
        "2013-02-28": "2012-02-28",
        "2013-03-01": "2012-03-01",
    }


def test_weeks_a_year_earlier_have_as_many_days() -> None:
    buckets, other = compared(days("2013-07-01", "2013-07-14", "year", Grain.WEEK))
    assert [bucket.end - bucket.start for bucket in other.buckets] == [
        bucket.end - bucket.start for bucket in buckets
    ]
    assert [str(bucket.date) for bucket in other.buckets] == ["2012-07-01", "2012-07-08"]


def test_clipped_months_are_compared_with_as_many_days() -> None:
    buckets, other = compared(days("2013-04-11", "2013-05-20", "previous", Grain.MONTH))
    assert [bucket.partial for bucket in buckets] == [True, True]
    assert [dates_of(NEW_YORK, Window(bucket.start, bucket.end)) for bucket in other.buckets] == [
        "2013-03-02..2013-03-21",
        "2013-03-22..2013-04-10",
    ]


@pytest.mark.parametrize(
    ("day", "repeated", "skipped"),
    [("2013-03-11", set(), {"02:00"}), ("2013-03-10", set(), set()), ("2013-11-03", {"01:00"}, set())],
)
def test_hours_meet_the_same_wall_clock_across_a_change(
    day: str, repeated: set[str], skipped: set[str]
) -> None:
    buckets, other = compared(days(day, day, "previous", Grain.HOUR))
    alone: set[str] = set()
    for bucket, pair in zip(buckets, other.pairs, strict=True):
        wall = NEW_YORK.rfc3339(bucket.start)[11:16]
        if pair is None:
            alone.add(wall)
        else:
            assert NEW_YORK.rfc3339(other.buckets[pair].start)[11:16] == wall
    assert alone == repeated | skipped


def test_an_unfinished_month_meets_the_same_part_of_the_one_before() -> None:
    question = days("2013-05-01", "2013-05-31", "previous", Grain.TOTAL)
    _, other = compared(question, at("2013-05-10T10:07:00-04:00"))
    assert other.cut
    assert NEW_YORK.rfc3339(other.window.start) == "2013-03-31T00:00:00-04:00"
    assert NEW_YORK.rfc3339(other.window.end) == "2013-04-09T10:00:00-04:00"
    assert other.pairs == (0,)


def test_days_that_are_still_to_come_are_compared_with_nothing() -> None:
    question = days("2013-05-01", "2013-05-04", "previous")
    _, other = compared(question, at("2013-05-02T06:00:00-04:00"))
    assert other.pairs == (0, 1, None, None)
    assert [bucket.partial for bucket in other.buckets] == [False, True]


def test_a_window_wholly_to_come_is_compared_with_nothing() -> None:
    _, other = compared(days("2013-05-01", "2013-05-04", "previous"), at("2013-04-01T00:00:00Z"))
    assert other.buckets == ()
    assert set(other.pairs) == {None}


def test_windows_of_other_lengths_are_paired_by_position() -> None:
    window = Window(at("2013-05-01T10:00:00Z"), at("2013-05-01T13:00:00Z"))
    _, other = compared(asked(window, Grain.HOUR, NEW_YORK, "previous"))
    assert other.window == Window(at("2013-05-01T07:00:00Z"), window.start)
    assert other.pairs == (0, 1, 2)
    _, year = compared(asked(window, Grain.HOUR, NEW_YORK, "year"))
    assert year.window == Window(at("2012-05-01T10:00:00Z"), at("2012-05-01T13:00:00Z"))
    assert year.pairs == (0, 1, 2)
    _, shorter = compared(asked(window, Grain.DAY, NEW_YORK, "2013-01-01..2013-01-02"))
    assert shorter.pairs == (0,)


def test_a_comparison_before_the_earliest_time_is_refused() -> None:
    question = days("1990-01-01", "2010-12-31", "previous", Grain.TOTAL)
    with pytest.raises(InvalidRequest, match="before 1973"):
        compared(question)


@pytest.mark.parametrize(
    ("current", "against", "change"),
    [(15, 10, 0.5), (10, 10, 0.0), (0, 10, -1.0), (5, 0, None), (None, 3, None), (3, None, None)],
)
def test_a_delta_is_relative_and_null_where_it_means_nothing(
    current: int | None, against: int | None, change: float | None
) -> None:
    assert delta(current, against) == change


@pytest.mark.parametrize("text", ["previous", "year", "2013-01-01..2013-01-31"])
def test_a_comparison_reads_back(text: str) -> None:
    assert str(comparison.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prevoius", "did you mean 'previous'"),
        ("2013-01-02..2013-01-01", "ends before"),
        ("2013-01-02..", "names one date of two\nhint: write the first and the last day"),
        ("a..b", "not a date"),
    ],
)
def test_what_is_no_comparison(text: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        comparison.parse(text)
    assert said in str(raised.value)


@given(
    DATES,
    st.integers(0, 45),
    ZONES,
    st.sampled_from([Grain.HOUR, Grain.DAY]),
    st.sampled_from(["previous", "year"]),
)
def test_weekdays_meet_their_like_whole_weeks_back(
    first: date, more: int, zone: Zone, grain: Grain, kind: str
) -> None:
    """Every bucket meets one of its weekday and wall clock, as few weeks back as keep the windows apart."""
    window = window_of_dates(first, first + timedelta(days=more), zone)
    question = by_weekdays(asked(window, grain, zone, kind))
    buckets, other = compared(question)
    back = (zone.date_of(window.start) - zone.date_of(other.window.start)).days
    assert back == (364 if kind == "year" else -(-(more + 1) // 7) * 7)
    assert other.window.end <= window.start
    met = [(bucket, pair) for bucket, pair in zip(buckets, other.pairs, strict=True) if pair is not None]
    assert met or not other.buckets
    for bucket, pair in met:
        there = other.buckets[pair]
        assert zone.date_of(bucket.start) - zone.date_of(there.start) == timedelta(days=back)
        if grain is Grain.HOUR:
            assert zone.rfc3339(bucket.start)[11:19] == zone.rfc3339(there.start)[11:19]


def test_weekdays_across_leap_days_month_ends_and_years() -> None:
    def dates(first: str, last: str, compare: str, grain: Grain = Grain.TOTAL) -> str:
        return dates_of(NEW_YORK, compared(by_weekdays(days(first, last, compare, grain)))[1].window)

    assert dates("2012-02-29", "2012-02-29", "year") == "2011-03-02..2011-03-02"  # both Wednesdays
    assert dates("2013-02-28", "2013-03-01", "previous") == "2013-02-21..2013-02-22"
    assert dates("2013-01-01", "2013-01-31", "previous", Grain.MONTH) == "2012-11-27..2012-12-27"
    assert dates("2013-01-01", "2013-01-07", "previous") == "2012-12-25..2012-12-31"
    assert dates("2013-01-01", "2013-01-08", "previous") == "2012-12-18..2012-12-25"


def test_weekdays_of_part_of_a_day_and_of_an_unfinished_window() -> None:
    window = Window(at("2013-03-11T10:00:00-04:00"), at("2013-03-11T13:00:00-04:00"))
    _, other = compared(by_weekdays(asked(window, Grain.HOUR, NEW_YORK, "previous")))
    assert NEW_YORK.rfc3339(other.window.start) == "2013-03-04T10:00:00-05:00", "the clocks changed between"
    question = by_weekdays(days("2013-05-06", "2013-05-12", "previous"))
    _, cut = compared(question, at("2013-05-08T06:00:00-04:00"))
    assert cut.cut
    assert NEW_YORK.rfc3339(cut.window.end) == "2013-05-01T06:00:00-04:00"
