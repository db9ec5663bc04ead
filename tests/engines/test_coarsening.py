"""Weeks and months in place of days: the same time, no row in two buckets, and nothing that is not kept."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from aforo.engines.coarsening import Kept, coarsened, days_to_coarsen
from aforo.engines.folds import Period
from aforo.engines.reads import Segment
from aforo.windows import DAY, Grain, Window, Zone, parse_instant

ZONES = st.sampled_from([Zone("America/New_York"), Zone("Asia/Kathmandu", "sunday"), Zone("Pacific/Apia")])
FIRST = parse_instant("2011-12-01T00:00:00Z")


def kept_of(zone: Zone, window: Window) -> list[Kept]:
    return [
        Kept(period, bucket.start, bucket.end)
        for period, grain in ((Period.WEEK, Grain.WEEK), (Period.MONTH, Grain.MONTH))
        for bucket in zone.buckets(window, grain)
        if not bucket.partial
    ]


@given(ZONES, st.integers(0, 400), st.integers(1, 200), st.sampled_from(Grain), st.data())
def test_the_same_days_in_fewer_pieces(
    zone: Zone, after: int, days: int, grain: Grain, data: st.DataObject
) -> None:
    start, end = (
        zone.day_start(zone.date_of(at)) for at in (FIRST + after * DAY, FIRST + (after + days) * DAY)
    )
    buckets = zone.buckets(Window(start, end), grain)
    edges = tuple(bucket.start for bucket in buckets)
    all_kept = kept_of(zone, Window(start, end))
    kept = data.draw(st.lists(st.sampled_from(all_kept), unique=True)) if all_kept else []
    found = coarsened([Segment(Period.DAY, start, end)], edges, kept)
    assert (
        [each.start for each in found] == [start, *(each.end for each in found[:-1])] if start < end else True
    )
    assert not found or found[-1].end == end
    for segment in found:
        if segment.period is not Period.DAY:
            starts = [each.start for each in kept if each.period is segment.period]
            ends = {each.end for each in kept if each.period is segment.period}
            at = segment.start
            while at < segment.end:
                assert at in starts, "only what is kept is read"
                at = next(each.end for each in kept if each.period is segment.period and each.start == at)
            assert at in ends
    for one in kept:
        cut = bisect_left(edges, one.end) - bisect_left(edges, one.start + 1)
        inside = any(each.period is Period.DAY and each.start <= one.start < each.end for each in found)
        whole = any(
            each.period is Period.DAY and each.start <= one.start and one.end <= each.end for each in found
        )
        assert cut or not (inside and whole), "what is kept and fits is read"
    if days_to_coarsen([Segment(Period.DAY, start, end)], edges) is None:
        assert not any(each.period is not Period.DAY for each in found)


def test_months_come_before_weeks_and_slots_stay() -> None:
    zone = Zone("UTC")
    start, end = parse_instant("2013-01-20T00:00:00Z"), parse_instant("2013-03-20T00:00:00Z")
    slots = Segment(Period.SLOT, end, end + 900_000_000)
    found = coarsened([Segment(Period.DAY, start, end), slots], (start,), kept_of(zone, Window(start, end)))
    told = [(str(each.period), zone.date_of(each.start).isoformat()) for each in found]
    assert told == [
        ("day", "2013-01-20"),
        ("week", "2013-01-21"),
        ("day", "2013-01-28"),
        ("month", "2013-02-01"),
        ("day", "2013-03-01"),
        ("week", "2013-03-04"),
        ("day", "2013-03-18"),
        ("slot", "2013-03-20"),
    ]
    assert all(one.end == other.start for one, other in pairwise(found))
