"""Weeks and months: put together from days, read in their place, and never once those days have changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from tests.engines.conftest import Opens
from tests.engines.gauges import READINGS, Bench, Sent, ask, some_readings

from aforo.engines.embedded import sparing
from aforo.engines.embedded.database import FILE_NAME
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.embedded.merging import Size
from aforo.engines.engine import Engine
from aforo.engines.folds import Period
from aforo.engines.reads import StatesRequest
from aforo.model.measure import MeasureKind
from aforo.windows import DAY, Grain, Window, Zone, parse_instant, window_of_dates

LATER = parse_instant("2014-06-01T00:00:00Z")
MIDDLE = parse_instant("2013-03-01T12:00:00Z")
NEW_YORK = Zone("America/New_York")
WHOLE, GATES = (RollupLayout.of(READINGS, READINGS.rollups[name]) for name in ("whole", "gates"))
KATHMANDU = Zone("Asia/Kathmandu", "sunday")


def dates(first: str, last: str, zone: Zone = NEW_YORK) -> Window:
    return window_of_dates(date.fromisoformat(first), date.fromisoformat(last), zone)


def build(engine: Engine, now: int = LATER) -> int:
    """All that is to be put together; how many periods that were."""
    built = 0
    while more := engine.build_periods(now):
        built += more
    return built


def read(engine: Engine, request: StatesRequest) -> tuple[Period, ...]:
    return engine.read_states(request, time_limit_seconds=60).periods


def filled(bench: Bench, tenant: str = "river") -> None:
    bench.send(*some_readings(400, spread=40 * DAY, around=MIDDLE, tenant=tenant))
    bench.fold()


KEPT = {
    Grain.WEEK: (Period.DAY, Period.WEEK),
    Grain.MONTH: (Period.DAY, Period.WEEK, Period.MONTH),
    Grain.TOTAL: (Period.DAY, Period.WEEK, Period.MONTH),
}


def test_weeks_and_months_answer_as_their_days_do(bench: Bench) -> None:
    filled(bench)
    window = dates("2013-01-20", "2013-04-12")
    asked = [
        ask(READINGS, rollup, window=window, zone=NEW_YORK, grain=grain, by=rollup.dimensions)
        for rollup in READINGS.rollups.values()
        for grain in KEPT
    ]
    assert {read(bench.engine, request) for request in asked} == {(Period.DAY,)}
    of_days = [bench.check(request) for request in asked]
    assert build(bench.engine) > 0
    assert [bench.check(request) for request in asked] == of_days
    assert [read(bench.engine, request) for request in asked] == [*KEPT.values()] * len(READINGS.rollups)
    assert build(bench.engine) == 0, "nothing is left"
    bench.check_everything()


def test_only_what_is_over_is_kept(bench: Bench) -> None:
    filled(bench)
    month = ask(READINGS, READINGS.rollups["whole"], window=dates("2013-02-01", "2013-02-28"), zone=NEW_YORK)
    last = month.segments[-1].end
    build(bench.engine, last - 1)
    assert Period.MONTH not in read(bench.engine, month)
    build(bench.engine, last)
    assert read(bench.engine, month) == (Period.MONTH,)


def test_a_late_event_takes_its_week_and_month_out_of_use_until_they_are_built_again(bench: Bench) -> None:
    filled(bench)
    build(bench.engine)
    whole = READINGS.rollups["whole"]
    months = ask(READINGS, whole, window=dates("2013-02-01", "2013-03-31"), zone=NEW_YORK, grain=Grain.MONTH)
    assert read(bench.engine, months) == (Period.MONTH,)
    bench.send(Sent(id="late", time=parse_instant("2013-02-14T12:00:00Z"), fields={"flow": 10**6}))
    assert build(bench.engine) == 0, "what waits for a fold is left for later"
    bench.fold()
    february = replace(months, segments=(replace(months.segments[0], end=months.edges[1]),))
    assert Period.MONTH not in read(bench.engine, february), "its day has another revision"
    assert Period.WEEK in read(bench.engine, replace(february, edges=(february.edges[0],)))
    assert bench.check(months)[0, ()]["highest"] == bench.check(february)[0, ()]["highest"]
    assert build(bench.engine) == 2 * len(READINGS.rollups), "one week and one month of every rollup"
    assert read(bench.engine, months) == (Period.MONTH,)
    bench.check(months)


def test_weeks_are_the_tenants_own(bench: Bench) -> None:
    """Sunday to Saturday of Kathmandu, at midnights of a quarter to."""
    filled(bench, "hills")
    build(bench.engine)
    whole = READINGS.rollups["whole"]
    own = ask(
        READINGS,
        whole,
        tenant="hills",
        window=dates("2013-02-10", "2013-03-09", KATHMANDU),
        zone=KATHMANDU,
        grain=Grain.WEEK,
    )
    assert len(own.edges) == 4
    assert read(bench.engine, own) == (Period.WEEK,)
    bench.check(own)
    monday = Zone("Asia/Kathmandu", "monday")
    other = ask(
        READINGS,
        whole,
        tenant="hills",
        window=dates("2013-02-11", "2013-03-10", monday),
        zone=monday,
        grain=Grain.WEEK,
    )
    assert read(bench.engine, other) == (Period.DAY,)
    bench.check(other)


def test_periods_outlive_a_restart_and_a_rollup_that_comes_back_begins_anew(opens: Opens) -> None:
    bench = Bench(opens())
    filled(bench)
    build(bench.engine)
    month = ask(READINGS, READINGS.rollups["whole"], window=dates("2013-02-01", "2013-02-28"), zone=NEW_YORK)
    before = bench.check(month)
    bench.engine = opens()
    assert build(bench.engine) == 0
    assert read(bench.engine, month) == (Period.MONTH,)
    assert bench.check(month) == before
    fewer = {name: each for name, each in READINGS.rollups.items() if name != "whole"}
    streams = {**bench.reference.model.streams, "readings": replace(READINGS, rollups=fewer)}
    opens(replace(bench.reference.model, streams=streams))
    bench.engine = opens()
    bench.fold()
    assert bench.check(month) == before
    build(bench.engine)
    assert read(bench.engine, month) == (Period.MONTH,)
    assert bench.check(month) == before


def test_a_rollup_that_comes_back_after_another_was_built_begins_anew(opens: Opens) -> None:
    bench = Bench(opens())
    filled(bench)
    build(bench.engine)
    whole = READINGS.rollups["whole"]
    month = ask(READINGS, whole, window=dates("2013-02-01", "2013-02-28"), zone=NEW_YORK)
    before = bench.check(month)
    less = {**READINGS.rollups, "whole": replace(whole, measures=whole.measures[:1])}
    streams = {**bench.reference.model.streams, "readings": replace(READINGS, rollups=less)}
    for model in (replace(bench.reference.model, streams=streams), bench.reference.model):
        bench.engine = opens(model)
        while bench.engine.build(10**6) is not None:
            pass
    assert bench.check(month) == before
    build(bench.engine)
    assert read(bench.engine, month) == (Period.MONTH,)
    assert bench.check(month) == before


def test_a_directory_of_before_there_were_periods_gets_them(opens: Opens, tmp_path: Path) -> None:
    bench = Bench(opens())
    filled(bench)
    bench.engine.close()
    with duckdb.connect(tmp_path / "data" / FILE_NAME) as connection:
        for (table,) in connection.execute(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_name = 'period_versions' OR regexp_matches(table_name, '^rollup_.*_(week|month)_')"
        ).fetchall():
            connection.execute(f'DROP TABLE "{table}"')
    bench.engine = opens()
    bench.check_everything()
    assert build(bench.engine) > 0
    bench.check_everything()


@pytest.mark.parametrize("most", [Size(rows=150, members=10**6), Size(rows=10**6, members=900)], ids=repr)
def test_many_rows_are_read_and_written_in_pieces(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, most: Size
) -> None:
    monkeypatch.setattr("aforo.engines.embedded.period_building.ROWS_A_WRITE", 40)
    monkeypatch.setattr("aforo.engines.embedded.period_building.MOST_READ", most)
    filled(bench)
    pieces = 0
    while bench.engine.build_periods(LATER):
        pieces += 1
    assert pieces > 2 * len(READINGS.rollups), "all weeks or all months of a rollup were read at once"
    for rollup in READINGS.rollups.values():
        request = ask(
            READINGS, rollup, window=dates("2013-01-20", "2013-04-12"), zone=NEW_YORK, by=rollup.dimensions
        )
        assert read(bench.engine, request) == (Period.DAY, Period.WEEK, Period.MONTH)
        bench.check(request)


def test_the_day_that_apia_skipped_is_in_no_week(opens: Opens) -> None:
    apia = Zone("Pacific/Apia")
    model = Bench(opens()).reference.model
    tenants = {**model.tenants, "apia": replace(model.tenants["river"], name="apia", timezone="Pacific/Apia")}
    bench = Bench(opens(replace(model, tenants=tenants)), replace(model, tenants=tenants))
    skipped = parse_instant("2011-12-30T10:00:00Z")
    bench.send(*some_readings(200, spread=20 * DAY, around=skipped, tenant="apia"))
    bench.fold()
    build(bench.engine)
    week = ask(
        READINGS,
        READINGS.rollups["gates"],
        tenant="apia",
        window=window_of_dates(date(2011, 12, 26), date(2012, 1, 1), apia),
        zone=apia,
        grain=Grain.WEEK,
        by=("station",),
    )
    assert week.segments[0].end - week.segments[0].start == timedelta(days=6) // timedelta(microseconds=1)
    assert read(bench.engine, week) == (Period.WEEK,)
    bench.check(week)


def test_a_split_without_sets_of_weeks_and_months_is_read_by_days(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparing, "FEW", 0)
    monkeypatch.setattr(sparing, "SHARE", 0)
    filled(bench)
    build(bench.engine)
    window = dates("2013-01-20", "2013-04-12")
    for rollup in READINGS.rollups.values():
        for grain, kept in KEPT.items():
            asked = ask(READINGS, rollup, window=window, zone=NEW_YORK, grain=grain, by=rollup.dimensions)
            bench.check(asked)
            assert read(bench.engine, asked) == ((Period.DAY,) if rollup.dimensions else kept)
            added = tuple(each for each in asked.measures if each.kind is not MeasureKind.DISTINCT)
            assert read(bench.engine, replace(asked, measures=added)) == kept
    bench.check_everything()


def sets_of(*rows: tuple[str, int, list[int]]) -> pa.Table:
    """Rows with the gaps of their sets, in a measure's column and nobody in the other's."""
    tenants, starts, sets = zip(*rows, strict=True)
    probes, crews = (each.key for each in GATES.distincts)
    return pa.table(
        {
            "tenant": pa.array(tenants),
            "start": pa.array(starts, pa.timestamp("us")),
            probes: pa.array(sets, pa.large_list(pa.uint32())),
            crews: pa.array([[]] * len(rows), pa.large_list(pa.uint32())),
        }
    )


def test_a_set_is_kept_where_it_has_half_of_its_days_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparing, "FEW", 2)
    days = sets_of(*[("hills", 0, [1, 1]), ("river", 0, [1, 1]), ("river", 7, [1])] * 3)
    rows = sets_of(("hills", 0, [1, 1, 1]), ("river", 0, [1, 1]), ("river", 0, [1, 1]), ("river", 7, [1, 1]))
    spared = sparing.spare(GATES, days, rows)
    probes, crews = (each.key for each in GATES.distincts)
    assert spared.without == {("river", 0): [probes]}
    assert spared.rows[probes].to_pylist() == [[1, 1, 1], [], [], [1, 1]]
    assert spared.rows[crews].to_pylist() == [[]] * 4
    assert sparing.spare(WHOLE, days, rows).without == {}
