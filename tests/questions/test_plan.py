"""Plans: which rollup, which of its rows, and that they tile the window without gap or overlap."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.questions.outline import explained
from tests.questions.trips import MODEL, TRIPS, at

from aforo.engines.coarsening import coalesced
from aforo.engines.folds import Period
from aforo.engines.reads import Segment
from aforo.model import condition
from aforo.model.rollup import RollupGrain
from aforo.questions.plan import MOST_SEGMENTS, Plan, Span, days_of, plan, segments_of
from aforo.windows import DAY, SLOT, Grain, Window, Zone, window_of_dates

GOLDEN = Path(__file__).parent / "golden" / "plans.txt"
NEW_YORK, KATHMANDU, UTC = Zone("America/New_York"), Zone("Asia/Kathmandu", "sunday"), Zone("UTC")
ZONES = st.sampled_from([NEW_YORK, KATHMANDU, UTC, Zone("Australia/Lord_Howe"), Zone("Pacific/Apia")])
STARTS = st.integers(at("2011-11-01T00:00:00Z") // SLOT, at("2014-01-01T00:00:00Z") // SLOT)


def span_of(window: Window, grain: Grain, zone: Zone, tenant_zone: Zone = NEW_YORK) -> Span:
    return Span(window, grain, zone.buckets(window, grain), tenant_zone)


def dates(first: str, last: str, zone: Zone = NEW_YORK) -> Window:
    return window_of_dates(date.fromisoformat(first), date.fromisoformat(last), zone)


def planned(span: Span, metric: str = "trips", by: tuple[str, ...] = (), where: str = "") -> Plan:
    measures = [TRIPS.measures[name] for name in MODEL.metrics[metric].measures]
    return plan(TRIPS, measures, by, condition.parse(where) if where else (), span)


@given(STARTS, st.integers(1, 60 * 96), st.sampled_from(Grain), ZONES, ZONES)
def test_segments_tile_the_window_and_no_row_lies_in_two_buckets(
    first: int, slots: int, grain: Grain, zone: Zone, tenant_zone: Zone
) -> None:
    window = Window(first * SLOT, (first + slots) * SLOT)
    span = span_of(window, grain, zone, tenant_zone)
    segments = segments_of(RollupGrain.SLOT, span, days_of(span))
    assert segments is not None
    assert [segment.start for segment in segments] == [window.start, *(each.end for each in segments[:-1])]
    assert segments[-1].end == window.end
    assert all(segment.start < segment.end for segment in segments)
    assert all(one.period is not next_.period for one, next_ in pairwise(segments))
    edges = {bucket.start for bucket in span.buckets} | {window.end}
    for segment in segments:
        if segment.period is Period.DAY:
            for day in tenant_zone.days(Window(segment.start, segment.end)):
                assert segment.start <= day.start < day.end <= segment.end, "a whole day"
                assert not any(day.start < edge < day.end for edge in edges), "in one bucket"


@given(STARTS, st.integers(1, 60 * 96), st.sampled_from(Grain), ZONES, ZONES)
def test_every_whole_day_inside_a_bucket_is_read_as_a_day(
    first: int, slots: int, grain: Grain, zone: Zone, tenant_zone: Zone
) -> None:
    window = Window(first * SLOT, (first + slots) * SLOT)
    span = span_of(window, grain, zone, tenant_zone)
    segments = segments_of(RollupGrain.SLOT, span, days_of(span))
    assert segments is not None
    as_days = [(each.start, each.end) for each in segments if each.period is Period.DAY]
    whole = [
        day
        for bucket in span.buckets
        for day in tenant_zone.days(Window(bucket.start, bucket.end))
        if bucket.start <= day.start and day.end <= bucket.end
    ]
    read = [day for day in whole if any(start <= day.start and day.end <= end for start, end in as_days)]
    assert read == whole or (not as_days and len(whole) * 2 + 1 > MOST_SEGMENTS)


@given(ZONES, st.dates(date(2011, 1, 1), date(2014, 12, 31)), st.integers(0, 800))
def test_a_tenants_own_days_weeks_and_months_are_one_range_of_day_rows(
    zone: Zone, first: date, more: int
) -> None:
    window = window_of_dates(first, first + timedelta(days=more), zone)
    for grain in (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.TOTAL):
        for kept in RollupGrain:
            whole = (Segment(Period.DAY, window.start, window.end),) if window.length else ()
            span = span_of(window, grain, zone, zone)
            assert segments_of(kept, span, days_of(span)) == whole


@pytest.mark.parametrize(
    "span",
    [
        span_of(dates("2013-01-01", "2013-01-31"), Grain.HOUR, NEW_YORK),
        span_of(dates("2013-01-01", "2013-01-31", KATHMANDU), Grain.DAY, KATHMANDU),
        span_of(Window(at("2013-01-01T05:00:00Z"), at("2013-01-02T05:15:00Z")), Grain.TOTAL, NEW_YORK),
    ],
)
def test_day_rows_serve_only_the_tenants_whole_days(span: Span) -> None:
    assert segments_of(RollupGrain.DAY, span, days_of(span)) is None


def test_a_window_in_too_many_pieces_is_read_by_slots_alone() -> None:
    year = span_of(dates("2013-01-01", "2013-12-31", KATHMANDU), Grain.WEEK, KATHMANDU)
    assert segments_of(RollupGrain.SLOT, year, days_of(year)) == (
        Segment(Period.SLOT, year.window.start, year.window.end),
    )


def test_a_window_off_the_slots_is_read_from_events() -> None:
    window = Window(at("2013-01-01T05:00:00Z"), at("2013-01-01T05:00:01Z"))
    found = planned(span_of(window, Grain.TOTAL, NEW_YORK))
    assert found.rollup is None
    assert found.segments == (Segment(Period.SLOT, window.start, window.end),)
    assert "15 minutes" in found.reason
    assert found.grains == ()


def test_neighbours_of_one_period_become_one() -> None:
    assert coalesced(
        [
            Segment(Period.SLOT, 0, SLOT),
            Segment(Period.SLOT, SLOT, 2 * SLOT),
            Segment(Period.DAY, 2 * SLOT, 2 * SLOT),
            Segment(Period.SLOT, 2 * SLOT, 3 * SLOT),
            Segment(Period.DAY, 3 * SLOT, DAY),
        ]
    ) == (Segment(Period.SLOT, 0, 3 * SLOT), Segment(Period.DAY, 3 * SLOT, DAY))


YEAR = span_of(dates("2013-01-01", "2013-12-31"), Grain.MONTH, NEW_YORK)
DAYS = span_of(dates("2013-03-09", "2013-03-11"), Grain.DAY, NEW_YORK)


@pytest.mark.parametrize(
    ("found", "rollup"),
    [
        (planned(YEAR), "whole"),
        (planned(YEAR, by=("city",)), "cities"),
        (planned(YEAR, where='city = "Rome"'), "cities"),
        (planned(YEAR, by=("line",)), "lines"),
        (planned(YEAR, by=("line",), where='city = "Rome"'), "lines"),
        (planned(YEAR, "lost_share", by=("night",)), "nights"),
        (planned(YEAR, "delay_avg", by=("night",)), None),
        (planned(YEAR, by=("plate",)), None),
        (planned(YEAR, where="night = true", by=("city",)), None),
        (planned(span_of(DAYS.window, Grain.HOUR, NEW_YORK), by=("city",)), "cities"),
        (planned(span_of(DAYS.window, Grain.HOUR, NEW_YORK), by=("line",)), None),
        (planned(span_of(DAYS.window, Grain.DAY, UTC), by=("line",)), None),
        (planned(span_of(DAYS.window, Grain.DAY, UTC), by=("city",)), "cities"),
    ],
)
def test_the_rollup_with_the_fewest_dimensions_that_can(found: Plan, rollup: str | None) -> None:
    assert (None if found.rollup is None else found.rollup.name) == rollup
    assert [each.rollup for each in found.considered if each.chosen] == ([rollup] if rollup else [])
    assert {each.rollup for each in found.considered} == set(TRIPS.rollups)
    assert bool(found.reason) is bool(found.remedy) is (rollup is None)


def test_a_stream_without_rollups_is_read_from_events() -> None:
    stops = MODEL.streams["stops"]
    found = plan(stops, stops.measures.values(), (), (), YEAR)
    assert (found.rollup, found.reason) == (None, "stops has no rollup")


def written(title: str, found: Plan, zone: Zone) -> str:
    rows = {each.period: f"{each.period} rows" if found.rollup else "events" for each in found.segments}
    pieces = [
        f"  {rows[each.period]} {zone.rfc3339(each.start)} to {zone.rfc3339(each.end)}"
        for each in found.segments
    ]
    return "\n".join([f"## {title}", explained(found), *pieces, f"  {len(found.edges)} buckets"])


def test_golden_plans() -> None:
    """With WRITE_GOLDEN=1 in the environment the file is written, and its diff is then read."""
    evening = Window(at("2013-03-08T22:30:00-05:00"), at("2013-03-12T01:15:00-04:00"))
    cases = (
        ("a year by month", planned(YEAR), NEW_YORK),
        ("a year by month and line", planned(YEAR, by=("line",)), NEW_YORK),
        ("edges of slots around whole days", planned(span_of(evening, Grain.TOTAL, NEW_YORK)), NEW_YORK),
        ("the same, by day", planned(span_of(evening, Grain.DAY, NEW_YORK)), NEW_YORK),
        ("the same, by hour", planned(span_of(evening, Grain.HOUR, NEW_YORK)), NEW_YORK),
        (
            "two months of another zone",
            planned(span_of(dates("2013-03-01", "2013-04-30", KATHMANDU), Grain.MONTH, KATHMANDU)),
            NEW_YORK,
        ),
        (
            "days of another zone, by line",
            planned(span_of(dates("2013-03-01", "2013-03-02", UTC), Grain.DAY, UTC), by=("line",)),
            UTC,
        ),
        ("hours by line", planned(span_of(DAYS.window, Grain.HOUR, NEW_YORK), by=("city", "line")), NEW_YORK),
        ("a split nobody keeps", planned(DAYS, by=("plate",), where="night = true"), NEW_YORK),
        ("a measure that is not kept", planned(DAYS, "delay_p95", by=("night",)), NEW_YORK),
    )
    text = "\n\n".join(written(title, found, zone) for title, found, zone in cases) + "\n"
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_while_days_are_counted_anew_slots_are_read_and_rollups_of_days_are_not() -> None:
    whole = span_of(dates("2013-01-01", "2013-12-31"), Grain.MONTH, NEW_YORK)
    waiting = replace(whole, days_wait=True)
    found = planned(waiting)
    assert found.rollup is not None
    assert found.segments == (Segment(Period.SLOT, whole.window.start, whole.window.end),)
    assert planned(whole).grains == (Period.DAY,)
    by_line = planned(waiting, by=("line",))
    assert by_line.rollup is None
    assert "lines is being counted anew in days of America/New_York" in by_line.reason
    assert "aforo fold" in by_line.remedy
