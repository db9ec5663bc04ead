"""Workers: the one beside the server, and one that is a process of its own.

`serving` imports this once it answers: what a worker needs takes a while to import.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Event
from types import FrameType

from aforo.assembly.asking_rollups import RemoteSeries
from aforo.assembly.consuming import consumer_of
from aforo.assembly.reach import connection_to
from aforo.buses.bus import Bus
from aforo.buses.opening import bus_of
from aforo.clock import Clock
from aforo.errors import InvalidSettings
from aforo.objects.opening import Opener
from aforo.runs.worker.answers import Topics
from aforo.runs.worker.gathering import AsksRollup
from aforo.runs.worker.whereabouts import StoredWhereabouts
from aforo.runs.worker.worker import Worker
from aforo.settings import Settings
from aforo.store.channel import Channel
from aforo.store.connect import Store
from aforo.telemetry import Telemetry


def worker_over(
    store: Store,
    bus: Bus,
    ask_rollup: AsksRollup,
    settings: Settings,
    clock: Clock,
    telemetry: Telemetry,
) -> Worker:
    """A worker that takes requests from a bus, and knows from a store where files may lie."""
    queue = bus.queue(Channel.METRIC_RUN_REQUESTS)
    return Worker(
        partial(consumer_of, settings, clock, telemetry, queue, most_at_once=1),
        Topics(
            started=bus.topic(Channel.METRIC_RUN_STARTED),
            heartbeats=bus.topic(Channel.METRIC_RUN_HEARTBEATS),
            completed=bus.topic(Channel.METRIC_RUN_COMPLETED),
        ),
        Opener(region=settings.aws.region, endpoint_url=settings.aws.endpoint_url),
        StoredWhereabouts(store),
        ask_rollup,
        clock,
        telemetry,
        settings.worker,
    )


def work(settings: Settings, clock: Clock, on_ready: Callable[[str], None]) -> None:
    """Works over the store alone until it is told to stop; `on_ready` is told where the store is.

    Our own rollups are asked from the server that the settings name or that holds the data directory.
    Raises InvalidSettings, StorageError.
    """
    if not settings.worker.parallel:
        raise InvalidSettings(
            "worker.parallel is 0, so this process would compute nothing",
            hint="set AFORO_WORKER_PARALLEL=2 for it, and 0 for the server only",
        )
    with ExitStack() as stack:
        store = Store(settings.data, settings.store)
        stack.callback(store.close)
        bus = bus_of(settings, store, clock)
        stack.callback(bus.close)
        ask_rollup = RemoteSeries(partial(connection_to, settings))
        worker = worker_over(store, bus, ask_rollup, settings, clock, Telemetry())
        stopping = stack.enter_context(_told_to_stop())
        worker.start()
        stack.callback(worker.stop)
        on_ready(store.place)
        stopping.wait()


@contextmanager
def _told_to_stop() -> Iterator[Event]:
    """Set by the signals that ask a process to end; a second one ends it at once."""
    stopping = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, _frame: FrameType | None) -> None:
        stopping.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, stop)
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
