"""What every engine answers: from any rollup as from the events, and as plain Python says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.engines.conftest import ENGINES
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

from aforo.engines.engine import Engine
from aforo.engines.folds import Period
from aforo.engines.reads import Segment, StatesRequest
from aforo.errors import TimeLimit
from aforo.model.condition import Condition, Op, parse
from aforo.states.histogram import percentile
from aforo.windows import DAY, SLOT, Grain, Window, Zone

RIVER = Zone("America/New_York")
ALL = Window(NOON - 3 * DAY, NOON + 3 * DAY)
WHOLE, GATES, WIDE = READINGS.rollups.values()


MANY = [*some_readings(200), *some_readings(40, seed=1, tenant="hills")]


@pytest.fixture(scope="module", params=ENGINES)
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Everything sent and folded, for tests that only read."""
    engine = ENGINES[request.param](tmp_path_factory.mktemp("full"))
    engine.apply_model(MODEL, DEFAULT)
    bench = Bench(engine)
    bench.send(*MANY)
    bench.fold()
    yield bench
    engine.close()


def test_every_rollup_gives_what_the_events_give(full: Bench) -> None:
    """Every measure kind, by every dimension type, at every grain."""
    for rollup in READINGS.rollups.values():
        for grain in (Grain.MONTH, Grain.WEEK, Grain.DAY):
            request = ask(READINGS, rollup, window=ALL, zone=RIVER, by=rollup.dimensions, grain=grain)
            assert full.check(request) == full.check(of_events(request))


def test_how_wide_events_are_is_told_before_they_are_read(full: Bench) -> None:
    """Fixed widths, and texts as long as they are on average, of the tenant's events in the window alone."""
    window = Window(NOON - DAY, NOON + DAY)
    here = [each for each in MANY if each.tenant == "hills" and window.contains(each.time)]
    texts = sum(len(str(each.fields.get(name) or "")) for each in here for name in ("station", "probe"))
    told = full.engine.event_bytes("readings", "hills", window, {"station", "probe", "gate", "wet", "seen"})
    assert told == pytest.approx(8 + len("hills") + 8 + 1 + 8 + texts / len(here))
    assert full.engine.event_bytes("readings", "hills", window, set()) == 8 + len("hills")
    assert full.engine.event_bytes("readings", "nobody", window, {"station"}) == 8 + len("nobody")


@pytest.mark.parametrize("grain", [Grain.SLOT, Grain.HOUR, Grain.DAY, Grain.TOTAL])
def test_slots_give_every_grain(full: Bench, grain: Grain) -> None:
    request = ask(READINGS, GATES, window=ALL, zone=RIVER, by=("wet",), grain=grain, period=Period.SLOT)
    assert full.check(request) == full.check(of_events(request))


def test_splits_by_fields_that_only_events_have(full: Bench) -> None:
    for by in [("level",), ("seen", "crew"), ("probe", "wet")]:
        answer = full.check(ask(READINGS, None, window=ALL, zone=RIVER, by=by))
        assert any(None in split for _, split in answer)


@pytest.mark.parametrize("grain", [Grain.SLOT, Grain.DAY, Grain.TOTAL])
@pytest.mark.parametrize("wanted", [0, 1, 3, 100])
def test_groups_that_are_not_kept_are_merged_into_one(full: Bench, grain: Grain, wanted: int) -> None:
    """Every measure kind, from rollups and events, and groups that have nulls or that nobody has."""
    period = Period.SLOT if grain is Grain.SLOT else Period.DAY
    for rollup in (GATES,) if grain is Grain.SLOT else (GATES, WIDE):
        asked = ask(
            READINGS, rollup, window=ALL, zone=RIVER, by=rollup.dimensions, grain=grain, period=period
        )
        found = list(dict.fromkeys(split for _, split in sorted(full.check(asked), key=repr)))
        nobody = tuple(None for _ in rollup.dimensions)
        kept = tuple(dict.fromkeys((*found[:wanted], *([nobody] if wanted else []))))
        merged = full.check(replace(asked, kept=kept))
        assert {split for _, split in merged} <= {*kept, ()}
        assert any(split == () for _, split in merged) is bool({*found} - {*kept})
        assert merged == full.check(of_events(replace(asked, kept=kept)))


def test_kept_groups_of_nulls_and_of_instants(full: Bench) -> None:
    for by in [("level",), ("seen", "crew"), ("probe", "wet")]:
        asked = ask(READINGS, None, window=ALL, zone=RIVER, by=by)
        splits = {split for _, split in full.engine.read_states(asked, time_limit_seconds=60).keys}
        for kept in (splits, {split for split in splits if None in split}, set(list(splits)[:2])):
            full.check(replace(asked, kept=tuple(kept)))


