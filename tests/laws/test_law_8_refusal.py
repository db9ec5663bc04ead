"""Law 8: why an event was not taken is a word of a closed list, told by index and counted with its batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.gauges import answered, ask
from tests.laws.shelf import Desk, Shelf

from aforo.engines.folds import Period
from aforo.events.refusals import RefusalCode
from aforo.model import ingest
from aforo.windows import SLOT, Grain, Window

GOOD: Mapping[str, object] = {
    "stream": "readings",
    "id": "good",
    "time": "2013-03-09T17:00:00Z",
    "fields": {},
}
BAD: Mapping[str, object] = {
    "not_an_object": ["not", "an", "event"],
    "unknown_stream": {**GOOD, "stream": "reedings"},
    "unknown_field": {**GOOD, "fields": {"colour": "brown"}},
    "wrong_type": {**GOOD, "fields": {"flow": "seven"}},
    "out_of_range": {**GOOD, "fields": {"level": 1001}},
    "too_long": {**GOOD, "fields": {"station": "x" * 11}},
    "bad_time": {**GOOD, "time": "yesterday"},
    "in_future": {**GOOD, "time": "2999-01-01T00:00:00Z"},
    "missing_field": {key: value for key, value in GOOD.items() if key != "tenant"},
}


def outcomes(shelf: Shelf) -> Counter[str]:
    return Counter(shelf.engine.statistics().outcomes)


@settings(max_examples=15)
@given(st.lists(st.sampled_from(["good", *BAD]), max_size=8))
def test_what_was_refused_is_told_by_index_and_counted(shelf: Shelf, kinds: list[str]) -> None:
    """And the rest of the batch is taken as if it had come alone."""
    tenant, before = shelf.tenant(), outcomes(shelf)
    commits = shelf.engine.statistics().commit
    batch = [
        {**GOOD, "id": str(at), "tenant": tenant} if kind == "good" else with_tenant(BAD[kind], kind, tenant)
        for at, kind in enumerate(kinds)
    ]
    receipt = Desk.of(shelf).take(batch)
    assert [(each.index, str(each.code)) for each in receipt.refused] == [
        (at, kind) for at, kind in enumerate(kinds) if kind != "good"
    ]
    assert all(each.detail for each in receipt.refused)
    assert receipt.accepted == kinds.count("good")
    expected = Counter("accepted" if kind == "good" else kind for kind in kinds)
    assert outcomes(shelf) - before == expected
    assert shelf.engine.statistics().commit == commits + 1


def with_tenant(event: object, kind: str, tenant: str) -> object:
    return {**event, "tenant": tenant} if isinstance(event, dict) and kind != "missing_field" else event


@pytest.mark.parametrize("kind", BAD)
def test_every_bad_kind_is_of_the_closed_list(kind: str) -> None:
    assert kind in set(RefusalCode)


def test_outcomes_are_counted_by_the_slot_they_arrived_in(shelf: Shelf) -> None:
    """And a refused batch alone is counted too: not by the time that its events speak of."""
    now = shelf.clock.now()
    desk, tenant = Desk.of(shelf), shelf.tenant()
    for minutes, event in ((0, GOOD), (7, BAD["too_long"]), (16, BAD["too_long"]), (17, BAD["too_long"])):
        shelf.clock.set(now + minutes * 60_000_000)
        desk.take([with_tenant(event, "", tenant)])
    shelf.clock.set(now)
    slot = now - now % SLOT
    assert counted(shelf, tenant, Window(slot, slot + 2 * SLOT)) == {
        (slot, "readings", "accepted"): 1,
        (slot, "readings", "too_long"): 1,
        (slot + SLOT, "readings", "too_long"): 2,
    }


def counted(shelf: Shelf, tenant: str, window: Window) -> dict[tuple[int, str, str], int]:
    """What the ledger says of a tenant by slot, stream and reason, asked as any rollup is."""
    request = ask(
        ingest.STREAM,
        ingest.STREAM.rollups["ledger"],
        window=window,
        zone=shelf.engine.zone(tenant),
        tenant=tenant,
        by=("stream", "reason"),
        grain=Grain.SLOT,
        period=Period.SLOT,
        measures=("arrived",),
    )
    states = answered(shelf.engine.read_states(request, time_limit_seconds=60))
    return {
        (request.edges[bucket], str(stream), str(reason)): int(str(values["arrived"]))
        for (bucket, (stream, reason)), values in states.items()
    }
