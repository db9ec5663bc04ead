"""Law 5: whatever changes events marks the ledger, and the work is in proportion to the change."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.gauges import NOON, Bench, Sent, ask, slots_of
from tests.laws.shelf import READINGS, SLOTS, Shelf, batches, content, of_tenant

from aforo.engines.folds import Period, Places
from aforo.windows import DAY, SLOT, Window, Zone, slot_of

ALL = Window(NOON - 400 * DAY, NOON + 400 * DAY)


def revisions(bench: Bench, tenant: str, days: Sequence[int]) -> list[int]:
    return [bench.engine.standing("readings", tenant, Window(day, day + SLOT)).revision for day in days]


@settings(max_examples=5)
@given(st.sampled_from(SLOTS), st.integers(0, 10_000))
def test_a_late_event_costs_its_slot_and_its_day(shelf: Shelf, slot: int, number: int) -> None:
    """Only that day's revision rises, only that slot's and that day's rows are written, for that tenant."""
    tenant, other = shelf.tenant(), shelf.tenant()
    zone = Zone(shelf.zone)
    bench = shelf.bench(tenant, other)
    early = [
        Sent(tenant=name, id=str(at), time=time, fields=content(at))
        for name in (tenant, other)
        for at, time in enumerate(SLOTS)
    ]
    bench.send(*early, stream=READINGS)
    bench.fold()
    days = sorted({zone.day_start(zone.date_of(time)) for time in SLOTS})
    before = revisions(bench, tenant, days), revisions(bench, other, days)
    late = Sent(tenant=tenant, id="late", time=slot + number, fields=content(number))
    bench.send(late, stream=READINGS)
    claim = bench.engine.claim(10**6)
    assert claim is not None
    assert claim.slots == Places.of({tenant: [slot_of(slot)]})
    folded = bench.engine.fold(claim)
    day = zone.day_start(zone.date_of(slot))
    assert folded.days == Places.of({tenant: [day]})
    assert {(each.period, *each.starts.starts.tolist()) for each in folded.periods} == {
        (Period.SLOT, slot_of(slot)),
        (Period.DAY, day),
    }
    tables = [each.rows for each in folded.periods]
    written = {start for part in tables for start in part["start"].cast("int64").to_pylist()}
    assert written == {slot_of(slot), day}
    assert {name for part in tables for name in part["tenant"].to_pylist()} == {tenant}
    # It read that day's events at most, and of a slot that is still written only what was new.
    of_day = sum(zone.day_start(zone.date_of(time)) == day for time in SLOTS) + 1
    assert folded.rows_read == 1 or folded.rows_read == of_day
    assert folded.rows_written <= folded.rows_read * len(tables)
    bench.engine.replace(folded)
    bench.reference.fold()
    after = revisions(bench, tenant, days), revisions(bench, other, days)
    assert after == ([count + (each == day) for each, count in zip(days, before[0], strict=True)], before[1])
    bench.check_everything(tenant, READINGS)


def test_no_age_is_too_late(shelf: Shelf) -> None:
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    bench.send(*of_tenant(tenant, [Sent(id="1")]), stream=READINGS)
    bench.fold()
    for years in (1, 10, 40):
        bench.send(*of_tenant(tenant, [Sent(id="1", time=NOON - years * 365 * DAY)]), stream=READINGS)
        assert bench.engine.dirty_slots() == 1
        bench.fold()
        extent = bench.engine.extent("readings", tenant)
        assert extent is not None
        for rollup in READINGS.rollups.values():
            bench.check(ask(READINGS, rollup, tenant=tenant, window=extent, zone=Zone(shelf.zone)))


def test_what_was_there_already_marks_nothing(shelf: Shelf) -> None:
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    for expected in (1, 0):
        bench.send(*of_tenant(tenant, [Sent(id="1")]), stream=READINGS)
        assert bench.engine.dirty_slots() == expected
        bench.fold()


CLAIM, READ, WRITE = "claim", "read", "write"


@settings(max_examples=10)
@given(st.lists(st.one_of(batches, st.sampled_from([CLAIM, READ, WRITE])), max_size=12))
def test_a_mark_made_during_a_fold_survives_it(shelf: Shelf, steps: list[list[Sent] | str]) -> None:
    """Appends fall between the claim, the reading and the writing of a fold in every way there is.

    A slot that holds what no fold has read is marked at every moment, and in the end all is true.
    """
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    claim = folded = None
    unread: set[int] = set()
    names: set[tuple[str, str, int]] = set()
    for step in steps:
        if isinstance(step, list):
            batch = [event for event in of_tenant(tenant, step) if event.name not in names]
            names |= {event.name for event in batch}
            unread |= set(slots_of(batch))
            bench.send(*of_tenant(tenant, step), stream=READINGS)
        elif step == CLAIM:
            if claim is not None:
                bench.engine.release(claim)
            claim, folded = bench.engine.claim(3), None
        elif step == READ and claim is not None:
            folded = bench.engine.fold(claim)
            unread -= set(claim.slots.starts.tolist())
        elif step == WRITE and folded is not None:
            bench.engine.replace(folded)
            claim = folded = None
        waiting = bench.engine.standing("readings", tenant, ALL).dirty_from
        assert not unread or (waiting is not None and waiting <= min(unread))
    if claim is not None:
        bench.engine.release(claim)
    bench.fold()
    if names:
        bench.check_everything(tenant, READINGS)
