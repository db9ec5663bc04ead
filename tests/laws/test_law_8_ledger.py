"""Law 8: the ledger's counts by arrival slot are what the receipts said, whatever came from whom and when."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.shelf import MODEL, Desk, Shelf, instant

from aforo.engines.appends import UNKNOWN
from aforo.engines.embedded import EmbeddedEngine
from aforo.engines.embedded.database import first_row
from aforo.engines.outcomes import shares
from aforo.engines.refused import SampleLimits, SamplesAsked
from aforo.errors import NotServable
from aforo.events.intake import Intake
from aforo.events.receipt import Receipt
from aforo.model.tenant import Tenant
from aforo.questions.answer import Answer
from aforo.questions.ask import Desk as Asking
from aforo.questions.asked import decode
from aforo.settings import Settings
from aforo.telemetry import Telemetry
from aforo.windows import DAY, SLOT

ZONES = ("Asia/Kathmandu", "America/St_Johns", "Europe/Madrid", "UTC")
BAD: tuple[dict[str, object], ...] = (
    {"fields": {"flow": "seven"}},
    {"fields": {"level": 1001}},
    {"fields": {"colour": "brown"}},
    {"time": "yesterday"},
    {"stream": "reedings"},
)
# An event is a number (its id, so that some come again), whose it is, and what is wrong with it, if anything.
event = st.tuples(st.integers(0, 8), st.integers(0, 1), st.none() | st.integers(0, len(BAD) - 1))
batch = st.tuples(st.integers(0, 200), st.integers(0, 5_000), st.lists(event, max_size=8))


def asked(shelf: Shelf, tenant: str, **more: object) -> Answer:
    question = {"tenant": tenant, "metrics": ["ingest_accepted"], **more}
    return Asking(shelf.engine, MODEL, Settings(), shelf.clock, Telemetry()).ask(decode(question))


def sent(number: int, tenant: str, wrong: int | None) -> dict[str, object]:
    good = {"stream": "readings", "tenant": tenant, "id": str(number), "time": "2013-03-09T17:00:00Z"}
    return good if wrong is None else {**good, **BAD[wrong]}


@settings(max_examples=20)
@given(st.lists(batch, min_size=1, max_size=6), st.sampled_from(ZONES))
def test_the_counts_are_what_the_receipts_said(
    shelf: Shelf, batches: list[tuple[int, int, list[tuple[int, int, int | None]]]], zone: str
) -> None:
    """By slot, stream and reason, and in any zone's days; the bytes are those that came, to the last one."""
    began, desk = shelf.clock.now(), Desk.of(shelf)
    tenants = (shelf.tenant(), shelf.tenant())
    desk.take([sent(-1, tenant, None) for tenant in tenants])
    shelf.clock.set(began + SLOT)
    first = shelf.clock.now() - shelf.clock.now() % SLOT
    receipts: Counter[tuple[str, str]] = Counter()
    size = 0
    for minutes, body_bytes, events in batches:
        shelf.clock.set(shelf.clock.now() + minutes * 60_000_000)
        waiting = desk.intake.take(
            [sent(number, tenants[whose], wrong) for number, whose, wrong in events], size=body_bytes
        )
        desk.commit()
        add(receipts, waiting.result(timeout=0), shelf.clock.now())
        size += body_bytes if events else 0
    window = {"from": instant(first), "to": instant(shelf.clock.now() // DAY * DAY + 2 * DAY)}
    metrics = ["ingest_accepted", "ingest_duplicates", "ingest_refused", "ingest_bytes"]
    counted: Counter[tuple[str, str]] = Counter()
    brought = 0
    for tenant in tenants:
        for row in asked(shelf, tenant, metrics=metrics, by=["reason"], grain="slot", **window).rows:
            counted[str(row["time"]), str(row["reason"])] += sum(int(str(row[name])) for name in metrics[:3])
            brought += int(str(row["ingest_bytes"]))
        days = asked(shelf, tenant, metrics=metrics, grain="day", timezone=zone, **window).rows
        whole = asked(shelf, tenant, metrics=metrics, **window).rows[0]
        for name in metrics:
            assert sum(int(str(row[name])) for row in days) == whole[name]
    zoned = {
        (shelf.engine.zone(tenants[0]).rfc3339(slot), reason): n for (slot, reason), n in receipts.items()
    }
    assert {key: n for key, n in counted.items() if n} == zoned
    assert brought == size
    shelf.clock.set(began)


def add(receipts: Counter[tuple[int, str]], receipt: Receipt, arrival: int) -> None:
    """What a receipt told, by the slot of its arrival."""
    slot = arrival - arrival % SLOT
    told = {"accepted": receipt.accepted, "duplicate": receipt.duplicates}
    for reason, count in told.items():
        if count:
            receipts[slot, reason] += count
    receipts.update((slot, str(refusal.code)) for refusal in receipt.refused)


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), max_size=30))
def test_shares_are_in_proportion_and_add_up_to_the_whole(whole: int, parts: list[int]) -> None:
    given_out = shares(whole, parts)
    assert len(given_out) == len(parts)
    total = sum(parts)
    if not total:
        assert not any(given_out)
        return
    assert sum(given_out) == whole
    assert all(
        abs(share - whole * part / total) < 1 + 1e-3 for share, part in zip(given_out, parts, strict=True)
    )


