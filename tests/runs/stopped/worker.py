"""The built-in worker as a process of its own: `python -m tests.runs.stopped.worker URL FOLDER`.

It reads series of our own rollups by waiting for a file `go` in the folder, so that it can be stopped at it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import structlog
from tests.store_kinds import NOWHERE

from aforo.buses.consumer import Consumer, Handle
from aforo.buses.local import LocalBus
from aforo.clock import SystemClock
from aforo.objects.opening import Opener
from aforo.runs.series import Series
from aforo.runs.worker.answers import Topics
from aforo.runs.worker.whereabouts import StoredWhereabouts
from aforo.runs.worker.worker import Worker
from aforo.settings import Worker as Rules
from aforo.store.channel import Channel
from aforo.store.connect import Store
from aforo.telemetry import Telemetry

LOOK_SECONDS = 0.02
VISIBILITY_SECONDS = 600.0


def work(url: str, folder: Path) -> None:
    """Computes until it is killed."""
    store, clock, telemetry = Store(NOWHERE, url), SystemClock(), Telemetry()
    bus = LocalBus(store, clock, visibility_seconds=VISIBILITY_SECONDS, look_seconds=LOOK_SECONDS)
    requests = bus.queue(Channel.METRIC_RUN_REQUESTS)

    def consume(handle: Handle) -> Consumer:
        return Consumer(
            requests,
            handle,
            clock,
            telemetry,
            wait_seconds=LOOK_SECONDS,
            visibility_seconds=VISIBILITY_SECONDS,
            most_receives=5,
            most_at_once=1,
        )

    def read_rollup(_dataset_id: str, _uri: str, _column: str) -> Series:
        while not (folder / "go").exists():
            time.sleep(LOOK_SECONDS)
        return Series(np.array(["2026-01-01", "2026-01-02"], "datetime64[D]"), np.array([10.0, 30.0]), None)

    topics = Topics(
        bus.topic(Channel.METRIC_RUN_STARTED),
        bus.topic(Channel.METRIC_RUN_HEARTBEATS),
        bus.topic(Channel.METRIC_RUN_COMPLETED),
    )
    rules = Rules(name="stopped", parallel=1, heartbeat_seconds=0.5)
    worker = Worker(consume, topics, Opener(), StoredWhereabouts(store), read_rollup, clock, telemetry, rules)
    worker.start()
    sys.stdin.read()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    work(sys.argv[1], Path(sys.argv[2]))
