"""What a number is made of: the events that count, a sample of them, and the folds of its days."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.engines.conftest import Opens
from tests.engines.gauges import NOON, READINGS, Bench, Sent, as_reference, fold_once, some_readings
from tests.reference_engine import holds

from aforo.clock import ManualClock
from aforo.engines.behind import Behind, BehindRequest
from aforo.engines.embedded import EmbeddedEngine
from aforo.model.condition import Condition, Op
from aforo.windows import DAY, Window

WINDOW = Window(NOON - DAY, NOON + DAY)
ONES = tuple((name,) for name in READINGS.measures)


def behind(
    bench: Bench,
    *measures: str,
    window: Window = WINDOW,
    most: int = 1_000,
    where: tuple[Condition, ...] = (),
) -> Behind:
    wanted = tuple(READINGS.measures[name] for name in measures)
    request = BehindRequest("river", READINGS, wanted, window, most, where)
    return bench.engine.read_behind(request, time_limit_seconds=60)


def gives(event: Sent, name: str) -> bool:
    """Whether the event gives something to a measure, by its definition."""
    measure = READINGS.measures[name]
    known = measure.field is None or event.fields.get(measure.field) is not None
    return known and all(holds(each, as_reference(event).fields, READINGS) for each in measure.where)


@pytest.mark.parametrize("names", [*ONES, ("dry", "probes"), ("wet_flows", "north_crews", "level_sum")])
def test_the_events_that_count_are_those_that_give_something(bench: Bench, names: tuple[str, ...]) -> None:
    sent = some_readings(80)
    bench.send(*sent, *some_readings(30, tenant="hills", seed=1))
    here = [event for event in sent if WINDOW.contains(event.time)]
    counted = {(event.id, event.time) for event in here if any(gives(event, name) for name in names)}
    found = behind(bench, *names)
    assert (found.events, found.given) == (len(here), len(counted))
    assert {(each.id, each.time) for each in found.shown} == counted
    assert len(found.shown) == found.given


def test_events_for_which_a_condition_does_not_hold_are_not_behind_a_number(bench: Bench) -> None:
    sent = some_readings(60)
    bench.send(*sent)
    where = (Condition("station", Op.EQ, "north"), Condition("gate", Op.NOT_NULL))
    meant = [
        event
        for event in sent
        if WINDOW.contains(event.time)
        and all(holds(each, as_reference(event).fields, READINGS) for each in where)
    ]
    assert 0 < len(meant) < len(sent)
    found = behind(bench, "all_readings", where=where)
    assert (found.events, found.given) == (len(meant), len(meant))
    assert {(each.id, each.time) for each in found.shown} == {(each.id, each.time) for each in meant}


def test_a_sample_is_bounded_the_same_each_time_and_part_of_a_larger_one(bench: Bench) -> None:
    bench.send(*some_readings(60))
    few, more, none = (behind(bench, "all_readings", most=most) for most in (5, 9, 0))
    assert len(few.shown) == 5
    assert few.shown == more.shown[:5] == behind(bench, "all_readings", most=5).shown
    assert (none.shown, none.given) == ((), few.given)
    assert [each.time for each in more.shown] != sorted(each.time for each in more.shown), "of all hours"


def test_events_are_shown_as_they_are_kept(bench: Bench) -> None:
    fields = {"station": "north", "gate": 1, "wet": False, "level": 7.25, "probe": "p"}
    bench.send(Sent(id="first", fields=fields))
    bench.send(Sent(id="second", time=NOON + 1, fields={"station": "south"}))
    [shown] = behind(bench, "dry").shown
    assert (shown.id, shown.time, shown.commit) == ("first", NOON, 1)
    assert shown.fields == {name: fields.get(name) for name in READINGS.fields}
    assert list(shown.fields) == list(READINGS.fields)


def test_a_day_tells_as_of_which_commit_it_was_folded_last_and_when(bench: Bench, opens: Opens) -> None:
    assert behind(bench, "all_readings").folds == ()
    engine, clock = bench.engine, ManualClock(NOON)
    assert isinstance(engine, EmbeddedEngine)
    engine._clock = clock
    for commit, revision in ((1, 1), (2, 2)):
        bench.send(Sent(id=str(commit)))
        clock.set(NOON + commit)
        while fold_once(engine):
            pass
        day = engine.zone("river").day_start(engine.zone("river").date_of(NOON))
        [fold] = behind(bench, "all_readings", window=Window(NOON, NOON + 1)).folds
        assert (fold.day, fold.revision, fold.commit, fold.folded_at) == (
            day,
            revision,
            commit,
            NOON + commit,
        )
    bench.send(Sent(id="3"))
    assert behind(bench, "all_readings").folds == (fold,), "what waits was not folded"
    bench.engine = opens()
    assert behind(bench, "all_readings").folds == (fold,)


def test_without_measures_the_folds_are_told_alone(bench: Bench) -> None:
    bench.send(Sent(id="1"))
    bench.fold()
    assert behind(bench) == Behind(0, 0, (), behind(bench, "all_readings").folds)
    assert behind(bench).folds


def test_a_day_that_was_changed_beneath_a_fold_was_not_folded_again(bench: Bench) -> None:
    bench.send(Sent(id="1"))
    bench.fold()
    [before] = behind(bench, "all_readings").folds
    bench.engine.mark("readings", "river", Window(NOON - DAY, NOON + DAY), 10)
    [marked] = behind(bench, "all_readings").folds
    assert marked == replace(before, revision=before.revision + 1)
