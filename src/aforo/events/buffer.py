"""Group commit: batches that wait together are made durable together, and only then answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from aforo.clock import Clock
from aforo.engines.engine import Append, Commit, OutcomeCount, StreamRows, Volume
from aforo.engines.refused import Sample
from aforo.errors import IntakeFull, Stopping
from aforo.model.stream import Stream
from aforo.telemetry import Telemetry

log = structlog.get_logger(__name__)

Tenants = Mapping[tuple[str, str], int]


class Keeper(Protocol):
    """The one verb of an engine that the buffer uses."""

    def append(self, append: Append) -> Commit: ...


@dataclass(frozen=True, slots=True)
class Submission:
    """What one sender's batch came to: rows fit to be kept by stream, and what was refused, in counts.

    `volumes` are the bytes it brought, `samples` some of the refused events.
    """

    rows: tuple[StreamRows, ...]
    refused: tuple[OutcomeCount, ...]
    volumes: tuple[Volume, ...] = ()
    samples: tuple[Sample, ...] = ()

    @property
    def size(self) -> int:
        return sum(each.rows.num_rows for each in self.rows)


@dataclass(frozen=True, slots=True)
class Kept:
    """How many rows of a submission were new and how many were there already.

    `dirty_from` is the start of the earliest slot that waits for a fold, by the rows' stream and tenant.
    """

    accepted: int
    duplicates: int
    dirty_from: Tenants


@dataclass(slots=True)
class _Waiting:
    submission: Submission
    since: float
    kept: Future[Kept] = field(default_factory=Future)


class Buffer:
    """Holds batches for `after_seconds` or until `commit_rows` have come together, then commits them as one.

    Holds at most `queue_rows`; a batch that would not fit is refused whole, with nothing of it taken.
    """

    def __init__(
        self,
        engine: Keeper,
        clock: Clock,
        telemetry: Telemetry,
        *,
        commit_rows: int,
        after_seconds: float,
        queue_rows: int,
        sinks: Sequence[Callable[[Commit], None]] = (),
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._telemetry = telemetry
        self._commit_rows = commit_rows
        self._after_seconds = after_seconds
        self._queue_rows = queue_rows
        self._sinks = tuple(sinks)
        self._waiting: deque[_Waiting] = deque()
        self._rows = 0
        self._changed = Condition()
        self._stopping = False
        self._thread = Thread(target=self._run, name="aforo-buffer", daemon=True)

    def start(self) -> None:
        """Begins to commit."""
        self._thread.start()

    def submit(self, submission: Submission) -> Future[Kept]:
        """Takes a batch; the future is done when it is durable. Raises `IntakeFull`, `Stopping`."""
        with self._changed:
            self._admit(submission.size)
            waiting = _Waiting(submission, self._clock.monotonic())
            self._waiting.append(waiting)
            self._rows += submission.size
            self._telemetry.set("intake_queue_rows", self._rows)
            self._changed.notify_all()
        return waiting.kept

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
            while self._waiting and (
                not group or rows + self._waiting[0].submission.size <= self._commit_rows
            ):
                rows += self._waiting[0].submission.size
                group.append(self._waiting.popleft())
            return group

    def _commit(self, group: list[_Waiting]) -> None:
        started = self._clock.monotonic()
        rows = sum(waiting.submission.size for waiting in group)
        try:
            append = together([waiting.submission for waiting in group], self._clock.now())
            commit = self._engine.append(append)
        except BaseException as error:  # whatever it is, the senders wait for it
            for waiting in group:
                waiting.kept.set_exception(error)
            return
        finally:
            with self._changed:
                self._rows -= rows
                self._telemetry.set("intake_queue_rows", self._rows)
        self._measure(append, commit, self._clock.monotonic() - started)
        for waiting, kept in zip(
            group, apart([each.submission for each in group], append, commit), strict=True
        ):
            waiting.kept.set_result(kept)
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
        for rows, fresh in zip(append.rows, commit.fresh, strict=True):
            accepted = int(fresh.sum())
            self._telemetry.observe("commit_rows", accepted)
            self._telemetry.count("events_accepted_total", accepted, stream=rows.stream.name)
            self._telemetry.count("events_duplicate_total", len(fresh) - accepted, stream=rows.stream.name)
        for count in append.refused:
            self._telemetry.count(
                "events_refused_total", count.count, stream=count.stream, code=count.outcome
            )


def together(group: Sequence[Submission], arrival: int) -> Append:
    """One append of many submissions: each stream's rows follow one another in the order they came."""
    by_stream: dict[str, tuple[Stream, list[pa.Table]]] = {}
    refused: dict[tuple[str, str, str], int] = {}
    for submission in group:
        for rows in submission.rows:
            by_stream.setdefault(rows.stream.name, (rows.stream, []))[1].append(rows.rows)
        for count in submission.refused:
            key = (count.stream, count.tenant, count.outcome)
            refused[key] = refused.get(key, 0) + count.count
    return Append(
        rows=tuple(StreamRows(stream, pa.concat_tables(tables)) for stream, tables in by_stream.values()),
        refused=tuple(OutcomeCount(*key, count) for key, count in refused.items()),
        arrival=arrival,
        volumes=tuple(volume for submission in group for volume in submission.volumes),
        samples=tuple(sample for submission in group for sample in submission.samples),
    )


def apart(group: Sequence[Submission], append: Append, commit: Commit) -> list[Kept]:
    """What of the commit each submission is told: the reverse of `together`."""
    fresh = {rows.stream.name: new for rows, new in zip(append.rows, commit.fresh, strict=True)}
    at = dict.fromkeys(fresh, 0)
    told: list[Kept] = []
    for submission in group:
        accepted = 0
        dirty: dict[tuple[str, str], int] = {}
        for rows in submission.rows:
            name = rows.stream.name
            end = at[name] + rows.rows.num_rows
            accepted += int(fresh[name][at[name] : end].sum())
            at[name] = end
            for tenant in pc.unique(rows.rows["tenant"]).to_pylist():
                if (name, tenant) in commit.dirty_from:
                    dirty[name, tenant] = commit.dirty_from[name, tenant]
        told.append(Kept(accepted, submission.size - accepted, dirty))
    return told
