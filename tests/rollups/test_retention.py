"""What is past its stream's retention is purged, in bounded steps and no sooner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.gauges import NOON, Bench, Sent

from aforo.clock import ManualClock
from aforo.engines.embedded import EmbeddedEngine
from aforo.events.refusals import RefusalCode
from aforo.model.ingest import SEALED
from aforo.model.reading import read_model
from aforo.model.tenant import Tenant
from aforo.rollups.retention import Retention
from aforo.telemetry import Telemetry
from aforo.windows import DAY, SLOT, Zone

MODEL = read_model(
    """
tenants: {river: {timezone: Asia/Kathmandu}}
streams:
  visits:
    fields: {page: string, visitor: string}
    entities: {visitor: visitor}
    measures: {all_visits: count}
    rollups: {pages: {by: [page]}}
    retention: {events_days: 30, slots_days: 60}
  kept:
    fields: {page: string}
    measures: {all_kept: count}
    rollups: {pages: {by: [page]}}
""",
    source="retention.yaml",
)
VISITS, KEPT = MODEL.streams["visits"], MODEL.streams["kept"]
ZONE = Zone("Asia/Kathmandu")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    engine = EmbeddedEngine(tmp_path, memory_mb=128, threads=1, untimed_id_seconds=86_400)
    engine.apply_model(MODEL, Tenant(name="", timezone="UTC"))
    yield Bench(engine, MODEL)
    engine.close()


def retention(
    bench: Bench,
    clock: ManualClock,
    *,
    batch_rows: int = 10**6,
    untimed: int = 0,
    told: list[str] | None = None,
) -> Retention:
    return Retention(
        bench.engine,
        MODEL,
        clock,
        Telemetry(),
        batch_rows=batch_rows,
        check_after_seconds=1,
        untimed_id_seconds=untimed,
        purged=told.append if told is not None else lambda _tenant: None,
    )


def events(bench: Bench) -> dict[str, int]:
    return {each.stream: each.events for each in bench.engine.statistics().streams}


def fill(bench: Bench, days: int) -> None:
    sent = [Sent(id=f"{day}-{at}", time=NOON + day * DAY + at * SLOT) for day in range(days) for at in (0, 1)]
    for stream in (VISITS, KEPT):
        bench.send(*sent, stream=stream)


def test_whole_days_go_when_they_are_older_than_declared(bench: Bench) -> None:
    fill(bench, 40)
    clock = ManualClock(NOON + 35 * DAY)
    assert retention(bench, clock).run_once() == (), "nothing is folded yet"
    bench.fold()
    (purged,) = retention(bench, clock).run_once()
    seal = ZONE.day_start(ZONE.date_of(NOON + 5 * DAY))
    assert (purged.events, purged.seal.events_from) == (10, seal)
    assert bench.engine.seal("visits", "river").events_from == seal
    assert events(bench) == {"visits": 70, "kept": 80}
    assert retention(bench, clock).run_once() == ()


def test_a_purge_takes_no_more_than_a_batch_in_a_step(bench: Bench) -> None:
    fill(bench, 20)
    bench.fold()
    steps = retention(bench, ManualClock(NOON + 45 * DAY), batch_rows=4).run_once()
    assert [purged.events for purged in steps] == [4] * 7 + [2]
    assert [purged.more for purged in steps] == [True] * 7 + [False]


def test_slots_go_later_than_events_and_days_never(bench: Bench) -> None:
    fill(bench, 20)
    bench.fold()
    done = retention(bench, ManualClock(NOON + 75 * DAY)).run_once()
    assert sum(purged.events for purged in done) == 40
    assert sum(purged.slot_rows for purged in done) == 30
    assert bench.engine.seal("visits", "river").slots_from == ZONE.day_start(ZONE.date_of(NOON + 15 * DAY))
    again = retention(bench, ManualClock(NOON + 75 * DAY)).run_once()
    assert again == ()


def test_an_event_without_a_time_stays_as_long_as_it_is_recognised(bench: Bench) -> None:
    fill(bench, 20)
    bench.fold()
    (purged,) = retention(bench, ManualClock(NOON + 45 * DAY), untimed=40 * 86_400).run_once()
    assert purged.events == 10


def test_values_go_with_the_events_that_held_them(bench: Bench) -> None:
    bench.send(
        *[Sent(id=f"{day}", time=NOON + day * DAY, fields={"visitor": f"v{day}"}) for day in (0, 5)],
        stream=VISITS,
    )
    bench.fold()
    retention(bench, ManualClock(NOON + 33 * DAY)).run_once()
    assert bench.engine.seen("river", "visitor", "v0") is None
    assert bench.engine.seen("river", "visitor", "v5") is not None
    assert bench.engine.forget(10) is None, "it has looked at all that went"


def test_the_engine_and_the_receipt_have_one_word_for_it() -> None:
    assert SEALED == RefusalCode.SEALED
