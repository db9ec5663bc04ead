"""Group commit: batches that wait together are made durable together, and only then answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Protocol

import structlog

from aforo.clock import Clock
from aforo.engines.appends import Append, Commit
from aforo.errors import IntakeFull, Stopping
from aforo.events.batch import Batch
from aforo.events.composing import compose
from aforo.events.echoes import Echoes
from aforo.events.receipt import Receipt
from aforo.events.steps import Rules
from aforo.model.ingest import SEALED
from aforo.telemetry import Telemetry

log = structlog.get_logger(__name__)


class Keeper(Protocol):
    """The one verb of an engine that the buffer uses."""

    def append(self, append: Append) -> Commit: ...


@dataclass(slots=True, eq=False)
class _Waiting:
    batch: Batch
    since: float
    receipt: Future[Receipt] = field(default_factory=Future)


class Buffer:
    """Holds batches for `after_seconds` or until `commit_rows` have come together, then commits them as one.

    Holds at most `queue_rows`; a batch that would not fit is refused whole, with nothing of it taken. With
    `echoes` content that comes again is known for as long as its stream says.
    """

    def __init__(
        self,
        engine: Keeper,
        clock: Clock,
        telemetry: Telemetry,
        *,
        future_seconds: int,
        tenants: frozenset[str] | None = None,
        commit_rows: int,
        after_seconds: float,
        queue_rows: int,
        echoes: Echoes | None = None,
        sinks: Sequence[Callable[[Commit], None]] = (),
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._telemetry = telemetry
        self._future_seconds = future_seconds
        self._tenants = tenants
        self._commit_rows = commit_rows
        self._after_seconds = after_seconds
        self._queue_rows = queue_rows
        self._echoes = echoes
        self._sinks = tuple(sinks)
        self._waiting: deque[_Waiting] = deque()
        self._rows = 0
        self._changed = Condition()
        self._stopping = False
        self._thread = Thread(target=self._run, name="aforo-buffer", daemon=True)

    def start(self) -> None:
        """Begins to commit."""
        self._thread.start()

    def submit(self, batch: Batch) -> Future[Receipt]:
        """Takes a batch; the future is done when it is durable. Raises `IntakeFull`, `Stopping`."""
        with self._changed:
            self._admit(batch.rows)
            waiting = _Waiting(batch, self._clock.monotonic())
            self._waiting.append(waiting)
            self._rows += batch.rows
            self._telemetry.set("intake_queue_rows", self._rows)
            # Whoever waits for the first, or for a whole commit, need not be woken for those in between.
            if len(self._waiting) == 1 or self._rows >= self._commit_rows:
                self._changed.notify_all()
        return waiting.receipt

    def check(self) -> None:
        """Raises what `submit` would raise now for a batch of one row."""
        with self._changed:
            self._admit(1)

    def stop(self, drain_seconds: float) -> bool:
        """Takes nothing more and commits what waits; whether that was done within the time."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(drain_seconds)
        return not self._thread.is_alive()

    def run_once(self) -> bool:
        """Commits the group that waits, however small; whether there was one."""
        group = self._take()
        if group:
            self._commit(group)
        return bool(group)

    def _admit(self, rows: int) -> None:
        if self._stopping:
            raise Stopping("the intake is stopping", hint="send the batch again in a moment")
        if self._rows and self._rows + rows > self._queue_rows:
            raise IntakeFull(
                f"{self._rows} rows wait to be committed and {self._queue_rows} may; nothing was taken",
                retry_after_seconds=1.0,
                hint="send the same batch again after Retry-After: what was taken before counts once",
            )

    def _run(self) -> None:
        while self._wait():
            self.run_once()

    def _wait(self) -> bool:
        """Sleeps until a group is due; false when stopping and nothing waits any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            if not self._waiting:
                return False
            due = self._waiting[0].since + self._after_seconds
            self._changed.wait_for(
                lambda: self._rows >= self._commit_rows or self._stopping,
                timeout=max(0.0, due - self._clock.monotonic()),
            )
            return True

    def _take(self) -> list[_Waiting]:
        with self._changed:
            group: list[_Waiting] = []
            rows = 0
            while self._waiting and (not group or rows + self._waiting[0].batch.rows <= self._commit_rows):
                rows += self._waiting[0].batch.rows
                group.append(self._waiting.popleft())
            return group

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            self._keep(group)
        finally:
            with self._changed:
                self._rows -= sum(waiting.batch.rows for waiting in group)
                self._telemetry.set("intake_queue_rows", self._rows)

    def _keep(self, group: list[_Waiting]) -> None:
        started = self._clock.monotonic()
        try:
            rules = Rules(self._clock.now(), self._future_seconds, tenants=self._tenants, echoes=self._echoes)
            composed = compose([waiting.batch for waiting in group], rules)
        except Exception as error:
            # One batch that no step foresaw fails alone, and turns away nobody who came with it.
            for alone in group if len(group) > 1 else ():
                self._keep([alone])
            if len(group) == 1:
                group[0].receipt.set_exception(error)
            return
        try:
            commit = self._engine.append(composed.append)
        except BaseException as error:  # whatever it is, the senders wait for it
            for waiting in group:
                waiting.receipt.set_exception(error)
            return
        self._measure(composed.append, commit, self._clock.monotonic() - started)
        for waiting, receipt in zip(group, composed.receipts(commit), strict=True):
            waiting.receipt.set_result(receipt)
        self._tell(commit)

    def _tell(self, commit: Commit) -> None:
        for sink in self._sinks:
            try:
                sink(commit)
            except Exception:
                # What listens to commits may fail; taking events goes on.
                log.exception("a sink failed", commit=commit.number)

    def _measure(self, append: Append, commit: Commit, seconds: float) -> None:
        self._telemetry.observe("commit_seconds", seconds)
        for at, (rows, fresh) in enumerate(zip(append.rows, commit.fresh, strict=True)):
            stream, accepted = rows.stream.name, int(fresh.sum())
            sealed = len(commit.sealed[at]) if commit.sealed else 0
            self._telemetry.observe("commit_rows", accepted)
            self._telemetry.count("events_accepted_total", accepted, stream=stream)
            self._telemetry.count("events_duplicate_total", len(fresh) - accepted - sealed, stream=stream)
            if sealed:
                self._telemetry.count("events_refused_total", sealed, stream=stream, code=SEALED)
        for count in append.refused:
            self._telemetry.count(
                "events_refused_total", count.count, stream=count.stream, code=count.outcome
            )