CONDITIONS = [
    'station = "north"',
    'station != "north"',
    'station in ("north", "nörd; --", "nowhere")',
    'station contains "or"',
    'station contains "%"',
    'station = ""',
    "station is null",
    "station is not null",
    "gate = 1",
    "gate != 1",
    "gate < 2",
    "gate <= 2",
    "gate > -4611686018427387904",
    "gate >= 2",
    "gate in (1, 2)",
    "wet = true",
    "wet != true",
    "wet in (true, false)",
    "wet is null and gate is not null",
    'probe = "probe 1" and station != "south"',
]


@pytest.mark.parametrize("text", CONDITIONS)
def test_conditions_choose_the_same_from_rollups_and_events(full: Bench, text: str) -> None:
    where = parse(text)
    named = {condition.field for condition in where}
    chosen = [rollup for rollup in READINGS.rollups.values() if named <= set(rollup.dimensions)][-1]
    request = ask(READINGS, chosen, window=ALL, zone=RIVER, where=where)
    assert full.check(request) == full.check(of_events(request))


@pytest.mark.parametrize(
    "text",
    [
        "level > 1.5",
        "level = 0",
        "level != 0.0",
        "level in (-0.125, 7.005)",
        "level >= 1e-12 and level < 8",
        "flow = 4611686018427387904",
        'seen = "2013-03-09T17:00:00Z"',
        'seen > "2013-03-10T12:00:00+05:45"',
        'seen in ("2013-03-09T17:15:00Z")',
        "seen is null",
    ],
)
def test_conditions_on_numbers_and_instants_choose_events(full: Bench, text: str) -> None:
    full.check(ask(READINGS, None, window=ALL, zone=RIVER, where=parse(text), grain=Grain.DAY))


def test_a_value_is_never_read_as_sql(full: Bench) -> None:
    where = (Condition("station", Op.EQ, "north' OR 'a' = 'a"),)
    assert full.check(ask(READINGS, GATES, window=ALL, zone=RIVER, where=where)) == {}


def test_days_and_slots_together_make_a_ragged_window(full: Bench) -> None:
    """Slots up to the first whole day, days, and slots after the last one."""
    first, last = RIVER.day_start(RIVER.date_of(NOON - DAY)), RIVER.day_start(RIVER.date_of(NOON + DAY))
    start, end = NOON - 2 * DAY + SLOT, NOON + DAY - SLOT
    request = replace(
        ask(READINGS, GATES, window=ALL, zone=RIVER, by=("station",)),
        segments=(
            Segment(Period.SLOT, last, end),
            Segment(Period.DAY, first, last),
            Segment(Period.SLOT, start, first),
        ),
        edges=(start, first, NOON, last),
    )
    mixed = full.check(request)
    # The third edge is inside a day: a day's row belongs to where it starts, so events are asked without it.
    whole = replace(request, rollup=None, segments=(Segment(Period.SLOT, start, end),))
    assert full.check(replace(whole, edges=(start, first, last))) == {
        (bucket - (bucket == 3), split): states for (bucket, split), states in mixed.items()
    }


