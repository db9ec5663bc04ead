"""Law 1: what was acknowledged is on the disk, whenever the process ends and however."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.engines.gauges import NOON, Sent, as_reference, ask
from tests.laws.loading import different, load, sent
from tests.laws.shelf import MODEL, READINGS, Desk, Shelf, as_json, content

import aforo
from aforo.engines.appends import Append, Commit
from aforo.errors import StorageFull
from aforo.events.buffer import Buffer
from aforo.events.intake import Intake
from aforo.events.receipt import Receipt
from aforo.telemetry import Telemetry
from aforo.windows import DAY, Window, Zone

ROOT = Path(__file__).parents[2]
FOREVER = Window(NOON - 400 * DAY, NOON + 400 * DAY)
BATCHES = 25


def events(shelf: Shelf, tenant: str = "river") -> int:
    return shelf.engine.estimate_raw("readings", tenant, FOREVER)


def test_whoever_pulls_the_plug_at_the_receipt_finds_all_of_it(shelf: Shelf, tmp_path: Path) -> None:
    """The files as they are at the moment of each receipt, before anything else can run, hold the batch."""
    tenant, copies = shelf.tenant(), []
    desk = Desk.of(shelf)

    def copy(_receipt: Future[Receipt]) -> None:
        copies.append(tmp_path / str(len(copies)))
        shutil.copytree(shelf.directory, copies[-1])

    for number in range(4):
        event = Sent(tenant=tenant, id=str(number), time=NOON + number, fields=content(number))
        waiting = desk.intake.take([as_json(event)])
        waiting.add_done_callback(copy)
        desk.commit()
        waiting.result(timeout=0)
    for number, directory in enumerate(copies):
        copied = Shelf(directory, shelf.zone)
        assert events(copied, tenant) == number + 1
        assert copied.engine.standing("readings", tenant, FOREVER).dirty_from is not None
        copied.engine.close()


def test_no_receipt_is_given_for_what_was_not_kept(shelf: Shelf) -> None:
    """Every sender of the group is told, and the next group is taken as before."""

    class FullOnce:
        """Hands on to an engine, but for the first append, for which the disk is full."""

        appends = 0

        def append(self, append: Append) -> Commit:
            self.appends += 1
            if self.appends == 1:
                raise StorageFull("the disk is full")
            return shelf.engine.append(append)

    buffer = Buffer(
        FullOnce(),
        shelf.clock,
        Telemetry(),
        future_seconds=600,
        commit_rows=10,
        after_seconds=0.0,
        queue_rows=100,
    )
    intake = Intake(MODEL, buffer, shelf.clock, future_seconds=600)
    tenant = shelf.tenant()
    events_sent = [as_json(Sent(tenant=tenant, id=id_)) for id_ in ("1", "2")]
    waiting = [intake.take([event]) for event in events_sent]
    assert buffer.run_once()
    for each in waiting:
        with pytest.raises(StorageFull):
            each.result(timeout=0)
    assert events(shelf, tenant) == 0
    again = intake.take(events_sent)
    assert not again.done()
    assert buffer.run_once()
    assert again.result(timeout=0).accepted == 2


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A child that is killed at the latest when the test is done with it."""
    paths = os.pathsep.join([str(Path(aforo.__file__).parents[1]), str(ROOT)])
    child = subprocess.Popen(
        [sys.executable, "-m", *command],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


def killed_while_loading(directory: Path, lines: int) -> int:
    """Kills a loading process once it has said so many lines; how many batches it acknowledged."""
    with running("tests.laws.loading", str(directory), str(BATCHES)) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        for _ in range(lines):
            assert child.stdout.readline(), child.stderr.read()
        child.kill()
        # What it said between our reading and its end was acknowledged as well.
        said = lines + len(child.stdout.readlines())
    return max(0, said - 1)


def rounds(count: int, seed: int) -> list[int]:
    """Numbers of lines after which to kill: 1 is before the first acknowledgement."""
    dice = random.Random(seed)
    return [dice.randint(1, BATCHES) for _ in range(count)]


def test_a_load_killed_five_times_loses_nothing_and_is_resumed(tmp_path: Path) -> None:
    kill_and_resume(tmp_path, rounds(5, seed=1))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_a_load_killed_at_25_moments_loses_nothing(tmp_path: Path, seed: int) -> None:
    kill_and_resume(tmp_path, rounds(5, seed=seed + 2))


def kill_and_resume(directory: Path, kills: list[int]) -> None:
    acknowledged = 0
    for lines in kills:
        acknowledged = max(acknowledged, killed_while_loading(directory, lines))
        shelf = Shelf(directory, "America/New_York")
        kept = events(shelf)
        outcomes = shelf.engine.statistics().outcomes
        shelf.engine.close()
        # What was on its way when the process ended may be there too, but only as a whole batch.
        assert kept in [different(acknowledged), different(acknowledged + 1)]
        assert outcomes.get("accepted", 0) == kept
        if kept == different(acknowledged + 1):
            acknowledged += 1
    load(directory, BATCHES)
    shelf = Shelf(directory, "America/New_York")
    bench = shelf.bench("river")
    bench.reference.take([as_reference(sent(number)) for number in range(different(BATCHES))], NOON)
    bench.fold()
    for rollup in READINGS.rollups.values():
        bench.check(ask(READINGS, rollup, window=FOREVER, zone=Zone(shelf.zone), by=rollup.dimensions))
    assert shelf.engine.statistics().outcomes["accepted"] == different(BATCHES)
    shelf.engine.close()
