"""Slots that are still written: only what is new is read, and all is as if everything had been."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from tests.engines.conftest import Opens
from tests.engines.gauges import MODEL, NOON, READINGS, Bench, Sent, fold_once, some_readings

from aforo.engines.engine import Engine
from aforo.engines.folds import Folded, Places
from aforo.errors import ClaimLost
from aforo.model.stream import Stream
from aforo.windows import DAY, SLOT, Window

HOUR = Window(NOON, NOON + 4 * SLOT)


def fold(engine: Engine) -> Folded:
    claim = engine.claim(10**6)
    assert claim is not None
    folded = engine.fold(claim)
    engine.replace(folded)
    return folded


def in_slot(count: int, seed: int, **more: object) -> list[Sent]:
    """Readings of the slot that begins at noon."""
    found = some_readings(count, seed=seed, around=NOON + SLOT // 2, spread=SLOT // 2)
    return [replace(each, **more) for each in found]  # type: ignore[arg-type]


def test_what_a_fold_reads_does_not_grow_while_a_slot_fills(bench: Bench) -> None:
    """Law 5: the cost of an event is the same in a full slot and in an empty one, for slots and for days."""
    bench.send(*some_readings(200, seed=99), arrival=NOON)
    bench.fold()
    read, written = [], []
    for seed in range(6):
        bench.send(*in_slot(20, seed), arrival=NOON + seed)
        folded = fold(bench.engine)
        read.append(folded.rows_read)
        written.append(folded.rows_written)
        bench.reference.fold()
    assert read[1:] == [20] * 5
    assert max(written[1:]) <= 2 * min(written[1:])
    bench.check_everything()


def test_a_day_of_many_rows_is_not_written_again_for_one_event(bench: Bench) -> None:
    """Of slot and day only the rows of its own split, in each rollup."""
    bench.send(*in_slot(300, 1), arrival=NOON)
    bench.fold()
    bench.send(Sent(id="one", fields={"station": "north", "gate": 1, "probe": "probe 1"}), arrival=NOON)
    folded = fold(bench.engine)
    assert folded.rows_read == 1
    assert {each.rows.num_rows for each in folded.periods} == {1}
    bench.reference.fold()
    bench.check_everything()


def test_tenants_are_merged_and_replaced_side_by_side(bench: Bench) -> None:
    """One whose slot is held, one whose old slot is late, one who is new, in one claim."""
    bench.send(*in_slot(30, 1), *in_slot(30, 2, tenant="hills"), arrival=NOON)
    bench.send(*some_readings(30, seed=3, tenant="hills", around=NOON - 2 * DAY), arrival=NOON)
    bench.fold()
    bench.send(*in_slot(10, 4), *in_slot(10, 5, tenant="plain"), arrival=NOON)
    bench.send(*some_readings(3, seed=6, tenant="hills", around=NOON - 2 * DAY), arrival=NOON)
    assert len(np.unique(fold(bench.engine).claim.slots.tenants)) == 3
    bench.fold()
    for tenant in ("river", "hills", "plain"):
        bench.check_everything(tenant)


def test_a_slot_that_was_marked_otherwise_is_made_anew(bench: Bench) -> None:
    """A mark that no append has made: what is kept is not merged with, before and after more has come."""
    bench.send(*in_slot(30, 1), arrival=NOON)
    bench.fold()
    for turn in range(3):
        if turn:
            bench.send(*in_slot(5, 10 + turn), arrival=NOON)
        bench.engine.mark("readings", "river", HOUR, 1_000)
        if turn == 2:
            bench.send(*in_slot(5, 20), arrival=NOON)
        folded = fold(bench.engine)
        assert folded.rows_read >= 30
        bench.reference.fold()
        bench.check_everything()
        assert bench.engine.claim(10) is None


def test_a_quiet_slot_is_settled_by_one_replace(bench: Bench) -> None:
    """But for the one of the hills, which one fold has made from all of its events."""
    bench.send(*in_slot(10, 7, tenant="hills"), arrival=NOON)
    for seed in range(3):
        bench.send(*in_slot(10, seed), arrival=NOON)
        bench.fold()
    assert bench.engine.claim(10) is None
    # Time goes on: something comes a slot later.
    bench.send(Sent(id="later", time=NOON + 2 * SLOT), arrival=NOON + 2 * SLOT)
    fold(bench.engine)
    claim = bench.engine.claim(10)
    assert claim is not None
    assert claim.settling
    assert claim.slots == Places.of({"river": [NOON]})
    folded = bench.engine.fold(claim)
    assert folded.rows_read >= 30
    assert not folded.held.any()
    bench.engine.replace(folded)
    assert bench.engine.claim(10) is None
    bench.reference.fold()
    bench.check_everything()
    # What comes late into either is folded as into any other slot.
    bench.send(*in_slot(2, 50), *in_slot(2, 51, tenant="hills"), arrival=NOON + 3 * SLOT)
    late = fold(bench.engine)
    assert (late.merged == late.held).all()
    assert late.rows_read >= 30 + 10
    bench.reference.fold()
    bench.check_everything()
    bench.check_everything("hills")


def test_two_folds_of_a_held_slot_count_nothing_twice(bench: Bench) -> None:
    """Both have read the same new events; whichever comes second is refused."""
    bench.send(*in_slot(20, 1), arrival=NOON)
    bench.fold()
    bench.send(*in_slot(5, 2), arrival=NOON)
    claim = bench.engine.claim(100)
    assert claim is not None
    one, other = bench.engine.fold(claim), bench.engine.fold(claim)
    bench.engine.replace(one)
    bench.send(*in_slot(5, 3), arrival=NOON)
    with pytest.raises(ClaimLost):
        bench.engine.replace(other)
    bench.fold()
    bench.check_everything()


def test_a_day_that_is_made_anew_leaves_to_a_held_slot_what_it_will_merge(bench: Bench) -> None:
    """The day of a rollup without slots is read whole, but for what no fold of its slot has read yet."""
    bench.send(*in_slot(20, 1), arrival=NOON)
    bench.fold()
    bench.send(*in_slot(5, 2), Sent(id="beside", time=NOON + SLOT), arrival=NOON)
    for start in (NOON + SLOT, NOON):
        claim = bench.engine.claim(100)
        assert claim is not None
        part = replace(claim, slots=claim.slots.only(claim.slots.starts == start))
        bench.engine.replace(bench.engine.fold(part))
    assert bench.engine.claim(100) is None
    bench.reference.fold()
    bench.check_everything()


FINE = replace(READINGS, rollups={name: READINGS.rollups[name] for name in ("whole", "gates")})


@pytest.mark.parametrize("stream", [READINGS, FINE])
def test_any_course_of_part_claims_gives_the_same(opens: Opens, stream: Stream) -> None:
    """Parts of claims, in any order, so that days hold slots that are held, dirty, both and neither.

    Without a rollup whose finest grain is the day, slots are merged in days that are made anew.
    """
    model = replace(MODEL, streams={**MODEL.streams, "readings": stream})
    bench = Bench(opens(model), model)
    dice = random.Random(7)
    for turn in range(25):
        spread = dice.choice([SLOT, 2 * SLOT, DAY])
        tenant = dice.choice(["river", "hills"])
        sent = some_readings(dice.randrange(1, 8), seed=turn, tenant=tenant, around=NOON, spread=spread)
        bench.send(*sent, stream=stream, arrival=NOON + dice.choice([0, turn * SLOT // 4]))
        for _ in range(dice.randrange(3)):
            claim = bench.engine.claim(dice.choice([1, 5, 100]))
            if claim is not None:
                chosen = np.array([dice.random() < 0.6 for _ in range(len(claim.slots))])
                if chosen.any():
                    part = replace(claim, slots=claim.slots.only(chosen))
                    bench.engine.replace(bench.engine.fold(part), rows_at_once=dice.choice([None, 1]))
                bench.engine.release(claim)
    while fold_once(bench.engine):
        pass
    bench.reference.fold()
    bench.check_everything(stream=stream)
    bench.check_everything("hills", stream)
