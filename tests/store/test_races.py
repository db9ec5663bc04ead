"""Writers beside each other, each with a store of its own as a process has, on each kind of store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select
from tests.store_kinds import Stores

from aforo.clock import ManualClock
from aforo.errors import Conflict
from aforo.store import tables
from aforo.store.act import Action, Actor
from aforo.store.audit import Audit
from aforo.store.backfill import BackfillState, Span
from aforo.store.backfills import Backfills
from aforo.store.connect import Store
from aforo.store.erasures import Erasures
from aforo.store.key import KeyScope, NewKey, Principal, PrincipalKind
from aforo.store.keys import Keys

CLOCK = ManualClock(1_700_000_000_000_000)
ME = Actor("tests")
WRITERS = 6
READS = NewKey(
    name="reads", principal=Principal(PrincipalKind.TEAM, "all"), scopes=frozenset({KeyScope.READ})
)


def at_once(stores: Stores, work: Callable[[Store], object]) -> list[object]:
    """What each of several writers comes to that begin together."""
    gate = threading.Barrier(WRITERS, timeout=60)

    def begin(store: Store) -> object:
        gate.wait()
        return work(store)

    with ThreadPoolExecutor(WRITERS) as threads:
        return list(threads.map(begin, [stores.beside() for _ in range(WRITERS)]))


def test_keys_of_one_principal_that_is_new(stores: Stores) -> None:
    made = at_once(stores, lambda store: Keys(store, CLOCK).create(READS, ME)[0].id)
    assert {key.id for key in Keys(stores.store, CLOCK).page(100)} == set(made)
    with stores.store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.principals)) == 1


def test_a_key_is_revoked_once(stores: Stores) -> None:
    key, _ = Keys(stores.store, CLOCK).create(READS, ME)
    revoked = at_once(stores, lambda store: Keys(store, CLOCK).revoke(key.id, ME))
    assert len(set(map(str, revoked))) == 1
    acts = [act.action for act in Audit(stores.store, CLOCK).page(100)]
    assert acts.count(Action.KEY_REVOKED) == 1


def test_one_backfill_of_a_stream_and_tenant_runs(stores: Stores) -> None:
    span = Span(tenant="a", start=0, end=900_000_000, slots=1, events=1, sealed_before=None)

    def begin(store: Store) -> str:
        try:
            return Backfills(store, CLOCK).begin("visits", [span], ME).id
        except Conflict as error:
            return error.detail

    told = at_once(stores, begin)
    running = Backfills(stores.store, CLOCK).running()
    assert [each for each in told if each in {backfill.id for backfill in running}] == [running[0].id]
    assert len(running) == 1
    assert [str(each) for each in told].count(
        f"backfill {running[0].id} of visits runs for tenant a already"
    ) == 5


def test_a_backfill_is_ended_or_cancelled_and_never_both(stores: Stores) -> None:
    span = Span(tenant="a", start=0, end=900_000_000, slots=1, events=1, sealed_before=None)
    begun = Backfills(stores.store, CLOCK).begin("visits", [span], ME)
    ways = iter([BackfillState.DONE, BackfillState.CANCELLED] * WRITERS)

    def end(store: Store) -> str:
        backfills = Backfills(store, CLOCK)
        if next(ways) is BackfillState.DONE:
            backfills.end(begun.id, BackfillState.DONE)
            return "ended"
        try:
            return str(backfills.move(begun.id, BackfillState.CANCELLED, ME))
        except Conflict:
            return "too late"

    told = at_once(stores, end)
    found = Backfills(stores.store, CLOCK).get(begun.id)
    assert found is not None
    cancelled = [
        act for act in Audit(stores.store, CLOCK).page(100) if act.action is Action.BACKFILL_CANCELLED
    ]
    assert len(cancelled) == (found.state is BackfillState.CANCELLED)
    assert ("too late" in told) == (found.state is BackfillState.DONE)


def test_what_several_have_counted_adds_up(stores: Stores) -> None:
    erasure = Erasures(stores.store, CLOCK).request("a", "visitor", "v", "digest", ME)

    def count(store: Store) -> None:
        for _ in range(5):
            Erasures(store, CLOCK).counted(erasure.id, 2, 1)

    at_once(stores, count)
    counted = Erasures(stores.store, CLOCK).get(erasure.id)
    assert counted is not None
    assert (counted.events, counted.slots) == (WRITERS * 10, WRITERS * 5)
