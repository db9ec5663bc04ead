"""How long every engine keeps values of entities: in clear with events, as hashes with sets, then not."""

from __future__ import annotations

import pytest
from tests.engines.conftest import Opens
from tests.engines.gauges import NOON, Bench, Sent, answered, ask

from aforo.engines.engine import Engine
from aforo.engines.keeping import ErasureAsked, Forgotten, PurgeAsked
from aforo.engines.reads import Seen, Sight
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.model.stream import Stream
from aforo.windows import DAY, Window, Zone

YAML = """
tenants: {river: {timezone: America/New_York}, hills: {timezone: Asia/Kathmandu}}
streams:
  readings:
    fields: {probe: string, crew: integer, station: string}
    entities: {probe: probe, crew: crew}
    measures:
      probes: {distinct: probe}
      north_crews: {distinct: crew, where: 'station = "north"'}
    rollups: {whole: {by: []}}
  visits:
    fields: {probe: string}
    entities: {probe: probe}
    measures: {all_visits: count, probes_seen: {distinct: probe}}
    rollups: {each: {by: []}}
"""
MODEL = read_model(YAML, source="values.yaml")
READINGS, VISITS = MODEL.streams["readings"], MODEL.streams["visits"]
RIVER = Zone("America/New_York")
ALL = Window(NOON - 30 * DAY, NOON + 30 * DAY)
# Crews are in a set only where the station is north; nothing else holds those of the south.
NORTH, SOUTH = {"crew": 1, "station": "north"}, {"crew": 2, "station": "south"}


class Values(Bench):
    """A bench whose events are readings, unless they are said to be another stream's."""

    def readings(self, *events: Sent) -> None:
        self.send(*events, stream=READINGS)


@pytest.fixture
def bench(opens: Opens) -> Values:
    return Values(opens(MODEL), MODEL)


def reading(id_: str, day: int, tenant: str = "river", **fields: object) -> Sent:
    return Sent(id=id_, tenant=tenant, time=NOON + day * DAY, fields=fields)


def purge(engine: Engine, before: int, tenant: str = "river", stream: str = "readings") -> None:
    """Everything before a day, by its number from noon's."""
    while engine.purge(PurgeAsked(stream, tenant, NOON + before * DAY, 0, 10**6)).more:
        pass


def forget(engine: Engine, most_values: int = 10**6) -> tuple[int, int, int]:
    """All that is to be looked at: how many were, were hashed and were removed."""
    steps: list[Forgotten] = []
    while (step := engine.forget(most_values)) is not None:
        assert 1 <= step.looked_at <= most_values
        steps.append(step)
    return (
        sum(step.looked_at for step in steps),
        sum(step.hashed for step in steps),
        sum(step.removed for step in steps),
    )


def count(engine: Engine, tenant: str = "river", measure: str = "probes", stream: Stream = READINGS) -> int:
    rollup = next(each for each in stream.rollups.values() if measure in each.measures)
    asked = ask(stream, rollup, window=ALL, zone=engine.zone(tenant), tenant=tenant, measures=(measure,))
    [values] = answered(engine.read_states(asked, time_limit_seconds=60)).values()
    found = values[measure]
    assert isinstance(found, int)
    return found


def test_who_comes_back_after_a_purge_is_counted_once(bench: Values, opens: Opens) -> None:
    bench.readings(*[reading(f"{at}", 0, probe=f"probe {at}") for at in range(5)])
    bench.fold()
    purge(bench.engine, 3)
    assert forget(bench.engine) == (5, 5, 0)
    bench.engine = opens(MODEL)
    bench.readings(reading("b1", 4, probe="probe 1"), reading("b2", 4, probe="probe 1"))
    bench.readings(reading("c", 5, probe="probe 3"), reading("d", 5, probe="another"))
    bench.fold()
    assert count(bench.engine) == 6
    assert forget(bench.engine) == (0, 0, 0), "nothing went since"
    purge(bench.engine, 7)
    assert forget(bench.engine) == (3, 3, 0), "those that had come back are hashed again"
    bench.readings(reading("e", 8, probe="probe 1"), reading("f", 8, probe="another"))
    bench.fold()
    assert count(bench.engine) == 6


