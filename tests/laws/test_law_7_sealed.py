"""Law 7: purging changes no rollup, and what is older than the seal is refused, by index, and counted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.gauges import NOON, Bench, Sent, answered, ask, fold_once
from tests.laws.shelf import MODEL, READINGS, SLOTS, Desk, Shelf, as_json, batches, content, of_tenant

from aforo.engines.folds import Period
from aforo.engines.keeping import PurgeAsked, Purged
from aforo.errors import ClaimLost, NotServable
from aforo.model.rollup import RollupGrain
from aforo.questions.ask import Desk as Questions
from aforo.questions.asked import Asked
from aforo.questions.planned import Planned
from aforo.questions.question import Question
from aforo.settings import Settings
from aforo.telemetry import Telemetry
from aforo.windows import DAY, SLOT, Grain, Window, Zone, slot_of

ALL = Window(NOON - 10 * DAY, NOON + 10 * DAY)


def rollups_of(bench: Bench, tenant: str) -> list[object]:
    """Everything that the rollups say, by each of their grains."""
    zone = bench.engine.zone(tenant)
    told: list[object] = []
    for rollup in READINGS.rollups.values():
        periods = (Period.DAY,) if rollup.grain is RollupGrain.DAY else (Period.SLOT, Period.DAY)
        for period in periods:
            grain = Grain.DAY if period is Period.DAY else Grain.SLOT
            request = ask(
                READINGS,
                rollup,
                tenant=tenant,
                by=rollup.dimensions,
                zone=zone,
                window=ALL,
                grain=grain,
                period=period,
            )
            told.append(answered(bench.engine.read_states(request, time_limit_seconds=60)))
    return told


def purge(bench: Bench, tenant: str, before: int, *, slots_before: int = 0, rows: int = 10**6) -> Purged:
    return bench.engine.purge(PurgeAsked("readings", tenant, before, slots_before, rows))


def desk(shelf: Shelf) -> Questions:
    return Questions(shelf.engine, MODEL, Settings(), shelf.clock, Telemetry())


@settings(max_examples=8)
@given(st.lists(batches, min_size=1, max_size=3), st.sampled_from(SLOTS), st.integers(1, 5), batches)
def test_purging_changes_no_rollup_ever(
    shelf: Shelf, sent: Sequence[Sequence[Sent]], before: int, rows: int, late: Sequence[Sent]
) -> None:
    """Whatever is purged in whatever steps, and whatever comes and is folded afterwards."""
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    for batch in sent:
        bench.send(*of_tenant(tenant, batch), stream=READINGS)
    bench.fold()
    whole = rollups_of(bench, tenant)
    while purge(bench, tenant, before, rows=rows).more:
        assert rollups_of(bench, tenant) == whole
    assert rollups_of(bench, tenant) == whole
    seal = bench.engine.seal("readings", tenant).events_from
    again = of_tenant(tenant, late)
    bench.send(*again, stream=READINGS)
    assert bench.engine.standing("readings", tenant, Window(0, max(1, seal))).dirty_from is None
    bench.fold()
    shelf.reopen()
    bench.engine = shelf.engine
    kept = [one for batch in sent for one in of_tenant(tenant, batch)]
    fresh = [one for one in again if one.time >= seal]
    oracle = shelf.tenant()
    twin = shelf.bench(oracle)
    twin.send(*of_tenant(oracle, [*kept, *fresh]), stream=READINGS)
    twin.fold()
    assert rollups_of(bench, tenant) == rollups_of(twin, oracle)


def test_what_is_older_than_the_seal_is_refused_by_index_and_counted(shelf: Shelf) -> None:
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    old, new = Sent(tenant=tenant, id="old", time=SLOTS[0]), Sent(tenant=tenant, id="new", time=SLOTS[-1])
    bench.send(old, new, stream=READINGS)
    bench.fold()
    seal = purge(bench, tenant, SLOTS[-1]).seal.events_from
    zone = Zone(shelf.zone)
    assert seal == zone.day_start(zone.date_of(SLOTS[-1])), "the seal is the start of a day of the tenant"
    other = shelf.tenant()
    brought = [
        as_json(new),
        as_json(old),
        as_json(Sent(tenant=tenant, id="later", time=seal)),
        as_json(Sent(tenant=other, id="later", time=SLOTS[0])),
        as_json(Sent(tenant=tenant, id="sooner", time=seal - 1)),
    ]
    receipt = Desk.of(shelf).take(brought)
    assert (receipt.accepted, receipt.duplicates) == (2, 1)
    assert [(refusal.index, refusal.code) for refusal in receipt.refused] == [(1, "sealed"), (4, "sealed")]
    assert "purged" in receipt.refused[0].detail
    counted = desk(shelf).ask(
        Asked(tenant=tenant, metrics=("ingest_refused",), from_="2014-04-01", to="2014-05-01", by=("reason",))
    )
    assert [(row["reason"], row["ingest_refused"]) for row in counted.rows if row["reason"] == "sealed"] == [
        ("sealed", 2)
    ]


def test_a_day_that_waits_for_a_fold_is_not_purged(shelf: Shelf) -> None:
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    bench.send(
        *[Sent(tenant=tenant, id=str(at), time=time) for at, time in enumerate(SLOTS)], stream=READINGS
    )
    assert purge(bench, tenant, SLOTS[-1]) == Purged(0, 0, bench.engine.seal("readings", tenant), more=False)
    bench.fold()
    bench.send(Sent(tenant=tenant, id="late", time=SLOTS[2]), stream=READINGS)
    purged = purge(bench, tenant, SLOTS[-1])
    zone = Zone(shelf.zone)
    assert purged.seal.events_from == zone.day_start(zone.date_of(SLOTS[2]))
    assert purged.events > 0


def test_a_fold_that_was_claimed_before_a_purge_writes_nothing(shelf: Shelf) -> None:
    """Its slots were folded by another meanwhile, and purged: it would read nothing and write that."""
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    bench.fold()
    bench.send(Sent(tenant=tenant, id="1", time=SLOTS[0], fields=content(1)), stream=READINGS)
    claim = bench.engine.claim(10**6)
    assert claim is not None
    bench.engine.release(claim)
    assert fold_once(bench.engine)
    whole = rollups_of(bench, tenant)
    assert purge(bench, tenant, SLOTS[-1]).events == 1
    with pytest.raises(ClaimLost):
        bench.engine.replace(bench.engine.fold(claim))
    assert rollups_of(bench, tenant) == whole
    assert bench.engine.claim(10**6) is None


def test_slots_that_were_purged_leave_their_days(shelf: Shelf) -> None:
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    bench.send(
        *[Sent(tenant=tenant, id=str(at), time=time, fields=content(at)) for at, time in enumerate(SLOTS)],
        stream=READINGS,
    )
    bench.fold()
    asking = desk(shelf)
    days = Asked(tenant=tenant, metrics=("readings",), from_="2013-03-01", to="2013-03-20", grain=Grain.DAY)
    slots = Asked(
        tenant=tenant,
        metrics=("readings",),
        from_="2013-03-09T00:00:00Z",
        to="2013-03-11T00:00:00Z",
        grain=Grain.HOUR,
    )
    before = asking.ask(days)
    purged = purge(bench, tenant, SLOTS[-1], slots_before=SLOTS[-1])
    assert purged.slot_rows > 0
    assert purged.seal.slots_from == purged.seal.events_from
    after = asking.ask(days)
    assert after.rows == before.rows
    assert before.proof.as_json().get("sealedUntil") is None
    zone = Zone(shelf.zone)
    assert after.proof.as_json()["sealedUntil"] == zone.rfc3339(purged.seal.events_from)
    with pytest.raises(NotServable, match=r"whole days before.*purged") as refused:
        asking.ask(slots)
    assert "whole days" in refused.value.hint


def test_raw_events_below_the_seal_cannot_be_asked(shelf: Shelf) -> None:
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    bench.send(
        *[Sent(tenant=tenant, id=str(at), time=time) for at, time in enumerate(SLOTS)], stream=READINGS
    )
    bench.fold()
    seal = purge(bench, tenant, SLOTS[-1]).seal.events_from
    asking = desk(shelf)
    zone = Zone(shelf.zone)
    asked = Asked(
        tenant=tenant,
        metrics=("readings",),
        from_=zone.rfc3339(seal - 2 * SLOT),
        to=zone.rfc3339(slot_of(NOON) + 10 * DAY),
        by=("flow",),
    )
    with pytest.raises(NotServable, match=r"no rollup.*before .* were purged") as refused:
        asking.ask(asked)
    assert "declare a rollup" in refused.value.hint


class PurgedMeanwhile(Questions):
    """A desk beneath which everything is purged once it has planned."""

    bench: Bench

    def plan(self, question: Question, sets: tuple[str, ...] = (), seen: tuple[str, ...] = ()) -> Planned:
        planned = super().plan(question, sets, seen)
        purge(self.bench, question.tenant, SLOTS[-1])
        return planned


def test_events_that_are_purged_after_the_plan_are_not_taken_for_none(shelf: Shelf) -> None:
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    bench.send(
        Sent(tenant=tenant, id="old", time=SLOTS[0]),
        Sent(tenant=tenant, id="new", time=SLOTS[-1]),
        stream=READINGS,
    )
    bench.fold()
    asking = PurgedMeanwhile(shelf.engine, MODEL, Settings(), shelf.clock, Telemetry())
    asking.bench = bench
    asked = Asked(tenant=tenant, metrics=("readings",), from_="2013-01-01", to="2013-12-31", by=("flow",))
    with pytest.raises(NotServable, match=r"before .* were purged"):
        asking.ask(asked)