def test_a_body_of_one_tenant_and_stream_is_counted_to_the_byte(shelf: Shelf) -> None:
    desk, tenant, other = Desk.of(shelf), shelf.tenant(), shelf.tenant()
    waiting = [
        desk.intake.take([sent(number, name, None) for number in range(3)], size=size)
        for name, size in ((tenant, 1_001), (other, 77))
    ]
    desk.receipts(waiting)
    for name, size in ((tenant, 1_001), (other, 77)):
        assert asked(shelf, name, metrics=["ingest_bytes"]).rows == ({"ingest_bytes": size},)


def test_success_is_the_share_that_is_kept_however_often_a_batch_comes(shelf: Shelf) -> None:
    desk, tenant = Desk.of(shelf), shelf.tenant()
    for _ in range(3):
        desk.take([sent(1, tenant, None), sent(2, tenant, None), sent(3, tenant, None), sent(4, tenant, 0)])
    answer = asked(shelf, tenant, metrics=["ingest_success_rate", "ingest_duplicates"])
    assert answer.rows == ({"ingest_success_rate": 0.75, "ingest_duplicates": 6},)
    none = asked(shelf, tenant, metrics=["ingest_success_rate"], **{"from": "2014-01-01", "to": "2014-01-02"})
    assert none.rows == ({"ingest_success_rate": None},)


def test_an_answer_proves_that_it_is_of_the_ledger(shelf: Shelf) -> None:
    """Complete until now and exact, without a fold; what cannot be told is refused with what can."""
    desk, tenant = Desk.of(shelf), shelf.tenant()
    desk.take([sent(1, tenant, None)])
    proof = asked(shelf, tenant, compare="previous", where='stream = "readings"').proof.as_json()
    assert (proof["source"], proof["rollup"], proof["grains"]) == ("ledger", "ledger", ["slot"])
    assert (proof["staleSeconds"], proof["exact"]) == (0.0, {"ingest_accepted": True})
    assert proof["completeUntil"] == shelf.engine.zone(tenant).rfc3339(shelf.clock.now())
    revision = proof["revision"]
    desk.take([sent(2, tenant, None)])
    assert asked(shelf, tenant).proof.freshness.revision > int(str(revision))
    with pytest.raises(NotServable, match="whole slots") as caught:
        asked(shelf, tenant, **{"from": "2014-01-01T00:07:00Z", "to": "2014-01-02"})
    assert "quarter hours" in caught.value.hint


def test_a_refused_event_of_nobody_is_counted_for_nobody(shelf: Shelf) -> None:
    """Names that are made up make no rows of counts, however long they are."""
    desk = Desk.of(shelf)

    def told() -> int:
        return int(str(asked(shelf, UNKNOWN, metrics=["ingest_refused"]).rows[0]["ingest_refused"]))

    before = told()
    desk.take([sent(1, f"made up {number}" * 100, number % len(BAD)) for number in range(20)])
    assert told() == before + 20
    with shelf.engine._landed() as cursor:
        for table in ("outcomes", "refused"):
            sql = f"SELECT count(*) FROM {table} WHERE starts_with(tenant, 'made up')"
            assert first_row(cursor, sql) == (0,)


