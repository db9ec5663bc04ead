"""How every engine marks windows to be folded again, and says when that is answered."""

from __future__ import annotations

from tests.engines.gauges import NOON, Bench, Sent, fold_once

from aforo.engines.builds import Held
from aforo.engines.keeping import PurgeAsked
from aforo.windows import DAY, SLOT, Window, slot_of

START = slot_of(NOON)
DAYS = Window(START - DAY, START + DAY)


def filled(bench: Bench) -> Bench:
    """Two events in each of six slots of one tenant, and one of another's."""
    bench.send(*(Sent(id=f"{at}{twin}", time=NOON + at * SLOT) for at in range(6) for twin in "ab"))
    bench.send(Sent(id="1", tenant="hills"))
    bench.fold()
    return bench


def test_a_window_tells_what_it_holds_and_nothing_of_others(bench: Bench) -> None:
    engine = filled(bench).engine
    assert engine.tenants_of("readings") == ("hills", "river")
    assert engine.tenants_of("visits") == ()
    assert engine.held("readings", "river", DAYS) == Held(6, 12)
    assert engine.held("readings", "hills", DAYS) == Held(1, 1)
    assert engine.held("readings", "river", Window(START + SLOT, START + 3 * SLOT)) == Held(2, 4)
    assert engine.held("readings", "river", Window(START - DAY, START)) == Held(0, 0)


def test_the_newest_slots_are_marked_first_and_whole(bench: Bench) -> None:
    engine = filled(bench).engine
    marked = engine.mark("readings", "river", DAYS, 5)
    assert marked is not None
    assert (marked.start, marked.slots, marked.events) == (START + 4 * SLOT, 2, 4)
    assert engine.dirty_slots() == 2
    one = engine.mark("readings", "river", Window(START, marked.start), 1)
    assert one is not None
    assert (one.start, one.slots, one.events) == (START + 3 * SLOT, 1, 2)
    assert engine.mark("readings", "river", Window(START - DAY, START), 5) is None
    bench.fold()
    bench.check_everything()


def test_marks_are_answered_by_a_fold_and_not_by_what_comes_meanwhile(bench: Bench) -> None:
    engine = filled(bench).engine
    marked = engine.mark("readings", "river", DAYS, 100)
    assert marked is not None
    window = Window(marked.start, DAYS.end)
    assert not engine.answered("readings", "river", window, marked.commit)
    claim = engine.claim(100)
    assert claim is not None
    folded = engine.fold(claim)
    bench.send(Sent(id="late", time=NOON))
    engine.replace(folded)
    assert engine.answered("readings", "river", window, marked.commit)
    assert engine.dirty_slots() == 1
    assert fold_once(engine)


def test_what_is_sealed_is_neither_told_nor_marked(bench: Bench) -> None:
    engine = filled(bench).engine
    bench.send(Sent(id="old", time=NOON - DAY))
    bench.fold()
    today = engine.zone("river").day_start(engine.zone("river").date_of(NOON))
    engine.purge(PurgeAsked("readings", "river", events_before=today, slots_before=0, most_rows=100))
    wide = Window(START - 2 * DAY, DAYS.end)
    assert engine.held("readings", "river", wide) == Held(6, 12)
    marked = engine.mark("readings", "river", wide, 100)
    assert marked is not None
    assert marked.start == START
    assert engine.mark("readings", "river", Window(START - 2 * DAY, START - DAY), 100) is None


def test_a_fold_that_has_read_before_answers_no_mark(bench: Bench) -> None:
    """It may have merged what came into what is kept, and the mark asks for all of it anew."""
    engine = filled(bench).engine
    bench.send(Sent(id="more", time=NOON))
    claim = engine.claim(100)
    assert claim is not None
    folded = engine.fold(claim)
    marked = engine.mark("readings", "river", DAYS, 100)
    assert marked is not None
    engine.replace(folded)
    assert not engine.answered("readings", "river", Window(marked.start, DAYS.end), marked.commit)
    bench.fold()
    assert engine.answered("readings", "river", Window(marked.start, DAYS.end), marked.commit)
    bench.check_everything()
