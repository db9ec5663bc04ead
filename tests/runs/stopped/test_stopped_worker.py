"""Law 10 with a worker that stands still past its lease, and then goes on as if nothing had been."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.runs.desk import ME, TENANT, growth
from tests.store_kinds import Stores

from aforo.buses.bus import Queue
from aforo.buses.consumer import Consumer, Handle
from aforo.buses.local import LocalBus
from aforo.clock import MICROSECONDS, ManualClock, SystemClock
from aforo.objects.opening import Opener
from aforo.runs.definitions import Grounds
from aforo.runs.folded import Fold
from aforo.runs.hand import Turns
from aforo.runs.leftovers import Leftovers
from aforo.runs.reactive import Reactive
from aforo.runs.upkeep import Upkeep
from aforo.settings import Runs
from aforo.store import runs
from aforo.store.connect import Store
from aforo.store.run import Lease, LogKind, Run, RunState, result_dataset, rollup_dataset
from aforo.store.run_tables import dataset_updates, event_log
from aforo.telemetry import Telemetry

ROOT = Path(__file__).parents[3]
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 120.0
RULES = Runs(lease_seconds=3.0, back_off_seconds=0.0, look_every_seconds=0.05, most_attempts=50)


class Side:
    """The reactive side of this process, with one metric over a stream that was folded once."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.grounds = Grounds(
            roots=(), results=f"{(folder / 'results').as_uri()}/", streams={"visits": ("visits.count",)}
        )
        clock, telemetry = SystemClock(), Telemetry()

        def consume(queue: Queue, handle: Handle) -> Consumer:
            return Consumer(
                queue, handle, clock, telemetry, wait_seconds=0.05, visibility_seconds=30.0, most_receives=5
            )

        self.reactive = Reactive(
            store,
            LocalBus(store, clock, visibility_seconds=30.0, look_seconds=0.05),
            clock,
            telemetry,
            RULES,
            grounds=self.grounds,
            objects=Opener(),
            fold_of=lambda _stream, _tenant: Fold(revision=1, complete_until=1, day=1),
            consume=consume,
            dice=random.Random(1),
        )
        ours = {"id": rollup_dataset("visits", TENANT), "series": [{"code": "visits.count"}]}
        defined = {"datasets": [ours], "metrics": [growth("V", "visits.count")]}
        self.reactive.definitions.apply(TENANT, defined, ME)

    def upkeep_in(self, seconds: float) -> Upkeep:
        """The upkeep as it will be."""
        clock, telemetry = ManualClock(SystemClock().now() + round(seconds * MICROSECONDS)), Telemetry()
        leftovers = Leftovers(self.store, Opener(), self.grounds.results_of, telemetry)
        return Upkeep(Turns(self.store, clock, RULES, telemetry, lambda: None), leftovers, telemetry)

    def run(self) -> Run | None:
        """The only run there is."""
        with self.store.reading() as connection:
            return next(iter(runs.page(connection, None, 1)), None)

    def lease(self) -> Lease | None:
        run = self.run()
        with self.store.reading() as connection:
            return None if run is None else runs.lease_of(connection, run.id)

    def stale(self) -> list[str]:
        """What was refused."""
        told = select(event_log.c.detail).where(event_log.c.kind == str(LogKind.MESSAGE_STALE))
        with self.store.reading() as connection:
            return list(connection.execute(told).scalars())

    def results(self) -> list[str]:
        mine = dataset_updates.c.dataset_id == result_dataset(TENANT, "V")
        with self.store.reading() as connection:
            return list(connection.execute(select(dataset_updates.c.manifest_uri).where(mine)).scalars())


@pytest.fixture
def side(stores: Stores, tmp_path: Path) -> Iterator[Side]:
    side = Side(stores.store, tmp_path)
    side.reactive.start()
    yield side
    side.reactive.stop()


def test_what_a_worker_says_after_its_lease_is_refused(stores: Stores, side: Side, tmp_path: Path) -> None:
    with working(stores.url, tmp_path) as worker:
        wait_until(lambda: has(side.run(), RunState.RUNNING))
        # Just after a heartbeat: one that stands still while it writes would hold the file of SQLite.
        before = side.lease()
        wait_until(lambda: side.lease() != before)
        worker.send_signal(signal.SIGSTOP)
        wait_until(lambda: attempt_of(side.run()) == 2)
        (tmp_path / "go").touch()
        worker.send_signal(signal.SIGCONT)
        wait_until(lambda: any("completed of attempt 1" in each for each in side.stale()))
        wait_until(lambda: has(side.run(), RunState.SUCCEEDED))
    last = side.run()
    assert last is not None
    assert last.attempt >= 2
    assert last.manifest_uri is not None
    assert f"/{last.id}/{last.attempt}/" in last.manifest_uri
    assert side.results() == [last.manifest_uri]
    attempts = (tmp_path / "results" / TENANT / "V" / last.id).iterdir
    assert {each.name for each in attempts()} > {"1"}, "what was refused has been written"
    side.upkeep_in(2 * 86_400).run_once()
    assert [each.name for each in attempts()] == [str(last.attempt)], "and goes, with every other not taken"
    assert Path(last.manifest_uri.removeprefix("file://")).exists()


def has(run: Run | None, state: RunState) -> bool:
    return run is not None and run.state is state


def attempt_of(run: Run | None) -> int:
    return 0 if run is None else run.attempt


@contextmanager
def working(url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker over the store at a URL, which is killed after the block."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "src")))
    command = [sys.executable, "-m", "tests.runs.stopped.worker", url, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(true: Callable[[], bool]) -> None:
    """Returns once it is; what it waits for is another process's doing."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < until, "it never is"
        time.sleep(LOOK_SECONDS)
