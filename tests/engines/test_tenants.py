"""What is one tenant's is no other's, although ids, times and entities are the same."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

import pytest
from tests.engines.gauges import NOON, READINGS, Bench, Sent, ask, fresh, of_events, some_readings

from aforo.engines.embedded.layout import lay_out
from aforo.engines.folds import Period
from aforo.windows import DAY, Grain, Window, Zone

PROBES = lay_out(READINGS, (READINGS.measures["probes"],))[0].key
ALL = Window(NOON - 3 * DAY, NOON + 3 * DAY)


@pytest.fixture
def twins(bench: Bench) -> Bench:
    """Two tenants that sent the same, and the second one some more of the same entities."""
    both = some_readings(40)
    bench.send(*both)
    bench.send(*(replace(event, tenant="hills") for event in both))
    bench.send(*some_readings(40, seed=1, tenant="hills"))
    bench.fold()
    return bench


def test_no_read_gives_the_others_rows(twins: Bench) -> None:
    for tenant in ("river", "hills"):
        twins.check_everything(tenant)
        twins.check(ask(READINGS, None, tenant=tenant, window=ALL, zone=Zone("UTC"), by=("station",)))
    assert twins.engine.estimate_raw("readings", "river", ALL) == 40
    assert twins.engine.estimate_raw("readings", "hills", ALL) == 80


def test_a_tenant_without_events_has_nothing(twins: Bench) -> None:
    for tenant in ("plain", "river ", "", "riv%", "nobody"):
        for rollup in READINGS.rollups.values():
            request = ask(READINGS, rollup, tenant=tenant, window=ALL, zone=Zone("UTC"))
            for asked in (request, of_events(request)):
                states = twins.engine.read_states(asked, time_limit_seconds=60)
                assert (states.keys, states.rows_read) == ((), 0)
        assert twins.engine.extent("readings", tenant) is None
        assert twins.engine.standing("readings", tenant, ALL).revision == 0


def test_folding_one_tenant_leaves_the_other_alone(twins: Bench) -> None:
    before = twins.engine.standing("readings", "river", ALL)
    assert fresh(twins.send(Sent(id="late", tenant="hills"))) == [True]
    assert twins.engine.standing("readings", "river", ALL).dirty_from is None
    twins.fold()
    after = twins.engine.standing("readings", "river", ALL)
    assert after.revision == before.revision
    twins.check_everything()


def test_each_tenant_counts_in_its_own_days(bench: Bench) -> None:
    """One instant is of 9 March in New York and of 10 March in Kathmandu, and each day begins elsewhere."""
    bench.send(Sent(id="1", time=NOON + DAY // 3), Sent(id="1", tenant="hills", time=NOON + DAY // 3))
    bench.fold()
    dates = {}
    for tenant in ("river", "hills"):
        zone = bench.engine.zone(tenant)
        request = ask(
            READINGS, READINGS.rollups["whole"], tenant=tenant, window=ALL, zone=zone, grain=Grain.DAY
        )
        [(bucket, _)] = bench.check(request)
        dates[tenant] = zone.date_of(request.edges[bucket]).isoformat()
    assert dates == {"river": "2013-03-09", "hills": "2013-03-10"}


def test_ordinals_are_dense_for_each_tenant(twins: Bench) -> None:
    """Sets stay small only if every tenant's entities are numbered from 0 on, batch after batch."""
    probes = {
        tenant: {event.fields.get("probe") for event in twins.reference.events if event.tenant == tenant}
        for tenant in ("river", "hills")
    }
    for tenant, seen in probes.items():
        twins.send(
            *(
                Sent(id=f"again {probe}", tenant=tenant, time=NOON + 9 * DAY, fields={"probe": probe})
                for probe in ("new", *seen)
                if probe is not None
            )
        )
        claim = twins.engine.claim(10**6)
        assert claim is not None
        folded = twins.engine.fold(claim)
        twins.engine.replace(folded)
        [day] = [
            each.rows for each in folded.periods if each.rollup.name == "whole" and each.period is Period.DAY
        ]
        assert list(accumulate(day[PROBES][0].as_py())) == list(range(len(seen - {None}) + 1))
