"""The drift check: raw against rollups; what differs is named, alarmed, and marked to be folded again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

import structlog

from aforo.clock import Clock
from aforo.engines.drifted import DaysChecked, Difference, KeptDays, ReturnedId
from aforo.engines.engine import Engine
from aforo.rounds import Rounds
from aforo.telemetry import Telemetry
from aforo.windows import Zone

log = structlog.get_logger(__name__)

TOGETHER_EVENTS = 1_000_000
"""Days of a tenant that are compared together have at most so many events, or are one."""
TOGETHER_DAYS = 31
NAMED = 100
"""A report names so many differences and so many ids; it counts all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """What one check saw: `days` were compared of `kept` there are; `at` is when it ended, in microseconds.

    `waiting` slots were left out, because they wait for a fold. `marked` slots are folded again by the next.
    `returned` ids stand under more than one time.
    """

    at: int
    took_seconds: float
    kept: int
    days: int
    waiting: int
    found: int
    differences: tuple[Difference, ...]
    marked: int
    returned: int
    returned_ids: tuple[ReturnedId, ...]


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A check that has compared `done` of so many days; `sample_days` None is of all."""

    sample_days: int | None
    done: int
    of: int


class DriftCheck:
    """Checks `sample_days` taken by lot every `every_seconds`: 0 days are all, and 0 seconds mean never."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        telemetry: Telemetry,
        *,
        every_seconds: float,
        sample_days: int,
        marked: Callable[[], None],
        dice: random.Random,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._telemetry = telemetry
        self._every_seconds = every_seconds
        self._sample_days = sample_days
        self._marked = marked
        self._dice = dice
        self._last: DriftReport | None = None
        self._under_way: UnderWay | None = None
        self._one_at_a_time = Lock()
        self._rounds = Rounds(
            "drift check", self._check_some, again_seconds=every_seconds, first_after_seconds=every_seconds
        )

    @property
    def last(self) -> DriftReport | None:
        """What the last check of this process saw."""
        return self._last

    @property
    def under_way(self) -> UnderWay | None:
        """How far the check is that this process is at, if it is at any."""
        return self._under_way

    def start(self) -> None:
        """Begins to check in the background."""
        if self._every_seconds:
            self._rounds.start()

    def stop(self) -> None:
        """Ends after the days that are under way."""
        self._rounds.stop()

    def run_once(
        self, sample_days: int | None, told: Callable[[int, int], None] = lambda _done, _of: None
    ) -> DriftReport:
        """Checks all days, or so many taken by lot; `told` hears how many days are done, and of how many.

        Whatever `told` raises ends the check; what was found before is marked.
        """
        with self._one_at_a_time:
            try:
                self._last = report = self._checked(sample_days, told)
            finally:
                self._under_way = None
        self._tell(report)
        return report

    def _checked(self, sample_days: int | None, told: Callable[[int, int], None]) -> DriftReport:
        begun = self._clock.monotonic()
        self._under_way = UnderWay(sample_days, 0, 0)
        kept = self._engine.kept_days()
        days = kept if sample_days is None else by_lot(kept, sample_days, self._dice)
        seen = _Seen(sample_days is None, sum(len(each.days) for each in kept))
        of = sum(len(each.days) for each in days)
        for each in days:
            for together in portions(each):
                self._check(seen, each, together)
                self._under_way = UnderWay(sample_days, seen.done, of)
                told(seen.done, of)
                if self._rounds.stopping:
                    break
            self._look_for_returned(seen, each)
        return seen.report(self._clock.now(), self._clock.monotonic() - begun)

    def _check(self, seen: _Seen, of: KeptDays, days: Sequence[int]) -> None:
        checked = self._engine.check_days(of.stream, of.tenant, days)
        seen.add(checked, len(days))
        self._telemetry.count("drift_days_total", checked.days)
        if not checked.found:
            return
        self._engine.mark_slots(of.stream, of.tenant, checked.slots)
        self._telemetry.count("drift_differences_total", checked.found, stream=of.stream)
        self._marked()
        for each in checked.differences:
            log.error(
                "a rollup is not what the events say",
                stream=each.stream,
                tenant=each.tenant,
                rollup=each.rollup,
                period=each.period,
                start=Zone("UTC").rfc3339(each.start),
                measure=each.measure,
                against=each.against.value,
                wanted=each.wanted,
                kept=each.kept,
            )

    def _look_for_returned(self, seen: _Seen, of: KeptDays) -> None:
        days = None if seen.whole else of.days.tolist()
        returned = self._engine.returned_ids(of.stream, of.tenant, days, limit=NAMED)
        seen.returned += returned.found
        seen.returned_ids += returned.ids

    def _tell(self, report: DriftReport) -> None:
        self._telemetry.set("drift_last_differences", report.found)
        self._telemetry.set("returned_ids", report.returned)
        self._telemetry.observe("drift_seconds", report.took_seconds)
        if report.returned:
            log.warning(
                "ids came back with another time, and count again",
                ids=report.returned,
                first=[f"{each.stream} {each.tenant} {each.id}" for each in report.returned_ids[:3]],
            )

    def _check_some(self) -> float:
        self.run_once(self._sample_days or None)
        return self._every_seconds


class _Seen:
    """What a check has seen so far."""

    def __init__(self, whole: bool, kept: int) -> None:
        self.whole = whole
        self.kept = kept
        self.done = self.days = self.waiting = self.found = self.marked = self.returned = 0
        self.differences: tuple[Difference, ...] = ()
        self.returned_ids: tuple[ReturnedId, ...] = ()

    def add(self, checked: DaysChecked, days: int) -> None:
        self.done += days
        self.days += checked.days
        self.waiting += checked.waiting
        self.found += checked.found
        self.marked += len(checked.slots)
        self.differences = (*self.differences, *checked.differences)[:NAMED]

    def report(self, at: int, took_seconds: float) -> DriftReport:
        return DriftReport(
            at=at,
            took_seconds=took_seconds,
            kept=self.kept,
            days=self.days,
            waiting=self.waiting,
            found=self.found,
            differences=self.differences,
            marked=self.marked,
            returned=self.returned,
            returned_ids=self.returned_ids[:NAMED],
        )


def by_lot(kept: Sequence[KeptDays], count: int, dice: random.Random) -> tuple[KeptDays, ...]:
    """So many of all days, each as likely as any other, or all where there are no more."""
    total = sum(len(each.days) for each in kept)
    chosen = iter(sorted(dice.sample(range(total), min(count, total))))
    taken: list[KeptDays] = []
    first, place = 0, next(chosen, None)
    for each in kept:
        places: list[int] = []
        while place is not None and place < first + len(each.days):
            places.append(place - first)
            place = next(chosen, None)
        if places:
            taken.append(KeptDays(each.stream, each.tenant, each.days[places], each.events[places]))
        first += len(each.days)
    return tuple(taken)


def portions(of: KeptDays) -> Iterator[list[int]]:
    """The days in order, as many together as are compared together."""
    together: list[int] = []
    events = 0
    for day, count in zip(of.days.tolist(), of.events.tolist(), strict=True):
        if together and (events + count > TOGETHER_EVENTS or len(together) == TOGETHER_DAYS):
            yield together
            together, events = [], 0
        together.append(day)
        events += count
    if together:
        yield together
