"""Laws of time, over every zone there is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aforo.windows import (
    DAY,
    EARLIEST,
    SLOT,
    WEEKDAYS,
    Grain,
    Window,
    Zone,
    buckets_at_least,
    parse_instant,
    window_of_dates,
)

LAST = parse_instant("2100-01-01T00:00:00Z")
ALL = sorted(available_timezones() - {"localtime", "posixrules", "Factory"})
HARD = (
    "America/Havana",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
)
# Instants around which at least one of the hard zones changed its clocks, or a leap day passed.
CHANGES = tuple(
    parse_instant(f"{day}T00:00:00Z")
    for day in (
        *("1979-10-01", "1988-04-03", "1988-10-30", "1994-12-31", "2006-04-02", "2006-10-29", "2008-02-29"),
        *("2011-12-30", "2012-02-29", "2013-02-17", "2013-03-10", "2013-04-07", "2013-10-06", "2013-10-20"),
        "2013-11-03",
    )
)

zones = st.builds(
    Zone,
    st.sampled_from(HARD) | st.sampled_from(ALL),
    st.sampled_from(WEEKDAYS),
)
times = st.integers(EARLIEST, LAST) | st.builds(
    lambda change, shift: change + shift, st.sampled_from(CHANGES), st.integers(-2 * DAY, 2 * DAY)
)
slot_times = times.map(lambda time: time - time % SLOT)


@st.composite
def windows(draw: st.DrawFn, longest: int = 70 * DAY) -> Window:
    start = draw(times | slot_times)
    return Window(
        start, start + draw(st.integers(1, longest) | st.integers(1, longest // SLOT).map(lambda n: n * SLOT))
    )


@given(zones, windows())
def test_law_days_tile_a_window(zone: Zone, window: Window) -> None:
    days = zone.days(window)
    assert days[0].start <= window.start < days[0].end
    assert days[-1].start < window.end <= days[-1].end
    for day, following in pairwise(days):
        assert day.end == following.start
        assert day.date < following.date
    for day in days:
        assert day.start < day.end
        assert day.start % SLOT == 0
        assert (day.start, day.end) == (zone.day_start(day.date), zone.day_start(day.date + timedelta(1)))


@given(zones, windows(), st.sampled_from(Grain))
def test_law_buckets_tile_a_window(zone: Zone, window: Window, grain: Grain) -> None:
    buckets = zone.buckets(window, grain)
    assert buckets[0].start == window.start
    assert buckets[-1].end == window.end
    assert all(bucket.start < bucket.end for bucket in buckets)
    assert all(bucket.end == following.start for bucket, following in pairwise(buckets))
    assert all(bucket.start % SLOT == 0 for bucket in buckets[1:])
    assert not any(bucket.partial for bucket in buckets[1:-1])
    assert buckets_at_least(window, grain) <= len(buckets)


@given(zones, windows(20 * DAY), st.sampled_from(Grain), st.data())
def test_law_a_cut_window_has_the_same_edges(
    zone: Zone, window: Window, grain: Grain, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(window.start, window.end))
    parts = (*zone.buckets(Window(window.start, cut), grain), *zone.buckets(Window(cut, window.end), grain))
    whole = {bucket.start for bucket in zone.buckets(window, grain)}
    assert {bucket.start for bucket in parts} | {window.start} == whole | (
        {cut} if cut < window.end else set()
    )


@given(zones, windows(3 * DAY))
def test_law_an_hour_is_what_a_wall_clock_shows(zone: Zone, window: Window) -> None:
    assume(zone.name != "Pacific/Kiritimati" or window.start >= CHANGES[0] + DAY)
    shown = []
    for bucket in zone.buckets(window, Grain.HOUR):
        slots = zone.buckets(Window(bucket.start, bucket.end), Grain.SLOT)
        # Read in a slot's last minute: some zones changed a minute after its start.
        clocks = {zone.rfc3339(slot.start - slot.start % SLOT + SLOT - 1) for slot in slots}
        hours = {(clock[: len("2013-01-01T00")], clock[-len("+00:00") :]) for clock in clocks}
        assert len(hours) == 1
        shown.append(hours.pop())
    assert all(one != other for one, other in pairwise(shown))


@given(zones, windows())
def test_law_no_hour_reaches_over_a_day_and_no_day_over_a_week_or_month(zone: Zone, window: Window) -> None:
    edges = [{bucket.start for bucket in zone.buckets(window, grain)} for grain in (Grain.HOUR, Grain.DAY)]
    assert edges[1] <= edges[0]
    for grain in (Grain.WEEK, Grain.MONTH):
        assert {bucket.start for bucket in zone.buckets(window, grain)} <= edges[1]


@given(zones, windows(), st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH]))
def test_law_a_bucket_is_named_by_the_first_date_of_its_period(
    zone: Zone, window: Window, grain: Grain
) -> None:
    for bucket in zone.buckets(window, grain):
        assert bucket.date is not None
        if grain is Grain.WEEK:
            assert zone.week_start_of(bucket.date) == bucket.date
        if grain is Grain.MONTH:
            assert bucket.date.day == 1
        whole = zone.day_start(bucket.date) == bucket.start
        assert zone.day_start(bucket.date) <= bucket.start
        assert whole or (bucket.partial and bucket.start == window.start)


@given(zones, times)
def test_law_the_date_of_a_time_is_the_day_that_holds_it(zone: Zone, time: int) -> None:
    day = zone.date_of(time)
    assert zone.day_start(day) <= time < zone.day_start(day + timedelta(1))


@given(zones, times, times)
def test_law_dates_and_days_do_not_go_back(zone: Zone, one: int, other: int) -> None:
    low, high = sorted((one, other))
    first, last = zone.date_of(low), zone.date_of(high)
    assert first <= last
    assert zone.day_start(first) <= zone.day_start(last)


@given(zones, times)
def test_law_a_local_time_is_the_same_instant(zone: Zone, time: int) -> None:
    assert parse_instant(zone.rfc3339(time)) == time


@settings(max_examples=30)
@given(zones, st.dates(date(1973, 1, 2), date(2099, 12, 31)), st.integers(0, 40))
def test_law_a_window_of_dates_has_those_days(zone: Zone, first: date, more: int) -> None:
    window = window_of_dates(first, first + timedelta(more), zone)
    dates = {day.date for day in zone.days(window)}
    asked = {first + timedelta(each) for each in range(more + 1)}
    assert dates <= asked
    assert all(zone.day_start(day) == zone.day_start(day + timedelta(1)) for day in asked - dates)


def test_since_1973_every_offset_is_a_whole_number_of_slots_but_one() -> None:
    exceptions = set()
    step, instants = timedelta(days=40), []
    at = datetime(1973, 1, 1, tzinfo=UTC)
    while at.year < 2040:
        instants.append(at)
        at += step
    slot = timedelta(minutes=15)
    for name in ALL:
        info = ZoneInfo(name)
        for instant in instants:
            offset = instant.astimezone(info).utcoffset()
            assert offset is not None
            if offset % slot:
                exceptions.add((name, instant.year < 1980))
    # Line Islands, -10:40 until October 1979: `Zone` lets their edges fall to the slot's start.
    assert exceptions <= {("Pacific/Kiritimati", True)}


def test_every_zone_tiles_weeks_in_which_clocks_change() -> None:
    spans = [
        Window(parse_instant(f"{day}T00:00:00Z"), parse_instant(f"{day}T00:00:00Z") + 21 * DAY + SLOT)
        for day in ("1975-04-14", "1988-10-15", "2011-12-20", "2013-03-25")
    ]
    for name in ALL:
        zone = Zone(name)
        for span in spans:
            for grain in (Grain.DAY, Grain.WEEK):
                buckets = zone.buckets(span, grain)
                assert all(bucket.start % SLOT == 0 for bucket in buckets), name
                assert all(bucket.end == following.start for bucket, following in pairwise(buckets)), name
                assert (buckets[0].start, buckets[-1].end) == (span.start, span.end), name
