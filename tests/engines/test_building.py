"""How every engine builds rollups aside: the earlier ones serve until the new are whole, then all at once."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest
from tests.engines.conftest import Opens
from tests.engines.gauges import DEFAULT, MODEL, NOON, READINGS, Bench, Sent, answered, ask, some_readings

from aforo.engines.builds import Build
from aforo.engines.embedded import EmbeddedEngine, building
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.folds import Period
from aforo.engines.keeping import PurgeAsked
from aforo.engines.reads import StatesRequest
from aforo.errors import RollupReplaced
from aforo.model.measure import Measure, MeasureKind
from aforo.model.model import Model
from aforo.model.stream import Stream
from aforo.questions.aside import as_served
from aforo.windows import DAY, Window, Zone

RIVER = Zone("America/New_York")
ALL = Window(NOON - 3 * DAY, NOON + 3 * DAY)
DEPTHS = Measure(name="depths", kind=MeasureKind.MAXIMUM, field="level")
GATES = READINGS.rollups["gates"]


def having(stream: Stream) -> Model:
    return replace(MODEL, streams={**MODEL.streams, stream.name: stream})


# The rollup by gates keeps one measure more, and all others mean what they meant.
DEEP = replace(
    READINGS,
    measures={**READINGS.measures, "depths": DEPTHS},
    rollups={**READINGS.rollups, "gates": replace(GATES, measures=(*GATES.measures, "depths"))},
)


@pytest.fixture
def bench(opens: Opens) -> Bench:
    bench = Bench(opens())
    bench.send(*some_readings(60))
    bench.fold()
    return bench


def changed(bench: Bench, opens: Opens, stream: Stream) -> None:
    bench.engine = opens(having(stream))
    bench.reference.model = having(stream)


def only(engine_builds: tuple[Build, ...]) -> Build:
    (build,) = engine_builds
    return build


def of_gates(
    stream: Stream, measures: tuple[str, ...] = ("all_readings", "levels", "probes")
) -> StatesRequest:
    return ask(
        stream, stream.rollups["gates"], window=ALL, zone=RIVER, by=("station", "gate"), measures=measures
    )


def meanwhile(bench: Bench) -> Stream:
    """The stream as questions are planned now."""
    return as_served(DEEP, bench.engine.builds("readings"))


def holds(
    bench: Bench, stream: Stream, measures: tuple[str, ...] = ("all_readings", "levels", "probes")
) -> None:
    """What the rollup by gates says is what the events say, of all that was folded."""
    request = of_gates(stream, measures)
    found = answered(bench.engine.read_states(request, time_limit_seconds=60))
    expected = bench.reference.read_states(
        replace(request, rollup=DEEP.rollups["gates"]), time_limit_seconds=60
    )
    assert found == answered(expected)


def fold_ledger(bench: Bench) -> None:
    while (claim := bench.engine.claim(10**6)) is not None:
        bench.engine.replace(bench.engine.fold(claim))
    bench.reference.fold()


def test_the_earlier_rollup_serves_and_takes_new_events_until_the_new_one_is_whole(
    bench: Bench, opens: Opens
) -> None:
    changed(bench, opens, DEEP)
    build = only(bench.engine.builds("readings"))
    assert (build.rollup, build.slots, build.slots_left, build.progress) == (
        "gates",
        build.slots,
        build.slots,
        0,
    )
    assert build.earlier is not None
    assert build.earlier.model_version == MODEL.version
    assert bench.engine.dirty_slots() == 0  # what serves needs no fold
    steps = 0
    while bench.engine.builds():
        stream = meanwhile(bench)
        assert "depths" not in stream.rollups["gates"].measures
        holds(bench, stream)
        bench.send(*some_readings(3, seed=steps + 1))
        fold_ledger(bench)
        holds(bench, stream)
        before = only(bench.engine.builds()).slots_left
        built = bench.engine.build(20)
        assert built is not None
        left = bench.engine.builds()
        assert built.serves == (not left)
        assert not left or only(left).slots_left < before
        steps += 1
    assert steps > 2
    assert bench.engine.build(20) is None
    assert meanwhile(bench) == DEEP
    bench.check_everything(stream=DEEP)
    bench.send(*some_readings(5, seed=99), stream=DEEP)
    bench.fold()
    bench.check_everything(stream=DEEP)


def test_an_event_that_no_fold_has_seen_is_in_the_rollup_that_is_swapped_in(
    bench: Bench, opens: Opens
) -> None:
    """Of a fold that read before the swap and writes after it nothing is written: it knows no such rollup."""
    changed(bench, opens, DEEP)
    bench.send(Sent(id="late", time=NOON, fields={"level": 499.0, "station": "north"}))
    claim = bench.engine.claim(10**6)
    assert claim is not None
    folded = bench.engine.fold(claim)
    while bench.engine.build(10**6):
        pass
    bench.engine.replace(folded)
    assert bench.engine.dirty_slots() == 1
    bench.fold()
    bench.check_everything(stream=DEEP)


def test_a_slot_that_is_still_written_counts_nothing_twice(bench: Bench, opens: Opens) -> None:
    """It was held by what the earlier rollup had; the new one has what came since, and takes it once."""
    bench.send(*(Sent(id=f"first {at}", fields={"station": "north", "flow": at}) for at in range(5)))
    bench.fold()
    changed(bench, opens, DEEP)
    bench.send(Sent(id="second", fields={"station": "north", "flow": 7}))
    fold_ledger(bench)
    bench.send(Sent(id="third", fields={"station": "north", "flow": 9}))
    while bench.engine.build(10**6):
        pass
    assert bench.engine.builds() == ()
    fold_ledger(bench)
    bench.check_everything(stream=DEEP)
    bench.send(Sent(id="fourth", fields={"station": "north", "flow": 11}))
    bench.fold()
    bench.check_everything(stream=DEEP)


def test_who_has_looked_before_the_swap_is_told_to_look_again(bench: Bench, opens: Opens) -> None:
    changed(bench, opens, DEEP)
    stream = meanwhile(bench)
    while bench.engine.build(10**6):
        pass
    with pytest.raises(RollupReplaced):
        bench.engine.read_states(of_gates(stream), time_limit_seconds=60)
    holds(bench, meanwhile(bench))


def test_a_mistake_is_not_taken_for_a_swap(bench: Bench) -> None:
    """Whoever asked would look again, and again: only a rollup that is gone is another's place."""
    engine, table = bench.engine, RollupLayout.of(READINGS, GATES).table(Period.DAY)
    assert isinstance(engine, EmbeddedEngine)
    engine._database.write(lambda cursor: cursor.execute(f"DROP TABLE {table}"))
    with pytest.raises(duckdb.CatalogException):
        engine.read_states(of_gates(READINGS), time_limit_seconds=60)