def test_a_refused_event_of_a_key_counts_for_its_tenant_from_the_first(shelf: Shelf) -> None:
    """Whether the key is for one tenant or for several, and though none of them has an event yet."""
    desk, one, other = Desk.of(shelf), shelf.tenant(), shelf.tenant()
    desk.take([sent(1, None, 0)], tenant=one)
    waiting = desk.intake.take([sent(1, other, 0)], owns=frozenset((one, other)))
    desk.receipts([waiting])
    for tenant in (one, other):
        assert asked(shelf, tenant, metrics=["ingest_refused"]).rows == ({"ingest_refused": 1},)
        assert shelf.engine.tenant(tenant) is not None
    shelf.reopen()
    assert shelf.engine.tenant(other) == Tenant(name=other, timezone=shelf.zone)


def test_a_slot_that_is_over_has_a_row_for_each_kind_and_no_more(shelf: Shelf) -> None:
    """And late counts for it, of a clock that was set back, are put together with those that are there."""
    began, desk, tenant = shelf.clock.now(), Desk.of(shelf), shelf.tenant()

    def rows() -> tuple[object, ...] | None:
        with shelf.engine._landed() as cursor:
            return first_row(
                cursor,
                "SELECT count(*), sum(events)::BIGINT FROM outcomes WHERE tenant = $tenant AND start = $slot",
                {"tenant": tenant, "slot": shelf_slot},
            )

    shelf_slot = slot_time(began)
    for number in range(6):
        desk.take([sent(number, tenant, None), sent(number, tenant, 0)])
        assert rows() == (2 * (number + 1),) * 2
    for minutes in (15, 0, 30):
        shelf.clock.set(began + minutes * 60_000_000)
        desk.take([sent(100 + minutes, tenant, None)])
        rows()  # has it land by itself
    assert rows() == (2, 13)
    shelf.clock.set(began)


def slot_time(time: int) -> object:
    from aforo.engines.embedded.parameters import timestamp

    return timestamp(time - time % SLOT)


def test_tenants_may_be_fixed_by_the_model(shelf: Shelf) -> None:
    named = replace(MODEL, tenants={"north": Tenant(name="north")})
    tenants = frozenset(named.tenants)
    buffer = shelf.buffer(tenants=tenants)
    intake = Intake(named, buffer, shelf.clock, future_seconds=600, tenants=tenants)
    waiting = intake.take([sent(1, "north", None), sent(1, "nort", None), sent(1, "", None)])
    assert buffer.run_once()
    receipt = waiting.result(timeout=0)
    assert receipt.accepted == 1
    assert [(each.index, str(each.code)) for each in receipt.refused] == [
        (1, "unknown_tenant"),
        (2, "missing_field"),
    ]
    assert "north" not in receipt.refused[0].detail


def test_samples_are_the_newest_of_each_kind_and_bounded(tmp_path: Path) -> None:
    """They are in the commit that counts them; without limit for any, none is kept."""
    shelf = Shelf(tmp_path, "UTC")
    shelf.engine.close()
    limits = SampleLimits(per_reason=3, in_all=8)
    shelf.engine = EmbeddedEngine(
        tmp_path, memory_mb=128, threads=1, untimed_id_seconds=86_400, samples=limits
    )
    shelf.engine.apply_model(MODEL, Tenant(name="", timezone="UTC"))
    desk = Desk.of(shelf)
    desk.take([sent(1, tenant, None) for tenant in ("a", "b")])
    for number in range(30):
        desk.take([sent(number, "ab"[number % 2], number % 3)])
    found = shelf.engine.refused(SamplesAsked(limit=100))
    kinds = Counter((each.sample.tenant, each.sample.code) for each in found)
    assert len(kinds) == 6
    assert max(kinds.values()) <= 3
    assert [each.commit for each in found] == sorted((each.commit for each in found), reverse=True)
    assert found[0].commit == shelf.engine.statistics().commit
    with shelf.engine._landed() as cursor:
        kept = first_row(cursor, "SELECT count(*) FROM refused")
    assert kept is not None
    assert kept[0] <= limits.in_all + limits.in_all // 4
    page = shelf.engine.refused(SamplesAsked(tenant="a", before=(found[1].commit, 0), limit=1))
    assert page[0].commit < found[1].commit
    shelf.engine.close()
