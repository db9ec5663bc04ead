"""What the contract says becomes of updates and runs, in plain Python: one metric at a time, nothing kept."""

from __future__ import annotations

from dataclasses import dataclass, field

DAY = 86_400 * 1_000_000


@dataclass
class Expected:
    """A run as it should be."""

    number: int
    cause: str
    state: str = "PENDING"
    attempt: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    pinned: bool = False
    follow_up: bool = False
    triggered_at: int = 0
    lease: int | None = None
    expires: int | None = None
    rests: bool = False


@dataclass
class Metric:
    """A metric, and its runs: the one that waits, the one that goes on, and those that have ended."""

    code: str
    reads: tuple[str, ...]
    required_days: int | None
    waiting: Expected | None = None
    going: Expected | None = None
    ended: list[Expected] = field(default_factory=list)


class Oracle:
    """The whole, moved by the same verbs as the real one."""

    def __init__(
        self, metrics: list[Metric], *, start_within: int, lease: int, most_attempts: int, now: int
    ) -> None:
        self.metrics = {metric.code: metric for metric in metrics}
        self.newest: dict[str, tuple[int, int]] = {}
        self.keys: set[str] = set()
        self.start_within = start_within
        self.lease = lease
        self.most_attempts = most_attempts
        self.now = now
        self.made = 0
        self.updates = 0

    def runs(self) -> list[tuple[Metric, Expected]]:
        return [
            (metric, run)
            for metric in self.metrics.values()
            for run in (*metric.ended, metric.waiting, metric.going)
            if run is not None
        ]

    def update(self, dataset: str, key: str, updated_at: int) -> str:
        if key in self.keys:
            return "repeated"
        self.keys.add(key)
        self.updates += 1
        if updated_at < self.newest.get(dataset, (-1, 0))[0]:
            return "older"
        self.newest[dataset] = (updated_at, self.updates)
        for metric in self.metrics.values():
            if dataset in metric.reads:
                self._consider(metric)
        return "taken"

    def started(self, metric: Metric, run: Expected, attempt: int) -> None:
        if run.attempt != attempt or run.state not in ("REQUESTED", "RUNNING"):
            return
        run.lease = self.now + self.lease
        if run.state == "REQUESTED":
            run.state = "RUNNING"
            metric.waiting, metric.going = None, run
            self._make_way(metric, run)

    def completed(self, metric: Metric, run: Expected, attempt: int, state: str) -> None:
        if run.attempt != attempt or run.state not in ("REQUESTED", "RUNNING"):
            return
        self._end(metric, run, state)
        self._make_way(metric, run)
        if state == "SUCCEEDED":
            self.update(metric.code, f"{run.number}:{attempt}", run.triggered_at)

    def cancel(self, metric: Metric, run: Expected) -> None:
        if run in metric.ended:
            return
        self._end(metric, run, "CANCELLED")
        self._make_way(metric, run)

    def by_hand(self, metric: Metric) -> None:
        if any(dataset not in self.newest for dataset in metric.reads):
            return
        waiting = metric.waiting
        if waiting is not None and (waiting.state == "REQUESTED" or waiting.pinned):
            return
        if waiting is not None:
            self._end(metric, waiting, "CANCELLED")
        self._begin(metric, "by_hand")

    def again(self, metric: Metric, run: Expected) -> None:
        if run not in metric.ended or set(run.versions) != set(metric.reads) or metric.waiting is not None:
            return
        self._begin(metric, "rerun", pinned=run.versions, at=run.triggered_at)

    def look(self) -> None:
        """What time has done: silent runs are lost, rested ones asked for again, overdue ones expire."""
        for metric, run in self.runs():
            if run.lease is not None and run.lease <= self.now:
                self._lose(metric, run)
        for metric, run in self.runs():
            if run.state == "LOST" and run.rests and run is metric.going:
                self._ask_again(metric, run)
        for metric, run in self.runs():
            if run.state == "PENDING" and run.expires is not None and run.expires <= self.now:
                self._end(metric, run, "EXPIRED")

    def _consider(self, metric: Metric) -> None:
        waiting = metric.waiting
        if waiting is None:
            self._begin(metric, "update")
        elif waiting.state == "REQUESTED" or waiting.pinned:
            waiting.follow_up = True
        else:
            self._renew(metric, waiting)

    def _begin(
        self, metric: Metric, cause: str, *, pinned: dict[str, int] | None = None, at: int = 0
    ) -> None:
        self.made += 1
        run = Expected(self.made, cause, pinned=pinned is not None)
        metric.waiting = run
        if pinned is None:
            self._renew(metric, run)
        else:
            run.versions, run.triggered_at = dict(pinned), at
            if metric.going is None:
                self._request(run)

    def _renew(self, metric: Metric, run: Expected) -> None:
        self._read(metric, run)
        if not run.missing and metric.going is None:
            self._request(run)

    def _read(self, metric: Metric, run: Expected) -> None:
        days = None if run.cause == "by_hand" else metric.required_days
        found = {dataset: self.newest[dataset] for dataset in metric.reads if dataset in self.newest}
        run.triggered_at = max((at for at, _ in found.values()), default=0)
        since = -1 if days is None else run.triggered_at - days * DAY
        run.versions = {dataset: number for dataset, (at, number) in found.items() if at >= since}
        run.missing = set(metric.reads) - set(run.versions)
        run.expires = None
        if run.missing and days is not None:
            run.expires = max(run.triggered_at, self.now) + days * DAY

    def _request(self, run: Expected) -> None:
        run.state, run.attempt, run.expires = "REQUESTED", run.attempt + 1, None
        run.follow_up = run.follow_up and run.pinned
        run.missing, run.rests, run.lease = set(), False, self.now + self.start_within

    def _make_way(self, metric: Metric, moved: Expected) -> None:
        if moved.follow_up:
            moved.follow_up = False
            if metric.waiting is None:
                self._begin(metric, "follow_up")
                return
        waiting = metric.waiting
        if waiting is not None and waiting.state == "PENDING" and metric.going is None:
            if waiting.pinned:
                self._request(waiting)
            else:
                self._renew(metric, waiting)

    def _end(self, metric: Metric, run: Expected, state: str) -> None:
        run.state, run.lease, run.expires, run.rests = state, None, None, False
        metric.waiting = None if metric.waiting is run else metric.waiting
        metric.going = None if metric.going is run else metric.going
        metric.ended.append(run)

    def _lose(self, metric: Metric, run: Expected) -> None:
        run.state, run.lease, run.rests = "LOST", None, True
        metric.waiting = None if metric.waiting is run else metric.waiting
        metric.going = run
        if run.attempt >= self.most_attempts:
            self._end(metric, run, "FAILED")
            self._make_way(metric, run)

    def _ask_again(self, metric: Metric, run: Expected) -> None:
        waiting = metric.waiting
        if waiting is not None and waiting.pinned:
            waiting.follow_up = True
            self._end(metric, run, "FAILED")
            self._make_way(metric, run)
            return
        if waiting is not None:
            self._end(metric, waiting, "CANCELLED")
            run.follow_up = run.pinned
        metric.going, metric.waiting = None, run
        before = run.versions, run.triggered_at
        if not run.pinned:
            self._read(metric, run)
            if run.missing:
                run.versions, run.triggered_at = before
        self._request(run)
