"""How every engine claims, folds and replaces, and what it says of where that stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.engines.conftest import Opens
from tests.engines.gauges import (
    MODEL,
    NOON,
    READINGS,
    VISITS,
    Bench,
    Sent,
    ask,
    fold_once,
    slots_of,
    some_readings,
)

from aforo.engines.engine import Engine
from aforo.engines.folds import Claim, Period, Places
from aforo.errors import ClaimLost
from aforo.windows import DAY, SLOT, Window, Zone, slot_of

RIVER = Zone("America/New_York")
ALL = Window(NOON - 3 * DAY, NOON + 3 * DAY)
WHOLE = READINGS.rollups["whole"]
TODAY = Window(RIVER.day_start(RIVER.date_of(NOON)), RIVER.day_start(RIVER.date_of(NOON)) + DAY)


def claimed(engine: Engine, max_rows: int = 10**6) -> Claim:
    claim = engine.claim(max_rows)
    assert claim is not None
    return claim


def given_back(engine: Engine, max_rows: int) -> Claim:
    """What would be claimed; it may be claimed again."""
    claim = claimed(engine, max_rows)
    engine.release(claim)
    return claim


def slots_in(claim: Claim) -> dict[str, list[int]]:
    """What is claimed of each tenant."""
    return {tenant: starts.tolist() for tenant, starts in claim.slots.by_tenant().items()}


def revision(bench: Bench, window: Window = ALL, tenant: str = "river") -> int:
    return bench.engine.standing("readings", tenant, window).revision


def test_values_are_spread_over_the_places_they_are_of() -> None:
    """Also before 1970, where starts are negative; of what is none of the places nothing comes."""
    places = Places.of({"hills": [-DAY, 0], "river": [-DAY, DAY]})
    tenants = np.array(["river", "hills", "river", "hills"], np.object_)
    starts = np.array([-DAY, 0, 5 * DAY, -2 * DAY])
    assert places.spread(tenants, starts, np.array([7, 8, 9, 10]), otherwise=-1).tolist() == [-1, 8, 7, -1]
    nothing = np.empty(0, np.int64)
    assert places.spread(tenants[:0], nothing, nothing, otherwise=-1).tolist() == [-1] * 4


def test_nothing_is_claimed_where_nothing_is_dirty(bench: Bench) -> None:
    assert bench.engine.claim(10) is None
    bench.send(Sent(id="1"))
    bench.fold()
    bench.send(Sent(id="1"))
    assert bench.engine.claim(10) is None


def test_the_newest_slots_are_claimed_first_and_no_more_rows_than_asked(bench: Bench) -> None:
    """Two events a slot: a claim takes whole slots, and one even where that is more than was asked."""
    events = [Sent(id=f"{at}{twin}", time=NOON + at * SLOT) for at in range(6) for twin in "ab"]
    bench.send(*events)
    slots = slots_of(events)
    assert slots_in(given_back(bench.engine, 5)) == {"river": slots[-2:]}
    assert slots_in(given_back(bench.engine, 1)) == {"river": slots[-1:]}
    assert slots_in(given_back(bench.engine, 12)) == {"river": slots}
    taken: list[int] = []
    while (claim := bench.engine.claim(4)) is not None:
        taken += reversed(slots_in(claim)["river"])
        bench.engine.replace(bench.engine.fold(claim))
    assert taken == slots[::-1]


def test_a_claim_ends_between_two_days_unless_that_leaves_little(bench: Bench) -> None:
    for day, slots in ((0, 3), (1, 4)):
        bench.send(*(Sent(id=f"{day} {at}", time=NOON - day * DAY - at * SLOT) for at in range(slots)))
    sizes = []
    for most in (5, 3, 9):
        claim = bench.engine.claim(most)
        assert claim is not None
        sizes.append(len(claim.slots))
    assert sizes == [3, 3, 1], "a whole day, a part of one, and what is left"


def test_a_claim_is_of_one_stream_and_all_its_tenants_and_streams_take_turns(bench: Bench) -> None:
    noon = slot_of(NOON)
    for turn in range(2):
        bench.send(Sent(id=f"{turn}"), Sent(id=f"{turn}", tenant="hills", time=NOON + SLOT))
        bench.send(Sent(id=f"{turn}", time=NOON + 2 * SLOT), stream=VISITS)
    # What comes again at once keeps nobody from his turn.
    found = []
    for turn in range(4):
        claim = claimed(bench.engine)
        found.append((claim.stream, slots_in(claim)))
        bench.engine.replace(bench.engine.fold(claim))
        bench.send(Sent(id=f"more {turn}", time=NOON + 2 * SLOT), stream=VISITS)
    assert found == [
        ("readings", {"hills": [noon + SLOT], "river": [noon]}),
        ("visits", {"river": [noon + 2 * SLOT]}),
        ("visits", {"river": [noon + 2 * SLOT]}),
        ("visits", {"river": [noon + 2 * SLOT]}),
    ]


def test_no_tenant_waits_for_the_backlog_of_another(bench: Bench) -> None:
    """First what is filling now, then those of whom little waits, then the one that has waited longest."""
    old = [
        Sent(id=f"{at}", tenant=tenant, time=NOON - DAY - at * SLOT)
        for tenant in ("hills", "river")
        for at in range(40)
    ]
    bench.send(*old, arrival=NOON)
    bench.send(Sent(id="late", tenant="plain", time=NOON - 2 * DAY), arrival=NOON)
    bench.send(Sent(id="now", tenant="river"), arrival=NOON)
    first = slot_of(NOON - DAY)
    assert slots_in(given_back(bench.engine, 1)) == {"river": [slot_of(NOON)]}
    assert slots_in(given_back(bench.engine, 20)) == {
        "river": [slot_of(NOON)],
        "plain": [slot_of(NOON - 2 * DAY)],
        "hills": [first - at * SLOT for at in reversed(range(18))],
    }
    bench.fold(20)
    bench.check_everything()
    bench.check_everything("hills")
    bench.check_everything("plain")


def test_a_tenant_whose_history_is_loaded_without_an_end_lets_others_have_their_turn(bench: Bench) -> None:
    """Of hills a newer slot comes with every claim, so that its oldest wait for ever; river has its turns."""
    for tenant in ("hills", "river"):
        bench.send(*(Sent(id=f"{at}", tenant=tenant, time=NOON - 2 * DAY - at * SLOT) for at in range(8)))
    turns = []
    for turn in range(9):
        bench.send(Sent(id=f"more {turn}", tenant="hills", time=NOON - DAY + turn * SLOT))
        claim = claimed(bench.engine, 2)
        turns += slots_in(claim)
        bench.engine.replace(bench.engine.fold(claim))
    assert turns == ["hills", "river"] * 4 + ["hills"]
    bench.fold(2)
    bench.check_everything()
    bench.check_everything("hills")


def test_what_fills_without_an_end_leaves_a_turn_to_what_has_waited(bench: Bench) -> None:
    bench.send(Sent(id="late", tenant="plain", time=NOON - 2 * DAY), arrival=NOON)
    turns = []
    for turn in range(8):
        for tenant in ("hills", "river"):
            bench.send(Sent(id=f"{turn}", tenant=tenant), arrival=NOON)
        claim = claimed(bench.engine, 1)
        turns += slots_in(claim)
        bench.engine.replace(bench.engine.fold(claim))
    assert turns.index("plain") == 3
    assert turns.count("plain") == 1


def test_a_fold_writes_nothing_before_it_is_replaced(bench: Bench) -> None:
    bench.send(Sent(id="1"))
    folded = bench.engine.fold(claimed(bench.engine))
    request = ask(READINGS, WHOLE, window=ALL, zone=RIVER)
    assert bench.check(request) == {}
    assert bench.engine.dirty_slots() == 1
    bench.engine.replace(folded)
    bench.reference.fold()
    assert bench.check(request)[0, ()]["all_readings"] == 1


def test_a_fold_says_as_of_which_commit_it_read(bench: Bench) -> None:
    bench.send(*some_readings(5))
    commit = bench.send(*some_readings(5, seed=1))
    folded = bench.engine.fold(claimed(bench.engine))
    assert (folded.as_of, folded.rows_read) == (commit.number, 10)
    assert {each.rollup.name for each in folded.periods} == set(READINGS.rollups)
    assert [each.period for each in folded.periods if each.rollup.name == "wide"] == [Period.DAY]


def test_a_mark_made_during_a_fold_survives_it(bench: Bench) -> None:
    """The lost mark of design section 5: append after the fold has read, before it has written."""
    bench.send(Sent(id="1", fields={"flow": 1}))
    folded = bench.engine.fold(claimed(bench.engine))
    bench.send(Sent(id="2", fields={"flow": 2}))
    bench.engine.replace(folded)
    assert bench.engine.standing("readings", "river", ALL).dirty_from == slot_of(NOON)
    assert bench.engine.dirty_slots() == 1
    assert bench.fold() == 1
    bench.check_everything()
    assert bench.engine.dirty_slots() == 0


def test_a_mark_made_between_claim_and_fold_is_answered_by_it(bench: Bench) -> None:
    """The opposite order: the fold sees the later commit, which has landed, so nothing waits any more."""
    bench.send(Sent(id="1", fields={"flow": 1}))
    claim = claimed(bench.engine)
    later = bench.send(Sent(id="2", fields={"flow": 2}))
    assert bench.engine.dirty_slots() == 1
    folded = bench.engine.fold(claim)
    assert folded.as_of == later.number
    bench.engine.replace(folded)
    assert bench.engine.dirty_slots() == 0
    bench.reference.fold()
    bench.check_everything()


def test_a_mark_of_another_slot_survives_the_fold_of_this_one(bench: Bench) -> None:
    bench.send(Sent(id="1"))
    claim = claimed(bench.engine)
    bench.send(Sent(id="2", time=NOON + SLOT))
    bench.engine.replace(bench.engine.fold(claim))
    assert bench.engine.standing("readings", "river", ALL).dirty_from == slot_of(NOON) + SLOT
    bench.fold()
    bench.check_everything()


def test_the_same_fold_twice_changes_nothing(bench: Bench) -> None:
    bench.send(*some_readings(10))
    folded = bench.engine.fold(claimed(bench.engine))
    bench.engine.replace(folded)
    bench.reference.fold()
    with pytest.raises(ClaimLost):
        bench.engine.replace(folded)
    bench.fold()
    bench.check_everything()


def test_a_fold_that_was_overtaken_brings_nothing_old_back(bench: Bench) -> None:
    """Of two folds of one slot the one that read less comes last."""
    bench.send(Sent(id="1", fields={"flow": 1}))
    claim = given_back(bench.engine, 10)
    earlier = bench.engine.fold(claim)
    bench.send(Sent(id="2", fields={"flow": 2}))
    later = bench.engine.fold(claimed(bench.engine))
    bench.engine.replace(later)
    with pytest.raises(ClaimLost):
        bench.engine.replace(earlier)
    bench.fold()
    bench.check_everything()


def test_folds_of_two_slots_of_a_day_both_count_in_the_day(bench: Bench) -> None:
    """Neither has seen the other's slot: the day of whichever comes last must hold both."""
    bench.send(Sent(id="1", time=NOON), Sent(id="2", time=NOON - SLOT))
    one = bench.engine.fold(claimed(bench.engine, 1))
    other = bench.engine.fold(claimed(bench.engine))
    assert slots_in(other.claim) == {"river": [slot_of(NOON) - SLOT]}
    bench.engine.replace(one)
    bench.engine.replace(other)
    bench.fold()
    bench.check_everything()


