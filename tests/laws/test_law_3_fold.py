"""Law 3: rollups are a function of the events, whatever the order, the batches, the folds and the crashes."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.gauges import Bench, Sent, fold_once
from tests.laws.shelf import READINGS, Shelf, batches, events, of_tenant

FOLD, PORTION, ABANDON = "fold everything", "fold one portion", "fold and crash before replacing"
steps = st.lists(st.one_of(batches, st.sampled_from([FOLD, PORTION, ABANDON])), min_size=1, max_size=7)


def live(bench: Bench, tenant: str, history: list[list[Sent] | str]) -> None:
    """Lets a history happen, and folds what it left."""
    for step in history:
        if isinstance(step, list):
            bench.send(*of_tenant(tenant, step), stream=READINGS)
        elif step == FOLD:
            bench.fold()
        elif step == PORTION:
            fold_once(bench.engine, 2)
        elif (claim := bench.engine.claim(3)) is not None:
            bench.engine.fold(claim)
            bench.engine.release(claim)
    bench.fold()


@settings(max_examples=12)
@given(steps)
def test_any_history_gives_the_rollups_of_its_events(shelf: Shelf, history: list[list[Sent] | str]) -> None:
    """Every rollup's states of every kind are what `aforo.states` makes of the different events."""
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    live(bench, tenant, history)
    if bench.reference.events:
        bench.check_everything(tenant, READINGS)


@settings(max_examples=4)
@given(st.lists(events, min_size=1, max_size=12, unique_by=lambda event: event.name), st.randoms())
def test_two_orders_give_the_same(shelf: Shelf, batch: list[Sent], dice: Random) -> None:
    tenants = shelf.tenant(), shelf.tenant()
    bench = shelf.bench(*tenants)
    for tenant in tenants:
        order = dice.sample(batch, len(batch))
        while order:
            size = dice.randint(1, len(order))
            live(bench, tenant, [order[:size], dice.choice([FOLD, PORTION])])
            order = order[size:]
        bench.check_everything(tenant, READINGS)


@settings(max_examples=4)
@given(st.lists(steps, min_size=1, max_size=3))
def test_opening_again_in_between_changes_nothing(shelf: Shelf, lives: list[list[list[Sent] | str]]) -> None:
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    for history in lives:
        live(bench, tenant, history[:-1])
        shelf.reopen()
        bench.engine = shelf.engine
        live(bench, tenant, history[-1:])
    if bench.reference.events:
        bench.check_everything(tenant, READINGS)
