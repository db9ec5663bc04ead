"""The worker beside a server: a part of its process that it does not wait for."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

from aforo.http.app import Rooms
from aforo.runs.measured import MeasuredSeries

if TYPE_CHECKING:
    from aforo.runs.worker.worker import Worker


class WorkerBeside:
    """Begins to compute runs once it is imported, which takes a while; it asks the server's own rollups."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._worker: Worker | None = None
        self._beginning = Thread(target=self._begin, name="aforo-worker-start", daemon=True)

    def start(self) -> None:
        """Begins in the background, unless all runs are left to other workers."""
        if self._rooms.settings.worker.parallel:
            self._beginning.start()

    def stop(self) -> None:
        """Takes no new runs, and gives back those that do not end in time."""
        if self._beginning.ident is not None:
            self._beginning.join()
        if self._worker is not None:
            self._worker.stop()

    def _begin(self) -> None:
        from aforo.assembly.working import worker_over

        rooms = self._rooms
        measured = MeasuredSeries(rooms.desk, rooms.engine.extent, rooms.engine.zone)
        store, bus = rooms.reactive.store, rooms.reactive.bus
        worker = worker_over(store, bus, measured, rooms.settings, rooms.clock, rooms.telemetry)
        worker.start()
        self._worker = worker