def test_standing_tells_what_waits_in_a_window_and_since_when(bench: Bench) -> None:
    early, late = NOON - 2 * DAY, NOON
    first = bench.send(Sent(id="1", time=late), arrival=NOON + 5)
    second = bench.send(Sent(id="2", time=early), arrival=NOON + 9)
    assert second.number == first.number + 1
    standing = bench.engine.standing("readings", "river", ALL)
    assert (standing.commit, standing.dirty_from, standing.unfolded_since, standing.revision) == (
        second.number,
        slot_of(early),
        NOON + 5,
        0,
    )
    # A window that begins or ends within the dirty slot touches it.
    within = bench.engine.standing("readings", "river", Window(early + 1, early + 2))
    assert (within.dirty_from, within.unfolded_since) == (slot_of(early), NOON + 9)
    for outside in (Window(early + SLOT, late), Window(early - DAY, slot_of(early))):
        assert bench.engine.standing("readings", "river", outside).dirty_from is None
    assert bench.engine.standing("readings", "hills", ALL).dirty_from is None
    assert bench.engine.standing("visits", "river", ALL).dirty_from is None
    fold_once(bench.engine, 1)
    assert bench.engine.standing("readings", "river", ALL).unfolded_since == NOON + 9
    bench.fold()
    clean = bench.engine.standing("readings", "river", ALL)
    assert (clean.dirty_from, clean.unfolded_since, clean.revision) == (None, None, 2)


