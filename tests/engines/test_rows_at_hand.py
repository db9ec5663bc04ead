"""Rows in memory: whatever happened before, they tell what the file tells; only what changed is read anew."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from tests.engines.gauges import (
    DEFAULT,
    MODEL,
    NOON,
    READINGS,
    Bench,
    Sent,
    answered,
    ask,
    of_events,
    some_readings,
)

from aforo.engines.embedded import EmbeddedEngine, hand_rows, sparing
from aforo.engines.embedded import rows_at_hand as at_hand_
from aforo.engines.embedded.hand_rows import Rows
from aforo.engines.embedded.opened import ROWS_AT_HAND_BYTES
from aforo.engines.embedded.reading import Reading
from aforo.engines.embedded.rows_at_hand import RowsAtHand
from aforo.engines.folds import Period
from aforo.engines.keeping import ErasureAsked
from aforo.engines.reads import Segment, States, StatesRequest
from aforo.errors import QuestionTooLarge
from aforo.model.condition import Condition, Op
from aforo.windows import DAY, SLOT, Grain, Window, Zone

NEW_YORK = Zone("America/New_York")
MONTHS = Window(NOON - 70 * DAY, NOON + 70 * DAY)
WHOLE, GATES, WIDE = (READINGS.rollups[name] for name in ("whole", "gates", "wide"))
CONDITIONS = (
    (),
    (Condition("station", Op.EQ, "north"),),
    (Condition("station", Op.IN, ("north", "")), Condition("gate", Op.GE, 1)),
    (Condition("gate", Op.IS_NULL),),
    (Condition("station", Op.CONTAINS, "r"), Condition("gate", Op.NE, 2)),
)


def engine_of(directory: Path, most_bytes: int = ROWS_AT_HAND_BYTES) -> EmbeddedEngine:
    engine = EmbeddedEngine(
        directory, memory_mb=128, threads=1, untimed_id_seconds=86_400, rows_at_hand_bytes=most_bytes
    )
    engine.apply_model(MODEL, DEFAULT)
    return engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EmbeddedEngine]:
    engine = engine_of(tmp_path)
    yield engine
    engine.close()


@pytest.fixture
def bench(engine: EmbeddedEngine) -> Bench:
    return Bench(engine)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Period, list[int] | None]]:
    """Each reading of the numbers of a period, with the starts where only some were read."""
    found: list[tuple[Period, list[int] | None]] = []
    load = at_hand_.load

    def counted(cursor: Any, part: Any, values: Any, *more: Any, some: bool = False) -> Rows | None:
        if part.measure is None:
            found.append((part.period, more[-1].starts.tolist() if some else None))
        return load(cursor, part, values, *more, some=some)

    monkeypatch.setattr(at_hand_, "load", counted)
    return found


def from_file(engine: EmbeddedEngine, request: StatesRequest) -> States:
    with engine._database.snapshot() as cursor:
        return Reading(cursor, request).states()


def check(bench: Bench, engine: EmbeddedEngine, request: StatesRequest) -> None:
    """Memory, file and reference tell the same, and memory and file of the same rows."""
    bench.check(replace(request, sets=()))  # ordinals are the engine's own
    mine, file = engine._rows_at_hand.states(request, None), from_file(engine, request)
    assert mine is not None
    assert answered(mine) == answered(file)
    assert (mine.rows_read, mine.periods) == (file.rows_read, file.periods)


def some_request(dice: random.Random) -> StatesRequest:
    rollup = dice.choice([WHOLE, GATES, WIDE])
    some = [by for count in range(3) for by in combinations(rollup.dimensions, count)]
    by = dice.choice(some)
    start = MONTHS.start + dice.randrange(100) * DAY
    conditions = [each for each in CONDITIONS if all(one.field in rollup.dimensions for one in each)]
    request = ask(
        READINGS,
        rollup,
        window=Window(start, start + dice.choice([1, 9, 40]) * DAY),
        zone=NEW_YORK,
        by=by,
        where=dice.choice(conditions),
        grain=dice.choice([Grain.TOTAL, Grain.DAY, Grain.WEEK, Grain.MONTH]),
        measures=dice.sample(rollup.measures, dice.randrange(1, 6)),
    )
    sets = tuple(each.name for each in request.measures if each.entity and dice.random() < 0.5)
    if by != ("station",) or dice.random() < 0.5:
        return replace(request, sets=sets)
    return replace(request, sets=sets, kept=(("south",), (None,)))


@pytest.mark.parametrize("seed", range(4))
def test_memory_tells_what_the_file_tells_whatever_was_written_in_between(
    bench: Bench, engine: EmbeddedEngine, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed % 2:  # weeks and months of splits are kept without sets
        monkeypatch.setattr(sparing, "FEW", 0)
        monkeypatch.setattr(sparing, "SHARE", 0)
    dice = random.Random(seed)
    bench.send(*some_readings(150, seed=100 + seed, spread=60 * DAY))
    for round_ in range(5):
        around, spread = NOON + dice.randrange(-60, 60) * DAY, dice.choice([SLOT, 4 * DAY])
        bench.send(*some_readings(dice.choice([1, 20]), seed=round_, around=around, spread=spread))
        bench.fold()
        if dice.random() < 0.6:
            engine.build_periods(MONTHS.end + 60 * DAY)
        for _ in range(12):
            check(bench, engine, some_request(dice))


def test_only_days_that_changed_are_read_again(
    bench: Bench, engine: EmbeddedEngine, loads: list[tuple[Period, list[int] | None]]
) -> None:
    bench.send(*some_readings(60, spread=6 * DAY))
    bench.fold()
    days = ask(READINGS, GATES, window=Window(NOON - 4 * DAY, NOON + DAY), zone=NEW_YORK, grain=Grain.DAY)
    check(bench, engine, days)
    assert loads == [(Period.DAY, None)]
    check(bench, engine, replace(days, by=("wet",), segments=(replace(days.segments[0], end=NOON),)))
    assert len(loads) == 1, "what is held answers other questions too"

    bench.send(Sent(id="late", time=NOON - 2 * DAY, fields={"flow": 1}))
    check(bench, engine, days)
    assert len(loads) == 1, "an event that waits for its fold changes no row"
    bench.fold()
    check(bench, engine, days)
    assert loads[1:] == [(Period.DAY, [NEW_YORK.day_start(NEW_YORK.date_of(NOON - 2 * DAY))])]

    bench.send(Sent(id="elsewhere", time=NOON + 5 * DAY, fields={"flow": 1}))
    bench.fold()
    check(bench, engine, days)
    assert len(loads) == 2, "a day that is not asked is left for later"


def test_a_week_is_read_once_it_is_kept_and_no_more_once_its_days_changed(
    bench: Bench, engine: EmbeddedEngine, loads: list[tuple[Period, list[int] | None]]
) -> None:
    bench.send(*some_readings(80, spread=20 * DAY))
    bench.fold()
    weeks = ask(READINGS, WHOLE, window=Window(NOON - 25 * DAY, NOON), zone=NEW_YORK, grain=Grain.WEEK)
    check(bench, engine, weeks)
    engine.build_periods(NOON + 60 * DAY)
    check(bench, engine, weeks)
    assert [period for period, _ in loads] == [Period.DAY, Period.WEEK]
    bench.send(Sent(id="late", time=NOON - 8 * DAY, fields={"flow": 10**6}))
    bench.fold()
    check(bench, engine, weeks)
    assert engine.read_states(weeks, time_limit_seconds=60).periods == (Period.DAY, Period.WEEK)


def test_a_value_that_was_erased_is_in_no_answer_from_memory(bench: Bench, engine: EmbeddedEngine) -> None:
    bench.send(*some_readings(60))
    bench.fold()
    by_probe = ask(READINGS, WIDE, window=Window(NOON - 3 * DAY, NOON), zone=NEW_YORK, by=("probe",))

    def probes() -> set[object]:
        found = engine._rows_at_hand.states(by_probe, None)
        assert found is not None
        return {split[0] for _, split in found.keys}

    assert "probe 3" in probes()
    engine.unname(ErasureAsked("e1", "river", "probe", "probe 3"))
    assert "probe 3" not in probes()
    assert None in probes()


def test_slots_events_and_nothing_are_left_to_the_file(bench: Bench, engine: EmbeddedEngine) -> None:
    bench.send(*some_readings(20))
    bench.fold()
    days = ask(READINGS, WHOLE, window=Window(NOON, NOON + 1), zone=NEW_YORK)
    (segment,) = days.segments
    rim = (Segment(Period.SLOT, segment.start - SLOT, segment.start), segment)
    for request in (of_events(days), replace(days, segments=rim), replace(days, segments=())):
        assert engine._rows_at_hand.states(request, None) is None
    off = RowsAtHand(engine._database, engine._standings, 0)
    assert off.states(days, None) is None


def test_too_many_groups_are_refused(bench: Bench, engine: EmbeddedEngine) -> None:
    bench.send(*some_readings(60))
    bench.fold()
    request = ask(READINGS, WIDE, window=Window(NOON - DAY, NOON), zone=NEW_YORK, by=("probe",))
    groups = len(engine.read_states(request, time_limit_seconds=60).keys)
    assert groups > 1
    engine.read_states(replace(request, most_keys=groups), time_limit_seconds=60)
    with pytest.raises(QuestionTooLarge):
        engine.read_states(replace(request, most_keys=groups - 1), time_limit_seconds=60)


def test_what_was_asked_for_longest_ago_goes_first(bench: Bench, engine: EmbeddedEngine) -> None:
    tenants = ("river", "hills", "plain")
    for tenant in tenants:
        bench.send(*some_readings(60, tenant=tenant))
    bench.fold()
    asked = {
        tenant: ask(READINGS, GATES, window=Window(NOON - DAY, NOON), zone=engine.zone(tenant), tenant=tenant)
        for tenant in tenants
    }
    sizes = {}
    for tenant in tenants:
        alone = RowsAtHand(engine._database, engine._standings, 2**30)
        assert alone.states(asked[tenant], None) is not None
        sizes[tenant] = alone.size_bytes
    small = RowsAtHand(engine._database, engine._standings, 2 * max(sizes.values()) + 1)
    for tenant in (*tenants, "river"):
        assert small.states(asked[tenant], None) is not None
    assert small.size_bytes == sizes["plain"] + sizes["river"]


def test_what_is_too_large_is_not_held_and_not_tried_again(
    bench: Bench,
    engine: EmbeddedEngine,
    loads: list[tuple[Period, list[int] | None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench.send(*some_readings(60))
    bench.fold()
    request = ask(READINGS, WIDE, window=Window(NOON - DAY, NOON), zone=NEW_YORK, by=("probe",))
    tight = RowsAtHand(engine._database, engine._standings, 2_000)
    assert [tight.states(request, None) for _ in range(2)] == [None, None]
    assert (len(loads), tight.size_bytes) == (1, at_hand_.HAND_BYTES)
    monkeypatch.setattr(hand_rows, "MOST_ROWS", 3)
    fresh = RowsAtHand(engine._database, engine._standings, ROWS_AT_HAND_BYTES)
    assert [fresh.states(request, None) for _ in range(2)] == [None, None]
    assert len(loads) == 2
    engine._rows_at_hand.forget()
    bench.check(request)
