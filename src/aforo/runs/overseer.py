"""Sees to what time alone does to runs: lost ones are asked for again, those that wait too long expire."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sqlalchemy.sql import Select

from aforo.rounds import Rounds, each
from aforo.runs.considering import make_way, request_renewed
from aforo.runs.ending import end_cancelled
from aforo.runs.hand import Hand, Turns, back_off_seconds
from aforo.store import catalog, runs
from aforo.store.run import LEASED, LogKind, Metric, Run, RunState

WORK = "oversight of runs"

MOST_AT_ONCE = 100


class Overseer:
    """Looks every so often; several processes may, since each move is made from the state it finds."""

    def __init__(self, turns: Turns, dice: random.Random) -> None:
        self._turns = turns
        self._clock = turns.clock
        self._rules = turns.rules
        self._dice = dice
        self._rounds = Rounds(WORK, self._once, again_seconds=turns.rules.look_every_seconds)

    def start(self) -> None:
        """Begins to look, in a thread of its own."""
        self._rounds.start()

    def stop(self) -> None:
        """Ends after the round under way."""
        self._rounds.stop()

    def run_once(self) -> int:
        """How many runs were moved."""
        return sum(
            self._each(which, move)
            for which, move in (
                (runs.SILENT, self._lose),
                (runs.TO_ASK_AGAIN, self._ask_again),
                (runs.TO_EXPIRE, self._expire),
            )
        )

    def _once(self) -> float:
        self.run_once()
        return self._rules.look_every_seconds

    def _each(self, which: Select[Any], move: Callable[[Hand, Metric, Run], bool]) -> int:
        """Each in a transaction of its own, so that one that cannot be moved holds nobody else back."""
        with self._turns.store.reading() as connection:
            due = runs.due(connection, which, self._clock.now(), MOST_AT_ONCE)
        return each(WORK, due, lambda run: self._one(*run, move))

    def _one(self, run_id: str, metric_id: int, move: Callable[[Hand, Metric, Run], bool]) -> bool:
        with self._turns.taken() as hand:
            metric = catalog.hold(hand.connection, {metric_id})[metric_id]
            run = runs.get(hand.connection, run_id)
            return run is not None and move(hand, metric, run)

    def _lose(self, hand: Hand, metric: Metric, run: Run) -> bool:
        """Looks again at the lease, now that nobody can renew it: a run that is alive is not touched."""
        lease = runs.lease_of(hand.connection, run.id)
        if run.state not in LEASED or lease is None or lease.until > hand.now:
            return False
        runs.release(hand.connection, run.id)
        rest = back_off_seconds(self._rules, run.attempt, self._dice)
        lost = runs.move(hand.connection, run, RunState.LOST, hand.now, not_before=hand.in_seconds(rest))
        silent = "nobody has begun" if run.state is RunState.REQUESTED else "nothing was heard of it"
        hand.tell(LogKind.RUN_LOST, lost, f"attempt {run.attempt}: {silent} in time")
        if run.attempt >= self._rules.most_attempts:
            _give_up(hand, metric, lost)
        return True

    def _ask_again(self, hand: Hand, metric: Metric, run: Run) -> bool:
        if run.state is not RunState.LOST or run.not_before is None or run.not_before > hand.now:
            return False
        waiting, _ = runs.open_runs(hand.connection, run.tenant, metric.id)
        if waiting is not None and waiting.pinned:
            # What was asked for by hand is not dropped: it goes first, and the newest versions follow it.
            runs.change(hand.connection, waiting, hand.now, follow_up=True)
            return _give_up(hand, metric, run)
        if waiting is not None:
            end_cancelled(hand, waiting, f"{run.id} takes it in", LogKind.RUN_ABSORBED)
            run = runs.change(hand.connection, run, hand.now, follow_up=run.pinned)
        request_renewed(hand, metric, run)
        return True

    def _expire(self, hand: Hand, metric: Metric, run: Run) -> bool:
        if run.state is not RunState.PENDING or run.expires_at is None or run.expires_at > hand.now:
            return False
        missing = sorted(runs.missing(hand.connection, run.id))
        told = f"no version new enough came of {', '.join(missing)}"
        ended = runs.move(hand.connection, run, RunState.EXPIRED, hand.now, finished_at=hand.now, reason=told)
        hand.tell(LogKind.RUN_EXPIRED, ended, told)
        make_way(hand, metric, ended)
        return True


def _give_up(hand: Hand, metric: Metric, lost: Run) -> bool:
    ended = runs.move(
        hand.connection,
        lost,
        RunState.FAILED,
        hand.now,
        not_before=None,
        finished_at=hand.now,
        error_code="lost",
        error_message=f"lost {lost.attempt} times: no worker has brought it to an end",
    )
    hand.tell(LogKind.RUN_FAILED, ended, f"lost {lost.attempt} times")
    make_way(hand, metric, ended)
    return True