def test_a_revision_rises_with_every_fold_of_a_day_in_the_window(bench: Bench) -> None:
    bench.send(Sent(id="1"))
    assert revision(bench) == 0
    for count in (1, 2, 3):
        bench.fold()
        assert revision(bench) == revision(bench, TODAY) == count
        # The day's version is told of any part of the day, and not of other days.
        assert revision(bench, Window(TODAY.end - 1, TODAY.end)) == count
        assert revision(bench, Window(TODAY.end, TODAY.end + DAY)) == 0
        assert revision(bench, tenant="hills") == 0
        bench.send(Sent(id=f"more {count}", time=TODAY.start))


def test_a_late_event_is_folded_into_its_slot_and_day_alone(bench: Bench) -> None:
    """Law 5's cost: what one event changes is one slot and one day, of one tenant."""
    bench.send(*some_readings(60), *some_readings(20, seed=1, tenant="hills"))
    bench.fold()
    late = NOON - 2 * DAY
    bench.send(Sent(id="late", time=late))
    claim = claimed(bench.engine)
    folded = bench.engine.fold(claim)
    day = RIVER.day_start(RIVER.date_of(late))
    assert slots_in(claim) == {"river": [slot_of(late)]}
    assert folded.days == Places.of({"river": [day]})
    for each in folded.periods:
        assert each.starts == (claim.slots if each.period is Period.SLOT else folded.days)


def test_folding_in_any_portions_gives_the_same(opens: Opens) -> None:
    bench = Bench(opens())
    for number, portion in enumerate((1, 3, 100)):
        bench.send(*some_readings(6, seed=number, spread=DAY // 2))
        bench.fold(portion)
        bench.check_everything()


def test_a_stream_without_rollups_is_folded_to_nothing(opens: Opens) -> None:
    bare = replace(VISITS, rollups={})
    bench = Bench(opens(replace(MODEL, streams={"visits": bare})))
    bench.send(Sent(id="1"), stream=bare)
    assert bench.fold() == 1
    assert bench.engine.dirty_slots() == 0
