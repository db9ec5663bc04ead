"""Backfills: what they would do, what they do, and that any end is only a pause."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from tests.engines.gauges import DEFAULT, MODEL, NOON, READINGS, Bench, Sent

import aforo
from aforo.clock import ManualClock
from aforo.engines.embedded import EmbeddedEngine
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.folds import Period
from aforo.engines.keeping import PurgeAsked
from aforo.errors import Conflict, InvalidRequest, UnknownName
from aforo.model.model import Model
from aforo.rollups.backfill import Wanted, estimated, window_of
from aforo.rollups.backfiller import LOOK_AGAIN_SECONDS, Backfiller
from aforo.rollups.folder import Folder
from aforo.settings import Backfill as Limits
from aforo.store.act import Action, Actor
from aforo.store.audit import Audit
from aforo.store.backfill import BackfillState, Span
from aforo.store.backfills import Backfills
from aforo.store.connect import Store
from aforo.telemetry import Telemetry
from aforo.windows import DAY, SLOT, Zone, parse_instant, slot_of

ROOT = Path(__file__).parents[2]
ME = Actor("tests")
DAYS = Wanted(stream="readings", from_="2013-03-08", to="2013-03-10")
SLOTS = 8


class House:
    """A data directory with eight slots of two events, two in a batch, and everything that works on it."""

    def __init__(self, folder: Path, model: Model = MODEL) -> None:
        self.folder = folder
        self.clock = ManualClock(NOON + DAY)
        self.engine = EmbeddedEngine(folder, memory_mb=128, threads=1, untimed_id_seconds=86_400)
        self.engine.apply_model(model, DEFAULT)
        self.store = Store(folder)
        self.backfills, self.audit = Backfills(self.store, self.clock), Audit(self.store, self.clock)
        self.folder_of_rollups = Folder(
            self.engine, self.clock, Telemetry(), batch_rows=100, wake_after_seconds=1
        )
        self.woken: list[int] = []
        self.backfiller = Backfiller(
            self.engine,
            model,
            self.backfills,
            self.clock,
            Limits(batch_rows=4, busy_share=0.25),
            lambda: self.woken.append(1),
        )

    def fold(self) -> None:
        self.folder_of_rollups.run_until_clean()

    def close(self) -> None:
        self.store.close()
        self.engine.close()


def filled(house: House) -> Bench:
    bench = Bench(house.engine)
    for at in range(SLOTS):
        fields = {"flow": at, "station": "north", "probe": f"probe {at}"}
        bench.send(*(Sent(id=f"{at}{twin}", time=NOON + at * SLOT, fields=fields) for twin in "ab"))
    house.fold()
    bench.reference.fold()
    return bench


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "data")
    yield house
    house.close()


def spoil(house: House) -> None:
    """A row that is wrong, one that is gone, and one of a slot in which nothing happened."""
    layout = RollupLayout.of(READINGS, READINGS.rollups["whole"])
    kept = layout.table(Period.SLOT)
    count = layout.measures[0].input

    def write(cursor: object) -> None:
        execute = cursor.execute  # type: ignore[attr-defined]
        execute(f"UPDATE {kept} SET {count} = 77 WHERE start = make_timestamp({slot_of(NOON)})")
        execute(f"DELETE FROM {kept} WHERE start = make_timestamp({slot_of(NOON) + SLOT})")
        execute(
            f"INSERT INTO {kept} (tenant, start, {count}) "
            f"VALUES ('river', make_timestamp({slot_of(NOON) - 4 * SLOT}), 5)"
        )

    house.engine._database.write(write)


def work(house: House) -> None:
    """Steps with folds between them until nothing runs."""
    while house.backfiller.run_once() is not None:
        house.fold()


def test_a_plan_tells_what_would_be_folded_and_changes_nothing(house: House) -> None:
    filled(house)
    plan = house.backfiller.plan(DAYS)
    zone = Zone("America/New_York")
    days = parse_instant("2013-03-08T05:00:00Z"), parse_instant("2013-03-11T04:00:00Z")
    assert plan.spans == (Span(tenant="river", start=days[0], end=days[1], slots=SLOTS, events=2 * SLOTS),)
    assert plan.seconds > 0
    assert house.engine.dirty_slots() == 0
    assert house.backfills.page(10) == []
    by_instant = Wanted(stream="readings", from_="2013-03-09T17:15:00Z", to="2013-03-09T17:50:00Z")
    assert house.backfiller.plan(by_instant).spans[0].slots == 3
    back = window_of(Wanted(stream="readings"), zone, now=NOON, default_days=90)
    assert zone.date_of(back.start).isoformat() == "2012-12-10"
    assert back.end == slot_of(NOON) + SLOT


def test_sealed_time_is_left_out_and_said(house: House) -> None:
    bench = filled(house)
    bench.send(Sent(id="old", time=NOON - DAY))
    house.fold()
    zone = house.engine.zone("river")
    today = zone.day_start(zone.date_of(NOON))
    house.engine.purge(PurgeAsked("readings", "river", events_before=today, slots_before=0, most_rows=9))
    begun = house.backfiller.begin(DAYS, ME)
    (part,) = begun.parts
    assert (part.start, part.slots, part.sealed_before) == (today, SLOTS, today)
    work(house)
    purged = Wanted(stream="readings", from_="2013-03-08", to="2013-03-08")
    (span,) = house.backfiller.plan(purged).spans
    assert (span.slots, span.sealed_before) == (0, today)
    with pytest.raises(InvalidRequest, match=r"nothing of readings .* purged there"):
        house.backfiller.begin(purged, ME)


@pytest.mark.parametrize(
    ("wanted", "error", "told"),
    [
        (Wanted(stream="readngs"), UnknownName, "readngs"),
        (Wanted(stream="ingest"), InvalidRequest, "never folded"),
        (Wanted(stream="readings", tenants=("rivr",)), UnknownName, "rivr"),
        (Wanted(stream="readings", from_="2013-03-10", to="2013-03-08"), InvalidRequest, "before it begins"),
        (Wanted(stream="readings", from_="yesterday"), InvalidRequest, "yesterday"),
        (
            Wanted(stream="readings", from_="2012-01-01", to="2012-01-02"),
            InvalidRequest,
            "nothing of readings",
        ),
    ],
)
def test_what_cannot_be_folded_again(house: House, wanted: Wanted, error: type[Exception], told: str) -> None:
    filled(house)
    with pytest.raises(error, match=told):
        house.backfiller.begin(wanted, ME)
    assert house.backfills.page(10) == []


def test_a_backfill_mends_what_is_wrong_in_batches_newest_first(house: House) -> None:
    bench = filled(house)
    spoil(house)
    with pytest.raises((AssertionError, KeyError)):
        bench.check_everything()
    begun = house.backfiller.begin(DAYS, ME)
    steps = []
    while house.backfiller.run_once() is not None:
        found = house.backfills.get(begun.id)
        assert found is not None
        steps.append((found.parts[0].done_from, found.parts[0].slots_done))
        assert house.engine.dirty_slots() <= 3
        house.fold()
    bench.check_everything()
    done = house.backfills.get(begun.id)
    assert done is not None
    # The slot in which nothing happened, and which had a row, was folded too.
    assert (done.state, done.parts[0].slots_done, done.parts[0].batches) == (BackfillState.DONE, SLOTS + 1, 4)
    assert done.parts[0].events_done == 2 * SLOTS
    assert steps == sorted(steps, key=lambda step: (-step[0], step[1]))
    assert [act.action for act in house.audit.page(10)] == [Action.BACKFILL_STARTED]


def test_each_batch_waits_for_its_fold_and_is_followed_by_a_rest(house: House) -> None:
    filled(house)
    begun = house.backfiller.begin(DAYS, ME)
    assert house.backfiller.run_once() == LOOK_AGAIN_SECONDS
    assert house.woken == [1]
    assert house.backfiller.run_once() == LOOK_AGAIN_SECONDS  # not folded yet
    house.clock.advance(2)
    house.fold()
    assert house.backfiller.run_once() == pytest.approx(6)  # a quarter of the time is work
    found = house.backfills.get(begun.id)
    assert found is not None
    assert (found.parts[0].batches, found.parts[0].seconds) == (1, pytest.approx(2))
    assert house.backfills.pace() == (2, 4, pytest.approx(2))
    assert estimated(4, 8, house.backfills.pace()) == pytest.approx(4)


def test_one_at_a_time_for_a_stream_and_tenant(house: House) -> None:
    bench = filled(house)
    bench.send(Sent(id="1", tenant="hills"))
    house.fold()
    one = house.backfiller.begin(Wanted(stream="readings", tenants=("river",), from_="2013-03-08"), ME)
    with pytest.raises(Conflict, match=f"{one.id} of readings runs for tenant river"):
        house.backfiller.begin(Wanted(stream="readings", from_="2013-03-08"), ME)
    other = house.backfiller.begin(Wanted(stream="readings", tenants=("hills",), from_="2013-03-08"), ME)
    house.backfiller.move(one.id, BackfillState.PAUSED, ME)
    both = house.backfiller.begin(Wanted(stream="readings", tenants=("river",), from_="2013-03-08"), ME)
    with pytest.raises(Conflict, match=both.id):
        house.backfiller.move(one.id, BackfillState.RUNNING, ME)
    work(house)
    ended = {each.id: each.state for each in house.backfills.page(10)}
    assert ended == {one.id: BackfillState.PAUSED, other.id: BackfillState.DONE, both.id: BackfillState.DONE}
    with pytest.raises(Exception, match="UNIQUE constraint failed"), house.store.writing() as connection:
        connection.exec_driver_sql("UPDATE backfill_parts SET running = 1")


def test_paused_resumed_and_cancelled(house: House) -> None:
    bench = filled(house)
    spoil(house)
    begun = house.backfiller.begin(DAYS, ME)
    house.backfiller.run_once()
    house.fold()
    house.backfiller.run_once()
    house.backfiller.move(begun.id, BackfillState.PAUSED, ME)
    assert house.backfiller.run_once() is None
    house.backfiller.move(begun.id, BackfillState.RUNNING, ME)
    work(house)
    bench.check_everything()
    for to in (BackfillState.RUNNING, BackfillState.CANCELLED, BackfillState.PAUSED):
        with pytest.raises(Conflict, match="is done and cannot be"):
            house.backfiller.move(begun.id, to, ME)
    assert house.backfiller.move("bf_gone", BackfillState.PAUSED, ME) is None
    other = house.backfiller.begin(DAYS, ME)
    house.backfiller.run_once()
    cancelled = house.backfiller.move(other.id, BackfillState.CANCELLED, ME)
    assert cancelled is not None
    assert cancelled.finished_at == house.clock.now()
    assert house.backfiller.run_once() is None
    assert [act.action for act in house.audit.page(3)] == [
        Action.BACKFILL_CANCELLED,
        Action.BACKFILL_STARTED,
        Action.BACKFILL_RESUMED,
    ]


def test_a_stream_that_is_no_more_fails_its_backfill(house: House, tmp_path: Path) -> None:
    filled(house)
    begun = house.backfiller.begin(DAYS, ME)
    house.close()
    without = Model(streams={"visits": MODEL.streams["visits"]}, metrics={}, tenants=MODEL.tenants)
    bare = House(tmp_path / "data", without)
    try:
        assert bare.backfiller.run_once() == 0.0
        failed = bare.backfills.get(begun.id)
        assert failed is not None
        assert (failed.state, failed.reason) == (
            BackfillState.FAILED,
            "there is no stream named readings any more",
        )
        assert bare.backfiller.run_once() is None
    finally:
        bare.close()
    house.engine, house.store = bare.engine, bare.store


KILLED = """
import os, signal, sys
from pathlib import Path
from threading import Event
from tests.rollups.test_backfill import DAYS, ME, House, filled, spoil