def test_what_another_stream_holds_stays_in_clear(bench: Values) -> None:
    bench.readings(reading("1", 0, probe="a"), reading("2", 0, probe="b"))
    bench.send(reading("3", 1, probe="a"), stream=VISITS)
    bench.fold()
    purge(bench.engine, 3)
    assert forget(bench.engine) == (2, 1, 0)
    purge(bench.engine, 3, stream="visits")
    assert forget(bench.engine) == (1, 1, 0)


def test_two_tenants_have_nothing_to_do_with_each_other(bench: Values) -> None:
    for tenant in ("river", "hills"):
        bench.readings(reading(tenant, 0, tenant, probe="one"))
    bench.fold()
    purge(bench.engine, 3)
    assert forget(bench.engine) == (1, 1, 0)
    bench.readings(*[reading(f"{tenant} 2", 4, tenant, probe="one") for tenant in ("river", "hills")])
    bench.fold()
    assert [count(bench.engine, tenant) for tenant in ("river", "hills")] == [1, 1]


def test_what_no_set_holds_goes_and_its_number_is_given_to_nobody(bench: Values, opens: Opens) -> None:
    bench.readings(
        reading("1", 0, **NORTH), reading("2", 0, **SOUTH), reading("3", 0, crew=3, station="south")
    )
    bench.fold()
    purge(bench.engine, 3)
    assert forget(bench.engine) == (3, 1, 2), "the last numbers go, and one from the middle"
    bench.engine = opens(MODEL)
    bench.readings(reading("4", 4, crew=4, station="north"), reading("5", 4, crew=2, station="north"))
    bench.fold()
    assert count(bench.engine, measure="north_crews") == 3
    assert bench.engine.seen("river", "crew", "3") is None


def test_a_value_that_only_sets_hold_can_be_erased(bench: Values) -> None:
    bench.readings(reading("1", 0, probe="a"), reading("2", 0, probe="b"))
    bench.fold()
    purge(bench.engine, 3)
    forget(bench.engine)
    asked = ErasureAsked(id="one", tenant="river", entity="probe", value="a")
    bench.engine.unname(asked)
    assert not bench.engine.erase(asked.id, asked.tenant, 10**6).more
    assert bench.engine.seen("river", "probe", "a") is None
    bench.readings(reading("3", 4, probe="a"), reading("4", 4, probe="b"))
    bench.fold()
    assert count(bench.engine) == 3, "the erased one that the sealed day counted, and those who came"


def test_what_was_erased_goes_once_no_set_has_it(bench: Values) -> None:
    bench.readings(reading("1", 0, probe="a", crew=1), reading("2", 0, probe="b"))
    bench.fold()
    asked = ErasureAsked(id="one", tenant="river", entity="probe", value="a")
    bench.engine.unname(asked)
    while bench.engine.erase(asked.id, asked.tenant, 10**6).more:
        pass
    assert forget(bench.engine) == (0, 0, 0), "until the fold the sets have it"
    bench.fold()
    assert forget(bench.engine) == (2, 0, 2), "with it the crew of its only event"
    bench.readings(reading("3", 1, probe="a"))
    bench.fold()
    assert count(bench.engine) == 2


def test_without_the_rollup_whose_sets_held_them_they_go(bench: Values, opens: Opens) -> None:
    bench.readings(reading("1", 0, probe="a"), reading("2", 0, probe="b"))
    bench.fold()
    purge(bench.engine, 3)
    assert forget(bench.engine) == (2, 2, 0)
    engine = opens(other("probes: {distinct: probe}", "dry_probes: {distinct: probe, where: 'crew = 1'}"))
    while engine.build(10**6) is not None:
        pass
    assert forget(engine) == (2, 0, 2)


