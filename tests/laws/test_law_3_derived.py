"""Law 3: what is derived is a function of the events too, whatever the order, the batches and the crashes.

Law 5: a late event has those slots of a derived stream folded again whose events became others, and no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.derived import FIRSTS, MINUTE, SESSIONS, Site, firsts_of, hit, sessions_of
from tests.engines.gauges import Sent, fold_once

from aforo.engines.embedded import deriving
from aforo.windows import Zone, parse_date, slot_of

# The clocks go forward at midnight, at two and by half an hour, and back; days of 23, 24, 24.5 and 25 hours.
ZONES = {
    "America/New_York": "2013-03-10",
    "America/Santiago": "2013-09-08",
    "Australia/Lord_Howe": "2013-04-07",
    "Asia/Kathmandu": "2013-11-03",
}
FOLD, DERIVE, PORTION = "derive and fold everything", "derive a portion", "fold a portion"
LOST, LOST_FOLD, AGAIN = "derive and crash before writing", "fold and crash before replacing", "open again"

# Minutes from an hour and a half before a midnight, of the day before the clocks change, of it and after it.
moments = st.tuples(st.integers(0, 2), st.integers(0, 36).map(lambda fives: fives * 5 * MINUTE))
requests = st.tuples(
    st.sampled_from(("ann", "bob", None)), moments, st.sampled_from(("/", "/a", None)), st.booleans()
)
batches = st.lists(requests, min_size=1, max_size=8)
steps = st.lists(
    st.one_of(batches, st.sampled_from((FOLD, DERIVE, PORTION, LOST, LOST_FOLD, AGAIN))),
    min_size=1,
    max_size=8,
)
Written = tuple[str | None, tuple[int, int], str | None, bool]
_numbers = count()


@pytest.fixture(scope="module", params=sorted(ZONES))
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An engine whose undeclared tenants live in the zone."""
    site = Site(tmp_path_factory.mktemp("site"), zone=request.param)
    yield site
    site.close()


def fresh_tenant() -> str:
    return f"tenant {next(_numbers)}"


def sent(site: Site, tenant: str, written: list[Written]) -> list[Sent]:
    zone = Zone(site.default.timezone)
    change = parse_date(ZONES[zone.name])
    midnights = [zone.day_start(change.replace(day=change.day + day)) for day in (-1, 0, 1)]
    return [
        hit(visitor, midnights[day] - 90 * MINUTE + after, path, bot=bot, tenant=tenant)
        for visitor, (day, after), path, bot in written
    ]


def happen(site: Site, tenant: str, step: list[Written] | str) -> None:
    """One step of a history."""
    if isinstance(step, list):
        site.send(*sent(site, tenant, step))
    elif step == FOLD:
        site.fold()
    elif step == DERIVE:
        site.engine.derive(2)
    elif step == PORTION:
        fold_once(site.engine, 2)
    elif step == LOST:
        with site.engine._landed() as cursor:
            deriving.find(cursor, site.model, site.engine.zone, 3)
    elif step == AGAIN:
        site.reopen()
    elif (claim := site.engine.claim(3)) is not None:
        site.engine.fold(claim)
        site.engine.release(claim)


@settings(max_examples=6)
@given(steps)
def test_any_history_derives_the_same(site: Site, history: list[list[Written] | str]) -> None:
    tenant = fresh_tenant()
    for step in history:
        happen(site, tenant, step)
    site.fold()
    site.check(tenant)


@settings(max_examples=2)
@given(st.lists(requests, min_size=1, max_size=12), st.randoms())
def test_two_orders_derive_the_same(site: Site, written: list[Written], dice: Random) -> None:
    tenants = fresh_tenant(), fresh_tenant()
    for tenant in tenants:
        order = dice.sample(written, len(written))
        while order:
            size = dice.randint(1, len(order))
            happen(site, tenant, order[:size])
            happen(site, tenant, dice.choice((FOLD, DERIVE, LOST)))
            order = order[size:]
        site.fold()
        site.check(tenant)
    assert site.rows(SESSIONS, tenants[0]) == site.rows(SESSIONS, tenants[1])


@settings(max_examples=4)
@given(batches, requests)
def test_a_late_event_touches_what_it_changed(site: Site, written: list[Written], late: Written) -> None:
    tenant = fresh_tenant()
    happen(site, tenant, written)
    site.fold()
    zone = site.engine.zone(tenant)
    before = [event for event in site.events.values() if event.tenant == tenant]
    happen(site, tenant, [late])
    after = [event for event in site.events.values() if event.tenant == tenant]
    changed = {each.stream: each.changed.starts.tolist() for each in site.derive()}
    for stream, old, new in (
        (SESSIONS, sessions_of(before, zone), sessions_of(after, zone)),
        (FIRSTS, firsts_of(before), firsts_of(after)),
    ):
        became = [row for row in old if row not in new] + [row for row in new if row not in old]
        wanted = sorted({slot_of(row.time) for row in became})
        assert changed.get(stream.name, []) == site.dirty(stream) == wanted
    site.fold()
    site.check(tenant)
