"""A clock that is set back and forward loses nothing, doubles nothing, and leaves rollups that are true."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.gauges import NOON, Sent, answered, ask, fold_once
from tests.laws.shelf import READINGS, Desk, Shelf, as_json, content

from aforo.windows import DAY, Window, Zone, slot_of

HOUR = DAY // 24
START = NOON + 400 * DAY
ALL = Window(NOON - DAY, START + 30 * DAY)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    shelf = Shelf(Path(tmp_path_factory.mktemp("clock")), "America/New_York")
    yield shelf
    shelf.engine.close()


def untimed(tenant: str, number: int) -> dict[str, object]:
    event = as_json(Sent(tenant=tenant, id=str(number), fields=content(number)))
    return {name: value for name, value in event.items() if name != "time"}


def counted(shelf: Shelf, tenant: str, *, folded: bool) -> object:
    """How many there are and what they sum up to, by rollup or by the events themselves."""
    rollup = READINGS.rollups["stations"] if folded else None
    request = ask(READINGS, rollup, tenant=tenant, window=ALL, zone=Zone(shelf.zone), by=("station",))
    return answered(shelf.engine.read_states(request, time_limit_seconds=60))


@pytest.mark.parametrize("seed", range(3))
def test_ids_without_a_time_are_known_again_on_both_sides_of_a_step(shelf: Shelf, seed: int) -> None:
    dice, desk, tenant = random.Random(seed), Desk.of(shelf), shelf.tenant()
    seen: set[int] = set()
    for _ in range(12):
        shelf.clock.set(START + dice.randrange(-10 * HOUR, 10 * HOUR))
        numbers = [dice.randrange(40) for _ in range(8)]
        receipt = desk.take([untimed(tenant, number) for number in numbers])
        new = set(numbers) - seen
        assert (receipt.accepted, receipt.duplicates) == (len(new), len(numbers) - len(new))
        seen |= new
        if dice.random() < 0.4:
            fold_once(shelf.engine)
    while fold_once(shelf.engine):
        pass
    assert shelf.engine.estimate_raw("readings", tenant, ALL) == len(seen)
    assert counted(shelf, tenant, folded=True) == counted(shelf, tenant, folded=False)


def test_after_a_day_by_whatever_clock_an_id_without_a_time_is_another_event(shelf: Shelf) -> None:
    desk, tenant = Desk.of(shelf), shelf.tenant()
    for hours, accepted in ((0, 1), (23, 0), (-23, 0), (25, 1), (2, 0), (-25, 1)):
        shelf.clock.set(START + hours * HOUR)
        assert desk.take([untimed(tenant, 1)]).accepted == accepted


def test_what_a_clock_that_is_behind_takes_for_the_future_is_refused_and_taken_later(shelf: Shelf) -> None:
    desk, tenant = Desk.of(shelf), shelf.tenant()
    event = as_json(Sent(tenant=tenant, id="1", time=START, fields=content(1)))
    shelf.clock.set(START - 2 * HOUR)
    receipt = desk.take([event])
    assert [refusal.code for refusal in receipt.refused] == ["in_future"]
    shelf.clock.set(START)
    assert desk.take([event]).accepted == 1
    shelf.clock.set(START - HOUR // 10)
    assert desk.take([event]).duplicates == 1


def test_commits_are_numbered_in_order_whatever_the_clock_says(shelf: Shelf) -> None:
    """A fold answers the marks it has read, and no later one, though that was made at an earlier time."""
    desk, tenant = Desk.of(shelf), shelf.tenant()
    while fold_once(shelf.engine):
        pass
    shelf.clock.set(START)
    desk.take([as_json(Sent(tenant=tenant, id="1", time=START - HOUR))])
    claim = shelf.engine.claim(10**6)
    assert claim is not None
    folded = shelf.engine.fold(claim)
    shelf.clock.set(START - 20 * HOUR)
    desk.take([as_json(Sent(tenant=tenant, id="2", time=START - 20 * HOUR))])
    shelf.engine.replace(folded)
    standing = shelf.engine.standing("readings", tenant, ALL)
    assert standing.dirty_from == slot_of(START - 20 * HOUR)
    assert standing.unfolded_since == START - 20 * HOUR
    while fold_once(shelf.engine):
        pass
    assert counted(shelf, tenant, folded=True) == counted(shelf, tenant, folded=False)