def test_rows_between_segments_and_before_the_first_edge_are_not_read(full: Bench) -> None:
    request = replace(
        ask(READINGS, WHOLE, window=ALL, zone=RIVER, period=Period.SLOT),
        segments=(
            Segment(Period.SLOT, NOON - DAY, NOON),
            Segment(Period.SLOT, NOON + DAY, NOON + 2 * DAY),
            Segment(Period.SLOT, NOON, NOON),
            Segment(Period.SLOT, NOON + DAY, NOON + DAY),
        ),
        edges=(NOON - DAY // 2, NOON + DAY // 2),
    )
    assert full.check(request) == full.check(of_events(request))


def test_no_segments_are_no_rows(full: Bench) -> None:
    request = ask(READINGS, WHOLE, window=ALL, zone=RIVER)
    for rollup in (WHOLE, None):
        assert full.check(replace(request, rollup=rollup, segments=())) == {}


def test_many_edges_place_rows_as_few_do(full: Bench) -> None:
    """An engine may place rows by other means when there are many buckets."""
    request = ask(READINGS, GATES, window=ALL, zone=RIVER, by=("gate",), grain=Grain.SLOT)
    assert len(request.edges) > 500
    at_once = full.check(request)
    piecemeal = {}
    for at in range(0, len(request.edges), 96):
        edges = request.edges[at : at + 97]
        day = replace(
            request, segments=(Segment(Period.SLOT, edges[0], edges[-1]),), edges=(edges[0], edges[48])
        )
        for key, states in full.check(day).items():
            piecemeal[at, *key] = states
    rows = {key: states["all_readings"] for key, states in at_once.items()}
    assert sum(map(int, rows.values())) == sum(int(each["all_readings"]) for each in piecemeal.values())  # type: ignore[call-overload]
    coarse = full.check(replace(request, edges=request.edges[::48]))
    for (bucket, split), states in coarse.items():
        fine = [
            count
            for (each, of), count in rows.items()
            if of == split and bucket * 48 <= each < bucket * 48 + 48
        ]
        assert states["all_readings"] == sum(map(int, fine))


def test_sums_are_exact_beyond_64_bits_and_beyond_doubles(bench: Bench) -> None:
    large = 2**62 + 1
    for at in range(4):
        bench.send(Sent(id=str(at), time=NOON + at * SLOT, fields={"flow": large, "level": 0.07}))
        bench.fold()
    request = ask(
        READINGS, WHOLE, window=Window(NOON, NOON + DAY), zone=RIVER, measures=("flow_sum", "level_sum")
    )
    assert bench.check(request) == {(0, ()): {"flow_sum": 4 * large, "level_sum": 28}}


def test_what_is_summed_is_rounded_half_to_even(bench: Bench) -> None:
    levels = [0.125, 0.375, -0.125, -0.375, 2.675, 1.005, 1e-9, -0.0]
    bench.send(*(Sent(id=str(at), fields={"level": level}) for at, level in enumerate(levels)))
    bench.fold()
    request = ask(READINGS, WHOLE, window=ALL, zone=RIVER, measures=("level_sum", "lowest"))
    assert bench.check(request) == {(0, ()): {"level_sum": 368, "lowest": -0.375}}


def test_nothing_to_measure_is_null_and_not_zero(bench: Bench) -> None:
    bench.send(Sent(id="1"))
    bench.fold()
    [states] = bench.check(ask(READINGS, WHOLE, window=ALL, zone=RIVER)).values()
    histogram = states.pop("levels")
    assert percentile(histogram, 50) is None  # type: ignore[arg-type]
    assert states.pop("wet_flows") == histogram
    assert states == {
        "all_readings": 1,
        "dry": 0,
        "level_sum": None,
        "flow_sum": None,
        "lowest": None,
        "highest": None,
        "probes": 0,
        "north_crews": 0,
    }


def test_text_of_every_kind_comes_back_as_it_went_in(bench: Bench) -> None:
    texts = [
        "",
        " ",
        "a\x00b",
        "line\nbreak",
        '"quoted"',
        "back\\slash",
        "🛶",
        "e\u0301",
        "é",
        "NULL",
        "x" * 1000,
    ]
    bench.send(*(Sent(id=text or "none", fields={"station": text, "probe": text}) for text in texts))
    bench.fold()
    request = ask(READINGS, GATES, window=ALL, zone=RIVER, by=("station",))
    answer = bench.check(request)
    assert {split[0] for _, split in answer} == set(texts)
    assert all(states["probes"] == 1 for states in answer.values())


def test_an_answer_tells_its_texts_and_rows(full: Bench) -> None:
    states = full.engine.read_states(ask(READINGS, WHOLE, window=ALL, zone=RIVER), time_limit_seconds=60)
    assert states.rows_read > 0
    assert all(text.strip().startswith("--") for text in states.sql)


def test_a_question_that_takes_too_long_is_stopped(bench: Bench) -> None:
    bench.send(*some_readings(2000, spread=SLOT))
    request = ask(READINGS, None, window=ALL, zone=RIVER, by=("probe", "crew", "seen"))
    with pytest.raises(TimeLimit, match="stopped after 0"):
        bench.engine.read_states(request, time_limit_seconds=0)
    # The engine goes on: the next question is answered.
    bench.check(request)


def test_every_read_sees_one_moment(engine: Engine) -> None:
    """A question that is being answered while events are folded never mixes before and after."""
    bench = Bench(engine)
    bench.send(*MANY[:50])
    bench.fold()
    request = ask(READINGS, GATES, window=ALL, zone=RIVER, by=("station",))
    before = bench.check(request)
    bench.send(*MANY[50:])
    assert answered(engine.read_states(request, time_limit_seconds=60)) == before
    bench.fold()
    assert bench.check(request) != before


def test_a_request_for_no_measure_tells_which_groups_there_are(full: Bench) -> None:
    request: StatesRequest = ask(READINGS, GATES, window=ALL, zone=RIVER, by=("station",), measures=())
    assert {split[0] for _, split in full.check(request)} == {"north", "south", "nörd; --", "", None}