def test_a_stream_that_is_given_the_entity_later_knows_the_hashes(bench: Values, opens: Opens) -> None:
    before = other(
        "    entities: {probe: probe}\n    measures: {all_visits: count, probes_seen: {distinct: probe}}",
        "    measures: {all_visits: count}",
    )
    bench.engine = opens(before)
    bench.readings(reading("1", 0, probe="a"), reading("2", 0, probe="b"))
    bench.send(reading("3", 1, probe="a"), stream=before.streams["visits"])
    bench.fold()
    purge(bench.engine, 3)
    assert forget(bench.engine) == (2, 2, 0)
    bench.engine = opens(MODEL)
    bench.readings(reading("4", 4, probe="a"))
    while bench.fold():
        pass
    assert count(bench.engine) == 2
    assert count(bench.engine, measure="probes_seen", stream=VISITS) == 1
    assert bench.engine.seen("river", "probe", "a") is not None


def test_forget_in_steps(bench: Values) -> None:
    bench.readings(*[reading(f"{at}", 0, probe=f"probe {at}", crew=at) for at in range(7)])
    bench.fold()
    purge(bench.engine, 3)
    assert forget(bench.engine, most_values=2) == (14, 7, 7)


def test_seen_by_events_is_exact_and_a_late_event_moves_it_back(bench: Values) -> None:
    bench.readings(
        reading("1", 1, probe="a"), reading("2", 3, probe="a"), reading("3", 0, "hills", probe="a")
    )
    assert bench.engine.seen("river", "probe", "a") == Seen(event(1), event(3), None)
    bench.readings(reading("4", -2, probe="a"))
    bench.send(reading("5", 5, probe="a"), stream=VISITS)
    assert bench.engine.seen("river", "probe", "a") == Seen(event(-2), event(5), None)
    assert bench.engine.seen("river", "probe", "b") is None
    assert bench.engine.seen("nobody", "probe", "a") is None


def test_seen_by_sets_is_the_day(bench: Values) -> None:
    bench.readings(reading("1", 0, probe="a"), reading("2", 2, probe="a"), reading("3", 5, probe="a"))
    bench.readings(reading("4", 1, probe="b"), reading("5", 2, probe="b"))
    bench.fold()
    purge(bench.engine, 4)
    forget(bench.engine)
    assert bench.engine.seen("river", "probe", "a") == Seen(day(0), event(5), None)
    assert bench.engine.seen("river", "probe", "b") == Seen(day(1), day(2), None)
    bench.send(reading("6", 2, probe="a"), stream=VISITS)
    assert bench.engine.seen("river", "probe", "a") == Seen(day(0), event(5), None)
    bench.send(reading("7", 2, probe="b"), stream=VISITS)
    assert bench.engine.seen("river", "probe", "b") == Seen(day(1), day(2), None), "the later of that day"


def test_seen_tells_from_when_on_it_knows(bench: Values) -> None:
    """Crews are in sets only where they were in the north."""
    bench.readings(reading("1", 0, **SOUTH), reading("2", 1, **NORTH), reading("3", 5, **SOUTH))
    bench.fold()
    purge(bench.engine, 4)
    forget(bench.engine)
    seal = bench.engine.seal("readings", "river").events_from
    assert bench.engine.seen("river", "crew", "2") == Seen(event(5), event(5), seal)
    assert bench.engine.seen("river", "crew", "1") == Seen(day(1), day(1), seal)


def event(number: int) -> Sight:
    return Sight(NOON + number * DAY, of_event=True)


def day(number: int) -> Sight:
    return Sight(RIVER.day_start(RIVER.date_of(NOON + number * DAY)), of_event=False)


def other(was: str, is_: str) -> Model:
    """The model with a part of its text replaced."""
    assert was in YAML
    return read_model(YAML.replace(was, is_), source="values.yaml")