def test_a_build_goes_on_where_it_was_after_any_end(bench: Bench, opens: Opens) -> None:
    changed(bench, opens, DEEP)
    assert bench.engine.build(20) is not None
    left = only(bench.engine.builds()).slots_left
    changed(bench, opens, DEEP)
    build = only(bench.engine.builds())
    assert (build.slots_left, build.earlier is not None) == (left, True)
    holds(bench, meanwhile(bench))
    bench.fold()
    bench.check_everything(stream=DEEP)


def test_a_failed_build_leaves_the_earlier_rollup(
    bench: Bench, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(bench, opens, DEEP)

    def fails(*_words: object) -> bool:
        raise ValueError("struck")

    with monkeypatch.context() as struck:
        # The last statement of a step: all that it wrote is undone.
        struck.setattr(building, "answer", fails)
        for _ in range(2):
            with pytest.raises(ValueError, match="struck"):
                bench.engine.build(10**6)
            bench.send(*some_readings(3, seed=7))
            fold_ledger(bench)
            holds(bench, meanwhile(bench))
    bench.fold()
    bench.check_everything(stream=DEEP)


def test_the_way_back_is_short(bench: Bench, opens: Opens) -> None:
    """The earlier rollup was folded all the time: it needs no building, and what was begun goes."""
    changed(bench, opens, DEEP)
    bench.engine.build(20)
    bench.send(*some_readings(5, seed=3))
    fold_ledger(bench)
    changed(bench, opens, READINGS)
    assert bench.engine.builds() == ()
    bench.check_everything()
    changed(bench, opens, DEEP)
    bench.fold()
    bench.check_everything(stream=DEEP)


def test_a_measure_that_means_something_else_is_not_answered_by_what_it_meant(
    bench: Bench, opens: Opens
) -> None:
    other = replace(READINGS.measures["levels"], field="flow")
    stream = replace(READINGS, measures={**READINGS.measures, "levels": other})
    changed(bench, opens, stream)
    builds = bench.engine.builds("readings")
    assert {build.rollup for build in builds} == set(READINGS.rollups)
    served = as_served(stream, builds)
    for name, rollup in served.rollups.items():
        assert set(rollup.measures) == set(READINGS.rollups[name].measures) - {"levels"}
    holds_before = of_gates(served, ("all_readings", "probes"))
    found = answered(bench.engine.read_states(holds_before, time_limit_seconds=60))
    assert found == answered(
        bench.reference.read_states(
            replace(holds_before, rollup=stream.rollups["gates"]), time_limit_seconds=60
        )
    )
    bench.fold()
    bench.check_everything(stream=stream)


def test_a_rollup_without_an_earlier_one_serves_nothing_until_it_is_whole(bench: Bench, opens: Opens) -> None:
    stream = replace(
        READINGS, rollups={**READINGS.rollups, "crews": replace(GATES, name="crews", measures=("dry",))}
    )
    changed(bench, opens, stream)
    build = only(bench.engine.builds("readings"))
    assert (build.rollup, build.earlier) == ("crews", None)
    assert as_served(stream, (build,)).rollups["crews"].measures == ()
    bench.fold()
    bench.check_everything(stream=stream)


def test_no_event_is_purged_that_is_yet_to_be_built(bench: Bench, opens: Opens) -> None:
    changed(bench, opens, DEEP)
    purge = PurgeAsked("readings", "river", events_before=NOON + 9 * DAY, slots_before=0, most_rows=10**6)
    assert bench.engine.purge(purge).events == 0
    bench.fold()
    while (purged := bench.engine.purge(purge)).more:
        pass
    assert purged.seal.events_from > NOON
    assert bench.engine.extent("readings", "river") is None


def test_the_engine_at_hand_knows_a_swap(bench: Bench, opens: Opens) -> None:
    changed(bench, opens, DEEP)
    assert isinstance(bench.engine, EmbeddedEngine)
    bench.engine.apply_model(having(DEEP), DEFAULT)
    assert len(bench.engine.builds()) == 1
    while bench.engine.build(10**6):
        pass
    assert bench.engine.builds() == bench.engine.builds("readings") == ()
