"""Laws of comparison, over years with leap days and months of all lengths: dates, months, and values."""

from __future__ import annotations

from datetime import date, timedelta
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.questions.test_ask import METRICS, REFERENCE, ask
from tests.questions.test_compare import asked, compared, dates_of

from aforo.windows import Grain, Zone, window_of_dates

DATES = st.dates(date(2007, 1, 1), date(2017, 12, 31))
# Without those that once left a day out: there a date may have no like.
ZONES = st.sampled_from(
    [Zone("America/New_York"), Zone("UTC"), Zone("Asia/Kathmandu", "sunday"), Zone("Australia/Lord_Howe")]
)


def a_year_before(day: date) -> date:
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap else day.day)


def month_after(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


@given(DATES, st.integers(0, 800), ZONES)
def test_law_a_year_before_every_date_meets_its_like_and_a_leap_day_the_28th(
    first: date, more: int, zone: Zone
) -> None:
    window = window_of_dates(first, first + timedelta(days=more), zone)
    buckets, other = compared(asked(window, Grain.DAY, zone, "year"))
    assert len(buckets) == more + 1
    for bucket, pair in zip(buckets, other.pairs, strict=True):
        assert bucket.date is not None
        assert pair is not None
        assert other.buckets[pair].date == a_year_before(bucket.date)
    last = first + timedelta(days=more)
    assert dates_of(zone, other.window) == f"{a_year_before(first)}..{a_year_before(last)}"


@given(DATES, st.integers(1, 26), ZONES, st.sampled_from(["previous", "year"]))
def test_law_whole_months_meet_whole_months_whatever_their_lengths(
    day: date, months: int, zone: Zone, kind: str
) -> None:
    first = day.replace(day=1)
    window = window_of_dates(first, month_after(first, months) - timedelta(days=1), zone)
    buckets, other = compared(asked(window, Grain.MONTH, zone, kind))
    back = months if kind == "previous" else 12
    assert [bucket.date for bucket in other.buckets] == [
        month_after(first, at - back) for at in range(months)
    ]
    assert other.pairs == tuple(range(months))
    assert not any(bucket.partial for bucket in (*buckets, *other.buckets))


@given(
    st.dates(date(2013, 3, 6), date(2013, 3, 14)),
    st.integers(0, 9),
    st.sampled_from(["previous", "year", "2013-03-07..2013-03-14", "2013-11-01..2013-11-05"]),
    st.sampled_from(["", "line = 2"]),
)
@settings(max_examples=40)
def test_law_what_is_compared_with_is_an_answer_of_its_own(
    first: date, more: int, compare: str, where: str
) -> None:
    window = {"from": str(first), "to": str(first + timedelta(days=more)), "where": where}
    answer = ask(REFERENCE, **window, compare=compare)
    told = cast(dict[str, object], answer.comparison)
    [own], [other] = (
        ask(REFERENCE, **window).rows,
        ask(REFERENCE, **{"from": told["from"], "to": told["to"], "where": where}).rows,
    )
    [row] = answer.rows
    assert {name: row[name] for name in METRICS} == own
    assert {name: row[f"{name}_compared"] for name in METRICS} == other
