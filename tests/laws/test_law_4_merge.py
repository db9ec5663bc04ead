"""Law 4: the merge of the parts is the whole, for every kind of state and in every zone's days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.gauges import Answer, Sent, ask
from tests.laws.shelf import READINGS, Shelf, content

from aforo.engines.folds import Period
from aforo.engines.reads import Segment
from aforo.model.measure import MeasureKind
from aforo.states import KINDS
from aforo.windows import DAY, HOUR, SLOT, Grain, Window, Zone, parse_date, parse_instant

STATIONS, WIDE = READINGS.rollups.values()
VALUES: Mapping[str, st.SearchStrategy[object]] = {
    "count": st.integers() | st.none(),
    "sum": st.integers(-(2**63), 2**63 - 1) | st.none(),
    "minimum": st.integers(-100, 100) | st.none(),
    "maximum": st.integers(-100, 100) | st.none(),
    "distinct": st.integers(0, 2**32 - 1) | st.none(),
    "histogram": st.floats(-1e12, 1e12) | st.integers(-1000, 1000) | st.none(),
}


def test_every_kind_is_held_to_the_law() -> None:
    assert VALUES.keys() == KINDS.keys() == set(MeasureKind)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_the_merge_of_parts_is_the_state_of_the_whole(kind: str, data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.lists(VALUES[kind], max_size=6), max_size=5))
    module = KINDS[kind]
    folded = [module.fold(part) for part in parts]
    whole = module.fold([value for part in parts for value in part])
    assert reduce(module.merge, folded, module.empty()) == whole
    assert reduce(module.merge, reversed(folded), module.empty()) == whole


# Zones with offsets of whole, half and quarter hours, and days around changes of their clocks in 2013.
DAYS = {
    "America/New_York": ("2013-03-10", "2013-11-03"),
    "Asia/Kathmandu": ("2013-04-14",),
    "Asia/Kolkata": ("2013-04-14",),
    "Pacific/Chatham": ("2013-04-07", "2013-09-29"),
    "Australia/Lord_Howe": ("2013-04-07", "2013-10-06"),
}
HOURS = {
    ("America/New_York", "2013-03-10"): 23,
    ("America/New_York", "2013-11-03"): 25,
    ("Pacific/Chatham", "2013-04-07"): 25,
    ("Pacific/Chatham", "2013-09-29"): 23,
    ("Australia/Lord_Howe", "2013-04-07"): 24.5,
    ("Australia/Lord_Howe", "2013-10-06"): 23.5,
}


@pytest.fixture(scope="module", params=DAYS)
def local(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path_factory.mktemp("local"), request.param)
    yield shelf
    shelf.engine.close()


def test_days_are_the_merge_of_their_slots(local: Shelf) -> None:
    """An event in every half slot around the change; each day holds what its local midnights enclose."""
    zone = Zone(local.zone)
    tenant = local.tenant()
    bench = local.bench(tenant)
    changes = [parse_date(text) for text in DAYS[local.zone]]
    for change in changes:
        start, end = zone.day_start(change), zone.day_start(change + timedelta(days=1))
        assert (end - start) / HOUR == HOURS.get((local.zone, change.isoformat()), 24)
        times = range(start - 4 * HOUR, end + 4 * HOUR, SLOT // 2)
        bench.send(
            *(
                Sent(tenant=tenant, id=str(time), time=time, fields=content(time // (SLOT // 2) % 997))
                for time in times
            ),
            stream=READINGS,
        )
        bench.fold()
        request = ask(
            READINGS,
            STATIONS,
            tenant=tenant,
            window=Window(start - DAY // 2, end + DAY // 2),
            zone=zone,
            by=("station",),
            grain=Grain.DAY,
        )
        days = bench.check(request)
        slots = replace(
            request, segments=tuple(Segment(Period.SLOT, each.start, each.end) for each in request.segments)
        )
        assert bench.check(slots) == days
        assert bench.check(replace(slots, rollup=None)) == days
        whole = sum(int(str(states["all_readings"])) for states in days.values())
        assert whole == len(times)
        of_day = sum(int(str(states["all_readings"])) for (day, _), states in days.items() if day == 1)
        assert of_day == (end - start) // (SLOT // 2)


@settings(max_examples=6)
@given(st.lists(st.integers(0, 40 * 24 * 4 - 1), min_size=1, max_size=25, unique=True))
def test_weeks_months_and_windows_are_the_merge_of_their_days(shelf: Shelf, slots: list[int]) -> None:
    """Whatever grain is asked of the days, merging its buckets gives the total; sets are not summed."""
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    first = parse_instant("2013-02-20T05:00:00Z")
    bench.send(
        *(Sent(tenant=tenant, id=str(at), time=first + at * SLOT, fields=content(at)) for at in slots),
        stream=READINGS,
    )
    bench.fold()
    window = Window(first, first + 41 * DAY)
    for rollup in (STATIONS, WIDE):
        request = ask(READINGS, rollup, tenant=tenant, window=window, zone=Zone(shelf.zone))
        total = bench.check(request)
        for grain in (Grain.DAY, Grain.WEEK, Grain.MONTH):
            finer = bench.check(
                ask(READINGS, rollup, tenant=tenant, window=window, zone=Zone(shelf.zone), grain=grain)
            )
            assert merged(finer) == {name: total[0, ()][name] for name in MERGED}
            assert max_of(finer, "probes") <= int(str(total[0, ()]["probes"]))


MERGED = tuple(name for name, each in READINGS.measures.items() if each.kind is not MeasureKind.DISTINCT)


def merged(answer: Answer) -> dict[str, object]:
    """All buckets together, by the kinds' own merge."""
    return {
        name: reduce(KINDS[READINGS.measures[name].kind].merge, [states[name] for states in answer.values()])
        for name in MERGED
    }


def max_of(answer: Answer, name: str) -> int:
    return max(int(str(states[name])) for states in answer.values())
