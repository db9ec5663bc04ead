"""What a new version means for one metric. Whoever calls these holds the metric."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from aforo.runs.ending import end_cancelled
from aforo.runs.hand import Hand
from aforo.runs.messages import Input, MetricRunRequestEvent, Place, encode
from aforo.runs.readiness import Readiness, deadline, readiness
from aforo.store import catalog, outbox, runs
from aforo.store.channel import Channel
from aforo.store.run import Cause, LogKind, Metric, Run, RunState, Series, Version, new_id
from aforo.store.standing import Standing, standing
from aforo.windows import Zone

_UTC = Zone("UTC")


def consider(hand: Hand, metric: Metric, version: Version, stands: Standing) -> Run | None:
    """A new version makes a run, joins the one that waits, or is noted by the one that cannot take it in."""
    waiting, going = None, None
    if stands.busy:
        waiting, going = runs.open_runs(hand.connection, metric.tenant, metric.id)
    if waiting is None:
        return begin(hand, metric, Cause.UPDATE, going, version=version, stands=stands)
    if waiting.state is RunState.REQUESTED or waiting.pinned:
        note(hand, waiting, version)
        return None
    return join(hand, metric, waiting, going, version, stands)


def begin(
    hand: Hand,
    metric: Metric,
    cause: Cause,
    going: Run | None,
    *,
    by: str = "",
    pinned: tuple[Version, ...] | None = None,
    version: Version | None = None,
    stands: Standing | None = None,
) -> Run:
    """A new run over the newest versions, or those of an earlier run; asked for if nothing is missing.

    `stands` is how its metric stands, where that was read already.
    """
    stands = stands or standing(hand.connection, metric.id)
    found = _found(metric, stands, cause) if pinned is None else Readiness(pinned, {})
    run = _new(hand, metric, cause, found, by=by, pinned=pinned is not None)
    goes = found.ready and going is None
    if goes:
        run = replace(run, state=RunState.REQUESTED, attempt=1, requested_at=hand.now)
    runs.add(hand.connection, run)
    runs.set_versions(hand.connection, run.id, found.versions, anew=True)
    if goes:
        _send(hand, metric, run, stands.reads, found.versions)
    else:
        runs.set_missing(hand.connection, run.id, found.missing, anew=True)
        hand.tell(LogKind.RUN_WAITS, run, _why(found, going), version)
    return run


def join(
    hand: Hand, metric: Metric, waiting: Run, going: Run | None, version: Version, stands: Standing
) -> Run:
    """The run that waits takes a version in, and is asked for where nothing is missing any more."""
    hand.tell(LogKind.UPDATE_JOINED, waiting, version=version)
    return renew(hand, metric, waiting, going, stands)


def renew(hand: Hand, metric: Metric, waiting: Run, going: Run | None, stands: Standing | None = None) -> Run:
    """The run that waits, over the newest versions there are now."""
    stands = stands or standing(hand.connection, metric.id)
    found = _found(metric, stands, waiting.cause)
    runs.set_versions(hand.connection, waiting.id, found.versions)
    runs.set_missing(hand.connection, waiting.id, found.missing)
    if found.ready and going is None:
        return _request(hand, metric, waiting, stands.reads, found)
    expires_at = deadline(found, _window(metric, waiting.cause), hand.now)
    return runs.change(
        hand.connection, waiting, hand.now, triggered_at=found.triggered_at, expires_at=expires_at
    )


def note(hand: Hand, run: Run, version: Version) -> None:
    """A version came that a run cannot take in any more: one more run follows it."""
    if not run.follow_up:
        runs.change(hand.connection, run, hand.now, follow_up=True)
    told = "one more run follows" if not run.pinned else "its versions are given; one more run follows"
    hand.tell(LogKind.UPDATE_NOTED, run, told, version)


def make_way(hand: Hand, metric: Metric, moved: Run) -> None:
    """A run has left its place: what was noted by it, or waits behind it, has its turn.

    Call it after every move of a run out of PENDING, REQUESTED, RUNNING or LOST, but not for LOST to
    REQUESTED, which takes in what waits by itself.
    """
    waiting, going = runs.open_runs(hand.connection, metric.tenant, metric.id)
    if moved.follow_up:
        runs.change(hand.connection, moved, hand.now, follow_up=False)
        if waiting is None:
            begin(hand, metric, Cause.FOLLOW_UP, going)
            return
    if waiting is not None and waiting.state is RunState.PENDING and going is None:
        if waiting.pinned:
            request_again(hand, metric, waiting)
        else:
            renew(hand, metric, waiting, None)


def reconsider(hand: Hand, metric: Metric) -> None:
    """What a metric reads has changed: its run that waits may have all it needs now, or wait for others."""
    waiting, going = runs.open_runs(hand.connection, metric.tenant, metric.id)
    if waiting is not None and waiting.state is RunState.PENDING and not waiting.pinned:
        renew(hand, metric, waiting, going)


def request_again(hand: Hand, metric: Metric, run: Run) -> None:
    """Asks for a run over the versions it has.

    Where its metric has come to read other datasets meanwhile it ends, and what it left out has its turn.
    """
    reads = catalog.read_by(hand.connection, metric.id)
    versions = tuple(runs.versions(hand.connection, run.id))
    if {each.dataset_id for each in reads} <= {version.dataset_id for version in versions}:
        _request(hand, metric, run, reads, Readiness(versions, {}))
        return
    end_cancelled(hand, run, "its metric reads other datasets now", LogKind.RUN_CANCELLED)
    if run.follow_up or not run.pinned:
        begin(hand, metric, Cause.FOLLOW_UP, None)


def request_renewed(hand: Hand, metric: Metric, run: Run) -> None:
    """Asks for a lost run again: over the newest versions where these serve, else over those it had."""
    stands = standing(hand.connection, metric.id)
    found = _found(metric, stands, run.cause)
    if run.pinned or not found.ready:
        request_again(hand, metric, run)
        return
    runs.set_versions(hand.connection, run.id, found.versions)
    _request(hand, metric, run, stands.reads, found)


def _found(metric: Metric, stands: Standing, cause: Cause) -> Readiness:
    required = {each.dataset_id for each in stands.reads}
    return readiness(required, stands.newest, _window(metric, cause))


def _window(metric: Metric, cause: Cause) -> int | None:
    """Who asks by hand takes what there is, however old."""
    return None if cause is Cause.BY_HAND else metric.required_days


def _new(hand: Hand, metric: Metric, cause: Cause, found: Readiness, *, by: str, pinned: bool) -> Run:
    return Run(
        id=new_id(),
        tenant=metric.tenant,
        metric_id=metric.id,
        metric_code=metric.code,
        cause=cause,
        state=RunState.PENDING,
        attempt=0,
        pinned=pinned,
        follow_up=False,
        triggered_at=found.triggered_at,
        expires_at=deadline(found, _window(metric, cause), hand.now),
        not_before=None,
        requested_at=None,
        started_at=None,
        finished_at=None,
        worker=None,
        manifest_uri=None,
        row_count=None,
        error_code=None,
        error_message=None,
        reason="",
        created_by=by,
        created_at=hand.now,
        changed_at=hand.now,
    )


def _request(hand: Hand, metric: Metric, run: Run, reads: list[Series], found: Readiness) -> Run:
    moved = runs.move(
        hand.connection,
        run,
        RunState.REQUESTED,
        hand.now,
        attempt=run.attempt + 1,
        triggered_at=found.triggered_at,
        follow_up=run.follow_up and run.pinned,
        requested_at=hand.now,
        expires_at=None,
        not_before=None,
        started_at=None,
        worker=None,
    )
    runs.set_missing(hand.connection, run.id, {})
    _send(hand, metric, moved, reads, found.versions)
    return moved


def _send(hand: Hand, metric: Metric, run: Run, reads: list[Series], versions: tuple[Version, ...]) -> None:
    """The request, in the transaction that makes it necessary."""
    outbox.add(
        hand.connection,
        tenant=run.tenant,
        topic=str(Channel.METRIC_RUN_REQUESTS),
        group=run.metric_code,
        dedup=f"{run.id}:{run.attempt}",
        run_id=run.id,
        attempt=run.attempt,
        body=encode(_message(metric, run, reads, versions)).decode(),
        at=hand.now,
    )
    runs.lease(hand.connection, run.id, run.attempt, hand.in_seconds(hand.rules.start_within_seconds))
    hand.tell(LogKind.RUN_REQUESTED, run, ", ".join(f"{v.dataset_id}#{v.id}" for v in versions))


def _message(
    metric: Metric, run: Run, reads: list[Series], versions: tuple[Version, ...]
) -> MetricRunRequestEvent:
    found = {version.dataset_id: version for version in versions}
    return MetricRunRequestEvent(
        run_id=run.id,
        metric_code=run.metric_code,
        expression_type=str(metric.expression_type),
        expression_json=msgspec.Raw(metric.expression.encode()),
        inputs=tuple(_input(version) for version in versions),
        catalog={
            each.code: Place(
                dataset_id=each.dataset_id,
                manifest_uri=found[each.dataset_id].manifest_uri,
                column=each.column,
            )
            for each in reads
        },
        attempt=run.attempt,
        requested_at=_UTC.rfc3339(run.requested_at or run.created_at),
    )


def _input(version: Version) -> Input:
    return Input(
        dataset_id=version.dataset_id,
        update_id=str(version.id),
        manifest_uri=version.manifest_uri,
        updated_at=_UTC.rfc3339(version.updated_at),
    )


def _why(found: Readiness, going: Run | None) -> str:
    if found.missing:
        return "waits for " + ", ".join(found.missing)
    assert going is not None, "what has all it needs waits for nothing but a run"
    return f"waits for {going.id}, which goes on"