house = House(Path(sys.argv[1]))
filled(house)
spoil(house)
house.backfiller.begin(DAYS, ME)
for step in range(int(sys.argv[2])):
    house.backfiller.run_once()
    if step % 2:
        house.fold()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5])
def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path: Path, steps: int) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{Path(aforo.__file__).parents[1]}{os.pathsep}{ROOT}"}
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "data"), str(steps)], env=environment, check=False
    )
    assert child.returncode == -signal.SIGKILL
    house = House(tmp_path / "data")
    try:
        (found,) = house.backfills.page(10)
        assert found.state is BackfillState.RUNNING
        told: list[BackfillState] = []
        ended = house.backfiller.run_to_end(found.id, house.fold, lambda each: told.append(each.state))
        assert ended is not None
        assert (ended.state, told[-1]) == (BackfillState.DONE, BackfillState.DONE)
        bench = Bench(house.engine)
        for at in range(SLOTS):
            fields = {"flow": at, "station": "north", "probe": f"probe {at}"}
            bench.send(*(Sent(id=f"{at}{twin}", time=NOON + at * SLOT, fields=fields) for twin in "ab"))
        bench.reference.fold()
        assert house.engine.dirty_slots() == 0
        bench.check_everything()
    finally:
        house.close()


def test_the_thread_works_what_it_finds_to_the_end(house: House) -> None:
    bench = filled(house)
    spoil(house)
    begun = house.backfiller.begin(DAYS, ME)
    house.folder_of_rollups.start()
    house.backfiller._wake_folder = house.folder_of_rollups.wake
    house.backfiller.start()
    try:
        for _ in range(600):
            found = house.backfills.get(begun.id)
            assert found is not None
            if found.state is BackfillState.DONE:
                break
            Event().wait(0.02)
    finally:
        house.backfiller.stop()
        house.folder_of_rollups.stop()
    assert found.state is BackfillState.DONE
    bench.check_everything()
