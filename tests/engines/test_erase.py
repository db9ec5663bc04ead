"""How every engine erases what somebody sent: from events, dictionary, and rollups above the seal."""

from __future__ import annotations

from dataclasses import replace

from tests.engines.conftest import Opens
from tests.engines.gauges import (
    MODEL,
    NOON,
    READINGS,
    VISITS,
    Bench,
    Sent,
    answered,
    ask,
    of_events,
    some_readings,
)

from aforo.engines.appends import Append
from aforo.engines.engine import Engine
from aforo.engines.keeping import Erased, ErasureAsked, PurgeAsked
from aforo.engines.refused import Sample, SamplesAsked
from aforo.windows import DAY, Grain, Window, Zone

RIVER = Zone("America/New_York")
ALL = Window(NOON - 5 * DAY, NOON + 5 * DAY)
ASKED = ErasureAsked(id="one", tenant="river", entity="probe", value="probe 3")


def erase(engine: Engine, asked: ErasureAsked = ASKED, most_rows: int = 10**6) -> list[Erased]:
    engine.unname(asked)
    steps = [engine.erase(asked.id, asked.tenant, most_rows)]
    while steps[-1].more:
        steps.append(engine.erase(asked.id, asked.tenant, most_rows))
    return steps


def without(events: list[Sent], probe: str = "probe 3", tenant: str = "river") -> list[Sent]:
    return [each for each in events if each.fields.get("probe") != probe or each.tenant != tenant]


def probes(engine: Engine, tenant: str = "river") -> int:
    request = ask(READINGS, READINGS.rollups["whole"], window=ALL, zone=RIVER, tenant=tenant)
    [values] = answered(engine.read_states(request, time_limit_seconds=60)).values()
    found = values["probes"]
    assert isinstance(found, int)
    return found


def everything(engine: Engine, tenant: str = "river") -> list[object]:
    told: list[object] = []
    for rollup in READINGS.rollups.values():
        request = ask(
            READINGS,
            rollup,
            tenant=tenant,
            by=rollup.dimensions,
            window=ALL,
            zone=engine.zone(tenant),
            grain=Grain.DAY,
        )
        told.append(answered(engine.read_states(request, time_limit_seconds=60)))
        told.append(answered(engine.read_states(of_events(request), time_limit_seconds=60)))
    return told


def test_after_an_erasure_and_a_fold_all_is_as_if_it_had_never_come(bench: Bench) -> None:
    """Laws 3 and 5: the rollups are those of the events that are left, and the mark is in the ledger."""
    events = some_readings(300) + some_readings(100, seed=1, tenant="hills")
    bench.send(*events)
    bench.send(*[Sent(id=f"v{at}", fields={"probe": f"probe {at}"}) for at in range(5)], stream=VISITS)
    bench.fold()
    steps = erase(bench.engine, most_rows=7)
    gone = len(events) - len(without(events)) + 1
    assert sum(step.events for step in steps) == gone
    assert max(step.events for step in steps) <= 7
    assert bench.engine.standing("readings", "river", ALL).dirty_from is not None
    assert bench.engine.waits("river", "probe", steps[-1].commit)
    twin = replace(bench.reference)
    twin.events = [
        each
        for each in bench.reference.events
        if each.tenant != "river" or each.fields.get("probe") != "probe 3"
    ]
    bench.reference = twin
    bench.fold()
    assert not bench.engine.waits("river", "probe", steps[-1].commit)
    for tenant in ("river", "hills"):
        bench.check_everything(tenant)
    bench.check_everything("river", VISITS)


def test_erasing_again_changes_nothing(bench: Bench) -> None:
    bench.send(*some_readings(100))
    bench.fold()
    first = erase(bench.engine)
    bench.fold()
    before = everything(bench.engine)
    again = erase(bench.engine)
    assert (first[0].events > 0, again) == (True, [Erased(0, 0, first[0].commit, more=False)])
    assert bench.fold() == 0
    assert everything(bench.engine) == before


def test_a_value_that_comes_again_is_somebody_else(bench: Bench, opens: Opens) -> None:
    """Its old number is given to nobody, also where it was the last and the engine was closed."""
    bench.send(Sent(id="1", fields={"probe": "probe 1"}), Sent(id="2", fields={"probe": "probe 3"}))
    bench.fold()
    bench.engine.purge(PurgeAsked("readings", "river", NOON + 2 * DAY, 0, 10**6))
    erase(bench.engine)
    bench.engine = opens(MODEL)
    bench.send(
        Sent(id="3", time=NOON + 3 * DAY, fields={"probe": "probe 3"}),
        Sent(id="4", time=NOON + 3 * DAY, fields={"probe": "probe 4"}),
    )
    bench.fold()
    assert probes(bench.engine) == 4, "the sealed two, and two more"


def test_what_is_sealed_keeps_its_counts_and_no_name(bench: Bench) -> None:
    events = some_readings(200)
    bench.send(*events)
    bench.fold()
    seal = bench.engine.purge(PurgeAsked("readings", "river", NOON, 0, 10**6)).seal.events_from
    before = probes(bench.engine)
    erase(bench.engine)
    bench.fold()
    sealed = Window(NOON - 5 * DAY, seal - 1)
    request = ask(READINGS, READINGS.rollups["wide"], window=sealed, zone=RIVER, by=("probe",))
    kept = answered(bench.engine.read_states(request, time_limit_seconds=60))
    assert not [split for _, split in kept if split == ("probe 3",)]
    whole = replace(request, rollup=READINGS.rollups["whole"], by=())
    [counted] = answered(bench.engine.read_states(whole, time_limit_seconds=60)).values()
    assert counted["all_readings"] == sum(each.time < seal for each in events)
    assert sum(int(str(each["all_readings"])) for each in kept.values()) == counted["all_readings"]
    assert probes(bench.engine) == before


def test_a_fold_under_way_brings_nothing_back(bench: Bench) -> None:
    bench.send(*some_readings(100))
    claim = bench.engine.claim(10**6)
    assert claim is not None
    folded = bench.engine.fold(claim)
    erase(bench.engine)
    bench.engine.replace(folded)
    bench.reference.events = [
        each for each in bench.reference.events if each.fields.get("probe") != "probe 3"
    ]
    bench.fold()
    bench.check_everything()


def test_refused_events_that_may_show_the_value_go(bench: Bench) -> None:
    samples = tuple(
        Sample("readings", tenant, "wrong_type", detail, {})
        for tenant, detail in (
            ("river", "anything"),
            ("hills", "field x: came 'probe 3'"),
            ("hills", "field x: came 'probe 4'"),
        )
    )
    bench.send(Sent(id="1"), Sent(id="2", tenant="hills"))
    bench.engine.append(Append((), (), NOON, (), samples))
    bench.engine.unname(ASKED)
    [left] = bench.engine.refused(SamplesAsked(limit=10))
    assert left.sample.detail == "field x: came 'probe 4'"


def test_a_value_that_nobody_has_sent(bench: Bench) -> None:
    bench.send(*some_readings(20))
    bench.fold()
    before = everything(bench.engine)
    assert [step.events for step in erase(bench.engine, replace(ASKED, value="no such probe"))] == [0]
    assert bench.fold() == 0
    assert everything(bench.engine) == before
