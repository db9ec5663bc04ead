"""A tenant's zone or week start changes: every answer stays exact, before the fold and after it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.engines.conftest import Opens
from tests.engines.gauges import DEFAULT, MODEL, NOON, READINGS, Bench, ask, fold_once, some_readings

from aforo.engines.engine import Engine
from aforo.engines.folds import Period
from aforo.engines.keeping import PurgeAsked
from aforo.errors import ModelConflict
from aforo.model.model import Model
from aforo.model.tenant import Tenant
from aforo.windows import DAY, Grain, Window, Zone

ALL = Window(NOON - 40 * DAY, NOON + 40 * DAY)
LATER = NOON + 400 * DAY


def zoned(timezone: str, week_start: str = "monday") -> Model:
    river = Tenant(name="river", timezone=timezone, week_start=week_start)
    return replace(MODEL, tenants={**MODEL.tenants, "river": river})


def filled(opens: Opens) -> Bench:
    bench = Bench(opens())
    bench.send(*some_readings(300, spread=39 * DAY))
    bench.send(*some_readings(30, tenant="hills"))
    bench.fold()
    build(bench.engine)
    return bench


def build(engine: Engine) -> None:
    while engine.build_periods(LATER):
        pass


def moved(bench: Bench, opens: Opens, model: Model) -> Zone:
    bench.engine = opens(model)
    bench.reference.model = model
    return bench.engine.zone("river")


@pytest.mark.parametrize("timezone", ["UTC", "Asia/Kathmandu", "Pacific/Chatham", "America/Santiago"])
def test_days_of_the_new_zone_are_made_and_slots_answer_until_then(opens: Opens, timezone: str) -> None:
    bench = filled(opens)
    zone = moved(bench, opens, zoned(timezone))
    assert zone == Zone(timezone)
    assert bench.engine.days_wait("readings", "river")
    assert not bench.engine.days_wait("readings", "hills")
    for rollup in (READINGS.rollups["whole"], READINGS.rollups["gates"]):
        for grain in (Grain.DAY, Grain.MONTH):
            request = ask(READINGS, rollup, window=ALL, zone=zone, grain=grain, period=Period.SLOT)
            bench.check(request)
    assert fold_once(bench.engine, 40), "not all at once"
    assert bench.engine.days_wait("readings", "river")
    bench.engine = opens(zoned(timezone))
    assert bench.engine.days_wait("readings", "river"), "a restart forgets nothing"
    bench.fold()
    assert not bench.engine.days_wait("readings", "river")
    bench.check_everything()
    build(bench.engine)
    bench.check_everything()
    months = ask(READINGS, READINGS.rollups["gates"], window=ALL, zone=zone, grain=Grain.MONTH)
    assert Period.MONTH in bench.engine.read_states(months, time_limit_seconds=60).periods
    bench.check(months)
    bench.check_everything("hills")


def test_another_first_day_of_the_week_leaves_days_and_months(opens: Opens) -> None:
    bench = filled(opens)
    zone = moved(bench, opens, zoned("America/New_York", "sunday"))
    assert bench.engine.dirty_slots() == 0
    assert not bench.engine.days_wait("readings", "river")
    weeks = ask(READINGS, READINGS.rollups["gates"], window=ALL, zone=zone, grain=Grain.WEEK)
    months = replace(weeks, edges=ask(READINGS, None, window=ALL, zone=zone, grain=Grain.MONTH).edges)
    assert Period.WEEK not in bench.engine.read_states(weeks, time_limit_seconds=60).periods
    assert Period.MONTH in bench.engine.read_states(months, time_limit_seconds=60).periods
    bench.check(weeks)
    build(bench.engine)
    assert Period.WEEK in bench.engine.read_states(weeks, time_limit_seconds=60).periods
    bench.check(weeks)
    bench.check(months)


def test_there_and_back_again(opens: Opens) -> None:
    bench = filled(opens)
    moved(bench, opens, zoned("Asia/Tokyo"))
    moved(bench, opens, MODEL)
    assert bench.engine.days_wait("readings", "river")
    bench.fold()
    build(bench.engine)
    bench.check_everything()


def test_what_was_purged_keeps_its_days(opens: Opens) -> None:
    bench = filled(opens)
    asked = PurgeAsked(stream="readings", tenant="river", events_before=NOON, slots_before=0, most_rows=10**6)
    bench.engine.purge(asked)
    with pytest.raises(
        ModelConflict, match=r"river has events counted in days of America/New_York .* purged"
    ):
        bench.engine.apply_model(zoned("UTC"), DEFAULT)
    assert bench.engine.zone("river") == Zone("America/New_York")
    assert not bench.engine.days_wait("readings", "river")
    bench.engine.apply_model(zoned("America/New_York", "sunday"), DEFAULT)
    assert bench.engine.zone("river") == Zone("America/New_York", "sunday")
