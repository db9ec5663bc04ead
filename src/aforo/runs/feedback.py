"""What workers say of runs. A message of an attempt that is over changes nothing but the log."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from aforo.errors import OutsidePrefix
from aforo.objects.prefix import Prefix
from aforo.runs.considering import make_way
from aforo.runs.hand import Hand, Turns
from aforo.runs.messages import (
    MetricRunCompletedEvent,
    MetricRunHeartbeatEvent,
    MetricRunStartedEvent,
    ProjectionUpdateEvent,
    RunError,
)
from aforo.runs.reactor import react
from aforo.store import catalog, consumed, runs
from aforo.store.metadata import DETAIL_LENGTH
from aforo.store.run import LEASED, Dataset, LogKind, Metric, Run, RunState, result_dataset
from aforo.windows import Zone, parse_instant


class Effect(StrEnum):
    """What a message came to."""

    TAKEN = "taken"
    REPEATED = "repeated"
    STALE = "stale"  # the attempt is over, or never was
    UNKNOWN = "unknown"  # there is no such run


class Feedback:
    """Takes what workers say, from any thread and beside other processes."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def started(self, said: MetricRunStartedEvent) -> Effect:
        """The run goes on from now, and has to be heard of."""
        with self._turns.taken() as hand:
            found = _held(hand, said.run_id, said.attempt, "started")
            if isinstance(found, Effect):
                return found
            metric, run = found
            if not consumed.take(hand.connection, "started", f"{said.run_id}:{said.attempt}", hand.now):
                return Effect.REPEATED
            if run.state is RunState.REQUESTED:
                _going(hand, metric, run, said.started_at, said.worker)
            elif run.worker is None:  # a heartbeat has overtaken this
                runs.change(hand.connection, run, hand.now, worker=said.worker)
            _heard(hand, run, None)
            return Effect.TAKEN

    def heartbeat(self, said: MetricRunHeartbeatEvent) -> Effect:
        """The lease lasts from now again. A heartbeat may overtake the start, which it then is."""
        with self._turns.taken() as hand:
            found = _held(hand, said.run_id, said.attempt, "heartbeat")
            if isinstance(found, Effect):
                return found
            metric, run = found
            if run.state is RunState.REQUESTED:
                _going(hand, metric, run, said.at, None)
            _heard(hand, run, said.progress)
            return Effect.TAKEN

    def completed(self, said: MetricRunCompletedEvent) -> Effect:
        """The run has ended; its result is a new version of the metric's dataset."""
        with self._turns.taken() as hand:
            found = _held(hand, said.run_id, said.attempt, "completed")
            if isinstance(found, Effect):
                return found
            metric, run = found
            said = _in_its_place(hand, run, said)
            ended = _end(hand, run, said)
            consumed.take(hand.connection, "completed", f"{said.run_id}:{said.attempt}", hand.now)
            make_way(hand, metric, ended)
            if ended.state is RunState.SUCCEEDED and said.manifest is not None:
                _publish(hand, ended, said)
            return Effect.TAKEN


def _held(hand: Hand, run_id: str, attempt: int, what: str) -> tuple[Metric, Run] | Effect:
    """The run with its metric held, where the attempt is the one that goes on."""
    known = runs.get(hand.connection, run_id)
    if known is None:
        return Effect.UNKNOWN
    # All that this may move is held at once and in order, the readers of its result too.
    result = result_dataset(known.tenant, known.metric_code)
    metric = catalog.hold_with_readers(hand.connection, known.metric_id, result)[known.metric_id]
    run = runs.get(hand.connection, run_id)
    assert run is not None, "no run is deleted while its metric is held"
    if run.attempt == attempt and run.state in LEASED:
        return metric, run
    if run.attempt == attempt and _is_known(hand, run, what):
        return Effect.REPEATED
    told = f"{what} of attempt {attempt}; the run is {run.state} in attempt {run.attempt}"
    hand.tell(LogKind.MESSAGE_STALE, run, told)
    return Effect.STALE


def _is_known(hand: Hand, run: Run, what: str) -> bool:
    return consumed.is_taken(hand.connection, what, f"{run.id}:{run.attempt}")


def _going(hand: Hand, metric: Metric, run: Run, started_at: str, worker: str | None) -> None:
    moved = runs.move(
        hand.connection, run, RunState.RUNNING, hand.now, started_at=parse_instant(started_at), worker=worker
    )
    hand.tell(LogKind.RUN_STARTED, moved, "" if worker is None else f"by {worker}")
    make_way(hand, metric, moved)


def _heard(hand: Hand, run: Run, progress: float | None) -> None:
    until = hand.in_seconds(hand.rules.lease_seconds)
    runs.heard(hand.connection, run.id, run.attempt, at=hand.now, until=until, progress=progress)


def _in_its_place(hand: Hand, run: Run, said: MetricRunCompletedEvent) -> MetricRunCompletedEvent:
    """A result that lies where the metric's results are not read is none: the run has failed."""
    if said.status != "SUCCEEDED" or said.manifest is None:
        return said
    try:
        Prefix.of(_results(hand, run).prefix).steps(said.manifest)
    except OutsidePrefix as outside:
        error = RunError(code=outside.code, message=outside.detail)
    else:
        return said
    return msgspec.structs.replace(said, status="FAILED", manifest=None, error=error)


def _results(hand: Hand, run: Run) -> Dataset:
    dataset = catalog.dataset(hand.connection, result_dataset(run.tenant, run.metric_code))
    assert dataset is not None, "every metric has the dataset of its results"
    return dataset


def _end(hand: Hand, run: Run, said: MetricRunCompletedEvent) -> Run:
    to = RunState(said.status)
    error = said.error
    runs.release(hand.connection, run.id)
    ended = runs.move(
        hand.connection,
        run,
        to,
        hand.now,
        finished_at=parse_instant(said.completed_at),
        manifest_uri=said.manifest,
        row_count=said.row_count,
        error_code=None if error is None else error.code[:64],
        error_message=None if error is None else error.message[:DETAIL_LENGTH],
    )
    kind = LogKind.RUN_SUCCEEDED if to is RunState.SUCCEEDED else LogKind.RUN_FAILED
    hand.tell(kind, ended, "" if error is None else f"{error.code}: {error.message}")
    return ended


def _publish(hand: Hand, run: Run, said: MetricRunCompletedEvent) -> None:
    """The result as an update of the metric's own dataset, as new as the newest version it was made from."""
    dataset = _results(hand, run)
    react(
        hand,
        ProjectionUpdateEvent(
            event_id=f"{run.id}:{run.attempt}",
            dataset_id=dataset.id,
            manifest_uri=said.manifest,
            updated_at=Zone("UTC").rfc3339(run.triggered_at),
            row_count=said.row_count,
        ),
        dataset,
    )
