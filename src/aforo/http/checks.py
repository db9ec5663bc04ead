"""The drift check that somebody asked for: one at a time, which goes on when nobody waits for it any more."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock

import structlog

from aforo.errors import AforoError, Conflict, Stopping
from aforo.http.hands import Hands
from aforo.rollups.drift import DriftCheck, DriftReport, UnderWay
from aforo.store.act import Action, Actor
from aforo.store.audit import Audit

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    sample_days: int | None
    report: Future[DriftReport]


class Checks:
    """Begins checks, and tells of the one under way."""

    def __init__(self, check: DriftCheck, hands: Hands, audit: Audit) -> None:
        self.check = check
        self._hands = hands
        self._audit = audit
        self._lock = Lock()
        self._asked: _Asked | None = None

    def begun(self, sample_days: int | None, actor: Actor) -> Future[DriftReport]:
        """The report to come of a check of so many days by lot, None for all; or of the same one under way.

        Raises Conflict while one of other days is under way.
        """
        with self._lock:
            asked = self._asked
            if asked is None or asked.report.done():
                report = self._hands.begin(lambda: self._work(sample_days, actor))
                asked = self._asked = _Asked(sample_days, report)
                report.add_done_callback(_told)
        if asked.sample_days != sample_days:
            raise Conflict(
                f"a check of {days_of(asked.sample_days)} is under way",
                hint="see how far it is (GET /v1/drift), and ask again once it is done",
            )
        return asked.report

    def under_way(self) -> UnderWay | None:
        """How far the check under way is; one that waits for its turn has done nothing of nothing."""
        found, asked = self.check.under_way, self._asked
        if found is None and asked is not None and not asked.report.done():
            return UnderWay(asked.sample_days, 0, 0)
        return found

    def failed(self) -> AforoError | None:
        """Why the last check that was asked for did not come to its end, if it did not."""
        asked = self._asked
        if asked is None or not asked.report.done() or asked.report.cancelled():
            return None
        error = asked.report.exception()
        return error if isinstance(error, AforoError) else None

    def _work(self, sample_days: int | None, actor: Actor) -> DriftReport:
        # Written down before it begins: a check has folded anew what it finds wrong.
        self._audit.record(Action.DRIFT_CHECKED, actor, "rollups", days_of(sample_days))
        return self.check.run_once(sample_days, self._unless_stopping)

    def _unless_stopping(self, _done: int, _of: int) -> None:
        if self._hands.stopping:
            raise Stopping("the server is stopping", hint="ask again once it has started")


def days_of(sample_days: int | None) -> str:
    """Which days a check is of, in words."""
    return "all days" if sample_days is None else f"{sample_days:,} days by lot"


def _told(report: Future[DriftReport]) -> None:
    """Whoever asked may have gone, and then the log alone tells of a mistake."""
    error = None if report.cancelled() else report.exception()
    if error is not None and not isinstance(error, Stopping):
        log.error("the drift check that was asked for failed", error=str(error), exc_info=error)
