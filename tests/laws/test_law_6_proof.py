"""Law 6: an answer says where it comes from, and never claims to be fresher or more exact than it is."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.gauges import NOON, Sent, fold_once
from tests.laws.shelf import MODEL, READINGS, SLOTS, Shelf, batches, of_tenant

from aforo.model.version import rollup_hash
from aforo.questions.ask import Desk
from aforo.questions.asked import decode
from aforo.settings import Settings
from aforo.states.histogram import RELATIVE_ERROR
from aforo.telemetry import Telemetry
from aforo.windows import parse_instant, slot_of

FOLD, PORTION = "fold everything", "fold the newest slot"
QUESTION = {
    "metrics": ["readings", "level_avg", "level_p50", "probes_seen"],
    "from": "2013-03-07",
    "to": "2013-03-12",
    "grain": "day",
}
ALWAYS = {
    *("source", "rowsRead", "considered", "completeUntil", "staleSeconds", "exact"),
    *("timezone", "weekStart", "modelVersion", "commit", "revision", "tookMs"),
}


def proof(shelf: Shelf, tenant: str, **asked: object) -> dict[str, object]:
    desk = Desk(shelf.engine, MODEL, Settings(), shelf.clock, Telemetry())
    answer = desk.ask(decode({**QUESTION, "tenant": tenant, **asked})).as_json()
    found = answer["proof"]
    assert isinstance(found, dict)
    return found


@settings(max_examples=8)
@given(st.lists(st.one_of(batches, st.sampled_from([FOLD, PORTION])), min_size=1, max_size=6))
def test_no_answer_is_more_hopeful_than_the_ledger(shelf: Shelf, history: list[list[Sent] | str]) -> None:
    """Up to `completeUntil` every accepted event is in the answer; what waits makes it stale."""
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    bench.send(*of_tenant(tenant, [Sent(id="first", time=SLOTS[0])]), stream=READINGS)
    for step in history:
        if isinstance(step, list):
            bench.send(*of_tenant(tenant, step), stream=READINGS, arrival=NOON + 300)
        elif step == FOLD:
            bench.fold()
        else:
            fold_once(bench.engine, 1)
        said = proof(shelf, tenant, grain="total", timezone="America/New_York")
        folded = counted(shelf, tenant)
        waiting = [slot_of(event.time) for event in bench.reference.events]
        until = parse_instant(str(said["completeUntil"]))
        complete = sum(time < until for time in waiting)
        assert folded >= complete
        assert (said["staleSeconds"] == 0) == (folded == len(waiting) and bench.engine.dirty_slots() == 0)
        assert said["commit"] == bench.engine.statistics().commit


def counted(shelf: Shelf, tenant: str) -> int:
    desk = Desk(shelf.engine, MODEL, Settings(), shelf.clock, Telemetry())
    [row] = desk.ask(decode({**QUESTION, "tenant": tenant, "grain": "total"})).rows
    return int(str(row["readings"]))


def test_every_answer_carries_the_whole_proof(shelf: Shelf) -> None:
    tenant = shelf.tenant()
    bench = shelf.bench(tenant)
    bench.send(
        *of_tenant(tenant, [Sent(id=str(at), time=time) for at, time in enumerate(SLOTS)]), stream=READINGS
    )
    bench.fold()
    for asked in (
        {},
        {"by": ["station"]},
        {"grain": "hour"},
        {"where": "level > 5"},
        {"compare": "previous"},
    ):
        said = proof(shelf, tenant, **asked)
        raw = "where" in asked
        assert set(said) >= ALWAYS | ({"reason"} if raw else {"rollup", "rollupHash", "grains"})
        assert ("comparison" in said) == ("compare" in asked)
        assert said["source"] == ("raw" if raw else "rollup")
        assert (said["timezone"], said["weekStart"]) == (shelf.zone, "monday")
        assert said["modelVersion"] == MODEL.version
        if raw:
            assert said["reason"]
        else:
            assert said["rollupHash"] == rollup_hash(READINGS, READINGS.rollups[str(said["rollup"])])


def test_what_is_approximate_says_by_how_much(shelf: Shelf) -> None:
    tenant = shelf.tenant()
    shelf.bench(tenant).send(*of_tenant(tenant, [Sent(id="1")]), stream=READINGS)
    exact = proof(shelf, tenant)["exact"]
    assert isinstance(exact, dict)
    assert [exact[name] for name in ("readings", "level_avg", "probes_seen")] == [True] * 3
    [bound] = exact["level_p50"].values()
    assert RELATIVE_ERROR <= bound <= 0.01
