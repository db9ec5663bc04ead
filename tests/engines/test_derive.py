"""Sessions and first sightings follow from the events that are kept, whatever came when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.derived import FIRSTS, MODEL, SESSIONS, YAML, Row, Site, at, hit
from tests.engines.gauges import fold_once
from tests.faults.points import Strike, Struck, fail, watch

from aforo.engines.folds import Derived
from aforo.engines.keeping import ErasureAsked, PurgeAsked
from aforo.errors import ModelConflict
from aforo.model.reading import read_model
from aforo.windows import SLOT, Window


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def begun(site: Site) -> list[tuple[object, int]]:
    return sorted((str(row.fields["visitor"]), row.time) for row in site.rows(SESSIONS))


def changed(derived: list[Derived], stream: str) -> list[int]:
    return [slot for each in derived if each.stream == stream for slot in each.changed.starts.tolist()]


def test_a_session_tells_its_first_and_last_page(site: Site) -> None:
    site.send(hit("ann", at("10:00"), "/"), hit("ann", at("10:10"), "/shop"), hit("ann", at("10:39"), None))
    site.fold()
    fields = {"visitor": "ann", "entry": "/", "pages": 2, "seconds": 2_340.0}
    assert site.rows(SESSIONS) == [Row(at("10:00"), fields)]
    assert site.rows(FIRSTS) == [Row(at("10:00"), {"visitor": "ann", "landing": "/"})]
    site.check()


def test_a_session_ends_after_the_gap_and_at_midnight(site: Site) -> None:
    times = at("10:00"), at("10:29"), at("10:59"), at("23:50"), at("00:05", "2013-03-10")
    site.send(*(hit("ann", time, "/") for time in times))
    site.fold()
    assert begun(site) == [("ann", time) for time in (times[0], *times[2:])]
    site.check()


def test_a_late_event_joins_two_sessions_and_touches_their_slots_alone(site: Site) -> None:
    site.send(hit("ann", at("10:00"), "/a"), hit("ann", at("10:50"), "/c"), hit("bob", at("12:00"), "/"))
    site.fold()
    assert begun(site) == [("ann", at("10:00")), ("ann", at("10:50")), ("bob", at("12:00"))]
    site.send(hit("ann", at("10:25"), "/b"))
    derived = site.derive()
    assert begun(site) == [("ann", at("10:00")), ("bob", at("12:00"))]
    assert changed(derived, "sessions") == site.dirty(SESSIONS) == [at("10:00"), at("10:45")]
    assert changed(derived, "firsts") == site.dirty(FIRSTS) == []
    site.fold()
    site.check()


def test_a_late_event_that_changes_nothing_touches_nothing(site: Site) -> None:
    site.send(hit("ann", at("10:00"), "/"), hit("ann", at("10:20"), "/"))
    site.fold()
    site.send(hit("ann", at("10:10"), None), hit("bob", at("11:00"), "/", bot=True))
    assert changed(site.derive(), "sessions") == []
    assert site.engine.claim(10**6) is not None


def test_a_first_sighting_moves_back(site: Site) -> None:
    site.send(hit("ann", at("10:00"), "/late"), hit("bob", at("10:00"), "/"))
    site.fold()
    site.send(hit("ann", at("09:00", "2013-02-09"), "/early"), hit("bob", at("11:00"), "/"))
    assert changed(site.derive(), "firsts") == [at("09:00", "2013-02-09"), at("10:00")]
    site.fold()
    site.check()


def test_of_two_first_events_at_once_the_lower_id_counts_whichever_came_first(site: Site) -> None:
    site.send(hit("ann", at("10:00"), "/b"))
    site.fold()
    site.send(hit("ann", at("10:00"), "/a"))
    site.fold()
    assert site.rows(FIRSTS) == [Row(at("10:00"), {"visitor": "ann", "landing": "/a"})]
    site.check()


def test_tenants_are_apart(site: Site) -> None:
    site.send(*(hit("ann", at("23:40"), "/", tenant=tenant) for tenant in ("site", "other")))
    site.send(*(hit("ann", at("00:10", "2013-03-10"), "/", tenant=tenant) for tenant in ("other", "third")))
    site.fold()
    for tenant in ("site", "other", "third"):
        site.check(tenant)


def test_portions_come_to_the_same(site: Site) -> None:
    days = [f"2013-03-{day:02}" for day in range(1, 29)]
    site.send(*(hit(f"v{n % 5}", at("10:00", day) + n * SLOT, f"/{n}") for n in range(20) for day in days))
    assert len(site.derive(max_rows=50)) > 10
    site.fold()
    site.check()


def test_what_is_not_derived_yet_is_not_said_to_be_complete(site: Site) -> None:
    site.send(hit("ann", at("10:00"), "/"))
    site.fold()
    day = Window(at("00:00"), at("00:00", "2013-03-10"))
    assert site.engine.standing("sessions", "site", day).dirty_from is None
    site.send(hit("ann", at("12:00"), "/"), arrival=at("13:00"))
    for _ in ("pending", "landed"):
        sessions = site.engine.standing("sessions", "site", day)
        assert (sessions.dirty_from, sessions.unfolded_since) == (day.start, at("13:00"))
        firsts = site.engine.standing("firsts", "site", Window(at("11:00"), at("18:00")))
        assert firsts.dirty_from == at("12:00")
        later = Window(at("00:00", "2013-03-11"), at("00:00", "2013-03-12"))
        assert site.engine.standing("sessions", "site", later).dirty_from is None
        assert site.engine.standing("firsts", "site", later).dirty_from == later.start
        assert site.engine.dirty_slots() >= 2
    site.derive()
    assert site.engine.standing("sessions", "site", day).dirty_from == at("12:00")
    site.fold()
    assert site.engine.standing("sessions", "site", day).dirty_from is None


def test_a_fold_that_read_before_does_not_answer_what_was_derived_after(site: Site) -> None:
    site.send(hit("ann", at("10:00"), "/"))
    site.derive()
    claim = site.engine.claim(10**6)
    while claim is not None and claim.stream != "sessions":
        site.engine.replace(site.engine.fold(claim))
        claim = site.engine.claim(10**6)
    assert claim is not None
    folded = site.engine.fold(claim)
    site.send(hit("ann", at("10:01"), "/b"))
    site.derive()
    site.engine.replace(folded)
    site.fold()
    site.check()


def test_what_is_derived_differently_is_derived_again(site: Site) -> None:
    site.send(hit("ann", at("10:00"), "/a"), hit("ann", at("10:40"), "/b"), hit("bob", at("12:00"), "/"))
    site.fold()
    assert len(begun(site)) == 3
    site.reopen(read_model(YAML.replace("gap_minutes: 30", "gap_minutes: 60"), source="other.yaml"))
    assert site.engine.standing("sessions", "site", Window(at("09:00"), at("13:00"))).dirty_from is not None
    site.fold()
    assert begun(site) == [("ann", at("10:00")), ("bob", at("12:00"))]
    site.reopen(read_model(YAML, source="derived.yaml"))
    site.fold()
    site.check()


def test_what_was_left_out_and_comes_back_is_brought_up_to_date(site: Site) -> None:
    site.send(hit("ann", at("10:00"), "/a"))
    site.fold()
    alone = YAML[: YAML.index("  sessions:\n")] + "metrics: {}\n"
    site.reopen(read_model(alone, source="alone.yaml"))
    site.send(hit("ann", at("10:10"), "/b"))
    site.fold()
    site.reopen(read_model(YAML, source="derived.yaml"))
    site.fold()
    site.check()


def test_events_that_were_sent_do_not_become_derived(site: Site) -> None:
    site.send(hit("ann", at("10:00"), "/a"))
    other = YAML.replace(
        "  firsts:\n    derive: {firsts: {from: requests,", "  r2:\n    derive: {firsts: {from: sent,"
    )
    other = other.replace("  requests:\n", "  sent:\n").replace("from: requests", "from: sent")
    other = other.replace("  r2:\n", "  requests:\n")
    with pytest.raises(ModelConflict, match="requests has events that were sent"):
        site.reopen(read_model(other, source="other.yaml"))


def test_what_is_erased_is_derived_no_more(site: Site) -> None:
    site.send(hit("ann", at("10:00"), "/a"), hit("ann", at("12:00"), "/b"), hit("bob", at("10:00"), "/"))
    site.fold()
    asked = ErasureAsked("e1", "site", "visitor", "ann")
    site.engine.unname(asked)
    while site.engine.erase("e1", "site", 1).more:
        site.derive()
    site.fold()
    assert not site.engine.waits("site", "visitor", 10**6)
    site.events = {name: event for name, event in site.events.items() if event.fields["visitor"] != "ann"}
    site.check()


def test_days_of_another_zone_end_sessions_elsewhere(site: Site) -> None:
    site.send(hit("ann", at("23:50"), "/a"), hit("ann", at("00:05", "2013-03-10"), "/b"))
    site.fold()
    assert len(begun(site)) == 2
    site.reopen(read_model(YAML.replace("America/New_York", "Asia/Kathmandu"), source="moved.yaml"))
    site.fold()
    assert begun(site) == [("ann", at("23:50"))]
    site.check()


def test_what_is_purged_stays_derived(site: Site) -> None:
    site.send(hit("ann", at("10:00", "2013-02-01"), "/a"), hit("ann", at("12:00"), "/b"))
    site.send(hit("bob", at("13:00"), "/"))
    before = at("00:00")
    asked = PurgeAsked("requests", "site", before, 0, 10**6)
    assert site.engine.purge(asked).events == 0, "what waits to be derived is not purged"
    site.derive()
    while fold_once(site.engine, 10**6):
        pass
    assert site.engine.purge(asked).events == 1
    site.send(hit("ann", at("12:10"), "/c"), hit("cleo", at("12:10"), "/c"))
    site.fold()
    site.check()


def test_a_derivation_that_ends_anywhere_is_made_good_by_the_next(site: Site) -> None:
    """Law 1 and 3: struck before and after each thing that its write asks of DuckDB.

    Each strike has a visitor and a day of its own, so that no later mark makes up for one that it lost.
    """
    days = [f"2013-{month:02}-{day:02}" for month in (1, 2) for day in range(1, 29)]
    site.send(*(hit(day, at("10:00", day), "/") for day in days))
    site.fold()
    struck = 0
    for number, day in enumerate(days):
        site.send(hit(day, at("09:00", day), "/early"), hit(day, at("10:10", day), "/late"))
        site.engine.dirty_slots()  # has both land, so that only what is derived is written
        watched = watch(site.engine)
        watched.at = strike = Strike(number, fail)
        try:
            site.derive()
        except Struck:
            struck += 1
        finally:
            watched.leave()
        if strike.reached < number:
            break
        site.derive()
    assert len(days) > struck > 20, "every point was struck"
    site.fold()
    site.check()


def test_a_model_says_by_its_version_what_is_derived() -> None:
    others = (
        ("gap_minutes: 30", "gap_minutes: 31"),
        ("last: path", "first: path"),
        ('"bot = false"', '"bot = true"'),
    )
    versions = {read_model(YAML.replace(*other), source="other.yaml").version for other in others}
    assert len(versions | {MODEL.version}) == 4


def test_what_is_derived_for_another_entity_takes_the_place_of_the_old(site: Site) -> None:
    site.send(hit("ann", at("10:00"), "/a"), hit("bob", at("10:10"), "/a"), hit("ann", at("12:00"), "/b"))
    site.fold()
    paths = YAML.replace("entities: {visitor: visitor}", "entities: {visitor: visitor, page: path}")
    paths = paths.replace(
        "sessions: {from: requests, entity: visitor,", "sessions: {from: requests, entity: page,"
    )
    paths = paths.replace("people: {distinct: visitor}", "people: {distinct: page}", 1)
    site.reopen(read_model(paths, source="paths.yaml"))
    site.fold()
    rows = [(row.time, row.fields["path"]) for row in site.rows(site.model.streams["sessions"])]
    assert rows == [(at("10:00"), "/a"), (at("12:00"), "/b")]
    site.reopen(read_model(YAML, source="derived.yaml"))
    site.fold()
    site.check()
