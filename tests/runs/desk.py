"""The reactive side over one store, with metrics that use each other, and a clock that stands still."""

from __future__ import annotations

import random
from collections.abc import Collection

from sqlalchemy import Table, delete

from aforo.clock import Clock, ManualClock
from aforo.objects.opening import Opener
from aforo.runs.asking import Asking
from aforo.runs.defined import Grounds
from aforo.runs.definitions import Definitions
from aforo.runs.feedback import Feedback
from aforo.runs.hand import Turns
from aforo.runs.history import History
from aforo.runs.leftovers import Leftovers
from aforo.runs.messages import (
    MetricRunCompletedEvent,
    MetricRunHeartbeatEvent,
    MetricRunStartedEvent,
    ProjectionUpdateEvent,
)
from aforo.runs.overseer import Overseer
from aforo.runs.reactor import Reactor
from aforo.runs.upkeep import Upkeep
from aforo.settings import Runs
from aforo.store import runs
from aforo.store.act import Actor
from aforo.store.connect import Store
from aforo.store.metadata import metadata
from aforo.store.run import Run
from aforo.store.run_tables import dataset_series, datasets, metric_dependencies, metrics, series
from aforo.telemetry import Telemetry
from aforo.windows import Zone

NOW = 1_700_000_000_000_000
TENANT = "acme"
ME = Actor("tests")
RULES = Runs(back_off_seconds=0, most_back_off_seconds=0, start_within_seconds=300, lease_seconds=60)
GROUNDS = Grounds(
    roots=("file:///srv/{tenant}/",),
    results="file:///srv/results/",
    streams={"visits": ("visits.count", "visits.revenue")},
)
UTC = Zone("UTC")
DEFINED = (metrics, datasets, series, dataset_series, metric_dependencies)
"""What is not of one life: defining takes as long as ten updates."""


def dataset(name: str, *codes: str) -> dict[str, object]:
    """A dataset as it is defined."""
    return {
        "id": name,
        "prefix": f"file:///srv/{TENANT}/{name}/",
        "series": [{"code": code} for code in codes],
    }


def ratio(code: str, numerator: str, denominator: str, required_days: int | None = None) -> dict[str, object]:
    """A metric as it is defined."""
    return {
        "code": code,
        "expressionType": "ratio",
        "expressionJson": {"numerator": {"series": numerator}, "denominator": {"series": denominator}},
        "requiredDays": required_days,
    }


def growth(code: str, of: str) -> dict[str, object]:
    """A metric over one series."""
    expression = {"of": {"series": of}, "periods": 1, "kind": "relative"}
    return {"code": code, "expressionType": "growth", "expressionJson": expression}


class Ticking(ManualClock):
    """A clock that moves a little whenever it is looked at, so that what happened has an order."""

    def now(self) -> int:
        self.advance(1e-6)
        return super().now()


class Desk:
    """All verbs over one store; several may be over the same, as processes are."""

    def __init__(
        self, store: Store, clock: Clock | None = None, rules: Runs = RULES, grounds: Grounds = GROUNDS
    ) -> None:
        self.grounds = grounds
        self.store = store
        self.clock = clock or ManualClock(NOW)
        self.turns = Turns(store, self.clock, rules, Telemetry(), lambda: None)
        self.definitions = Definitions(self.turns, grounds)
        self.reactor = Reactor(self.turns)
        self.feedback = Feedback(self.turns)
        self.asking = Asking(self.turns)
        self.overseer = Overseer(self.turns, random.Random(1))
        self.telemetry = Telemetry()
        leftovers = Leftovers(store, Opener(), grounds.results_of, self.telemetry)
        self.upkeep = Upkeep(self.turns, leftovers, self.telemetry)
        self.history = History(store)

    def define(self, *datasets: dict[str, object], metrics: list[dict[str, object]]) -> None:
        """Defines for the one tenant."""
        self.definitions.apply(TENANT, {"datasets": list(datasets), "metrics": metrics}, ME)

    def update(self, name: str, updated_at: int, key: str | None = None) -> tuple[Run, ...]:
        """The runs that a version of a dataset makes or joins."""
        return self.reactor.take(event(name, updated_at, key)).runs

    def started(self, run_id: str, attempt: int = 1) -> str:
        """What a worker's word comes to."""
        at = UTC.rfc3339(self.clock.now())
        return self.feedback.started(
            MetricRunStartedEvent(run_id=run_id, attempt=attempt, started_at=at, worker="w")
        )

    def heartbeat(self, run_id: str, attempt: int = 1, progress: float | None = None) -> str:
        """What a worker's word comes to."""
        at = UTC.rfc3339(self.clock.now())
        return self.feedback.heartbeat(
            MetricRunHeartbeatEvent(run_id=run_id, attempt=attempt, at=at, progress=progress)
        )

    def completed(self, run_id: str, attempt: int = 1, *, status: str = "SUCCEEDED") -> str:
        """What a worker's word comes to; a result lies where it should."""
        code = self.run(run_id).metric_code
        manifest = f"{self.grounds.results_of(TENANT)}{code}/{run_id}/{attempt}/manifest.json"
        return self.feedback.completed(
            MetricRunCompletedEvent(
                run_id=run_id,
                attempt=attempt,
                status=status,  # type: ignore[arg-type]
                completed_at=UTC.rfc3339(self.clock.now()),
                manifest=manifest if status == "SUCCEEDED" else None,
                row_count=1,
            )
        )

    def run(self, run_id: str) -> Run:
        """A run as it is now."""
        return self.history.run(run_id).run

    def all(self, code: str | None = None) -> list[Run]:
        """All runs, oldest first."""
        with self.store.reading() as connection:
            return runs.page(connection, None, 10**6, metric_code=code)[::-1]


def event(name: str, updated_at: int, key: str | None = None) -> ProjectionUpdateEvent:
    """An update of a dataset."""
    return ProjectionUpdateEvent(
        event_id=key,
        dataset_id=name,
        manifest_uri=f"file:///srv/{TENANT}/{name}/{updated_at}.json",
        updated_at=UTC.rfc3339(updated_at),
    )


def wipe(store: Store, *, keep: Collection[Table] = ()) -> None:
    """An empty store again, of the same schema, but for some tables."""
    with store.working() as connection:
        for table in reversed(metadata.sorted_tables):
            if table not in keep:
                connection.execute(delete(table))
