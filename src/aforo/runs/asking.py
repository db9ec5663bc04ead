"""What people ask of runs: one by hand, one again, and that one ends."""

from __future__ import annotations

from aforo.errors import Conflict, NotFound, NotYourTenant
from aforo.runs.considering import begin, make_way
from aforo.runs.ending import end_cancelled
from aforo.runs.hand import Hand, Turns
from aforo.store import audit, catalog, runs
from aforo.store.act import Action, Actor
from aforo.store.run import ENDED, Cause, LogKind, Metric, Run, RunState


class Asking:
    """Asks for runs and ends them, from any thread and beside other processes."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def by_hand(self, tenant: str, code: str, actor: Actor) -> Run:
        """A run over the newest versions, however old; the one that waits already where there is one.

        Raises NotFound for a metric that is not there, Conflict where a dataset has no version at all.
        """
        with self._turns.taken() as hand:
            metric = self._metric(hand, tenant, code)
            waiting, going = runs.open_runs(hand.connection, tenant, metric.id)
            if waiting is not None and (waiting.state is RunState.REQUESTED or waiting.pinned):
                return waiting
            if waiting is not None:
                _give_way(hand, waiting, "a run by hand takes its place")
            run = begin(hand, metric, Cause.BY_HAND, going, by=actor.name)
            if missing := runs.missing(hand.connection, run.id):
                raise Conflict(
                    f"{code!r} cannot be computed: no version of {', '.join(sorted(missing))} has come yet",
                    hint="send a ProjectionUpdateEvent of each, or POST /datasets/{id}/updates",
                )
            audit.add(hand.connection, hand.now, Action.RUN_ASKED, actor, run.id, f"{code} of {tenant}")
            return run

    def again(self, run_id: str, actor: Actor, tenants: frozenset[str] | None = None) -> Run:
        """A run over the exact versions of an earlier one.

        Raises NotFound, NotYourTenant, and Conflict where that one has not ended or another waits.
        """
        with self._turns.taken() as hand:
            metric, earlier = _held(hand, run_id, tenants)
            if earlier.state not in ENDED:
                raise Conflict(
                    f"run {run_id} is {earlier.state}", hint="it can be run again once it has ended"
                )
            versions = tuple(runs.versions(hand.connection, run_id))
            if not versions or {v.dataset_id for v in versions} != catalog.required(
                hand.connection, metric.id
            ):
                raise Conflict(
                    f"run {run_id} has not the versions that {metric.code!r} reads now",
                    hint=f"ask for a run over the newest ones: aforo runs start {metric.code}",
                )
            waiting, going = runs.open_runs(hand.connection, earlier.tenant, metric.id)
            if waiting is not None:
                raise Conflict(
                    f"run {waiting.id} of {metric.code!r} waits already", hint="cancel it, or let it run"
                )
            run = begin(hand, metric, Cause.RERUN, going, by=actor.name, pinned=versions)
            audit.add(hand.connection, hand.now, Action.RUN_ASKED, actor, run.id, f"again {run_id}")
            return run

    def cancel(self, run_id: str, actor: Actor, tenants: frozenset[str] | None = None) -> Run:
        """The run, ended; what waits behind it has its turn. Cancelling it twice changes nothing.

        Raises NotFound, NotYourTenant, and Conflict where it has ended otherwise.
        """
        with self._turns.taken() as hand:
            metric, run = _held(hand, run_id, tenants)
            if run.state is RunState.CANCELLED:
                return run
            if run.state in ENDED:
                raise Conflict(f"run {run_id} has {run.state} already", hint="nothing is left to cancel")
            ended = end_cancelled(hand, run, f"by {actor.name}", LogKind.RUN_CANCELLED)
            audit.add(
                hand.connection,
                hand.now,
                Action.RUN_CANCELLED,
                actor,
                run_id,
                f"{run.metric_code} of {run.tenant}",
            )
            make_way(hand, metric, ended)
            return ended

    def _metric(self, hand: Hand, tenant: str, code: str) -> Metric:
        found = catalog.metric(hand.connection, tenant, code)
        if found is None:
            raise NotFound.of(
                "metric",
                code,
                [each.code for each in catalog.all_metrics(hand.connection, frozenset({tenant}))],
            )
        return catalog.hold(hand.connection, {found.id})[found.id]


def _give_way(hand: Hand, waiting: Run, reason: str) -> None:
    end_cancelled(hand, waiting, reason, LogKind.RUN_CANCELLED)


def _held(hand: Hand, run_id: str, tenants: frozenset[str] | None) -> tuple[Metric, Run]:
    known = runs.get(hand.connection, run_id)
    if known is None:
        raise NotFound(f"there is no run {run_id[:100]!r}", hint="aforo runs list tells all ids")
    if tenants is not None and known.tenant not in tenants:
        raise NotYourTenant(f"run {run_id!r} is not of a tenant of this key")
    metric = catalog.hold(hand.connection, {known.metric_id})[known.metric_id]
    run = runs.get(hand.connection, run_id)
    assert run is not None, "no run is deleted while its metric is held"
    return metric, run
