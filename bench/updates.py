"""A tenant with metrics whose datasets are updated one by one, as `bench/runs.py` measures it.

`python bench/updates.py STORE TENANT UPDATES` is one of several processes over one store: it defines its
metrics, says so, waits for a line, and tells when it began and ended.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import structlog  # noqa: E402
from sqlalchemy import func, insert, select  # noqa: E402

from aforo.clock import SystemClock  # noqa: E402
from aforo.runs.definitions import Definitions, Grounds  # noqa: E402
from aforo.runs.feedback import Feedback  # noqa: E402
from aforo.runs.hand import Turns  # noqa: E402
from aforo.runs.messages import MetricRunCompletedEvent, ProjectionUpdateEvent  # noqa: E402
from aforo.runs.reactor import Reactor  # noqa: E402
from aforo.settings import Runs  # noqa: E402
from aforo.store.act import Actor  # noqa: E402
from aforo.store.connect import Store  # noqa: E402
from aforo.store.run import Cause, ExpressionType, Run, RunState, new_id  # noqa: E402
from aforo.store.run_tables import (  # noqa: E402
    metric_run_pending_datasets,
    metric_runs,
    metrics,
    outbox,
)
from aforo.telemetry import Telemetry  # noqa: E402
from aforo.windows import Zone  # noqa: E402

UTC = Zone("UTC")
FIRST = 1_700_000_000_000_000
GROUNDS = Grounds(roots=("file:///srv/{tenant}/",), results="file:///srv/results/", streams={})
ME = Actor("bench")


@dataclass(frozen=True, slots=True)
class Round:
    """Some updates one after another: seconds that each took, and those of this process's processor time."""

    took: list[float]
    processor: float


class Tenant:
    """Each metric is a ratio of a series of its own dataset to one that all share."""

    def __init__(self, store: Store, name: str, count: int) -> None:
        self.store, self.name, self.count = store, name, count
        self.clock = SystemClock()
        turns = Turns(store, self.clock, Runs(), Telemetry(), lambda: None)
        self._definitions = Definitions(turns, GROUNDS)
        self._reactor, self._feedback = Reactor(turns), Feedback(turns)
        self._versions = 0
        self._define([self._dataset("base")], [])
        self.update("base")
        names = [f"d{number}" for number in range(count)]
        self._define([self._dataset(each) for each in names], [_ratio(each) for each in names])

    def update(self, dataset: str) -> tuple[Run, ...]:
        """Hands in a new version, and returns once it is committed with the request it makes necessary."""
        self._versions += 1
        return self._reactor.take(self.event(dataset, self._versions)).runs

    def event(self, dataset: str, version: int) -> ProjectionUpdateEvent:
        """What says that there is a new version."""
        return ProjectionUpdateEvent(
            event_id=f"{dataset}-{version}",
            dataset_id=f"{self.name}-{dataset}",
            manifest_uri=f"file:///srv/{self.name}/{dataset}/{version}.json",
            updated_at=UTC.rfc3339(FIRST + version),
        )

    def end(self, run: Run) -> None:
        """A worker's word that a run is over, so that the next update makes another."""
        now = UTC.rfc3339(self.clock.now())
        self._feedback.completed(
            MetricRunCompletedEvent(run_id=run.id, attempt=run.attempt, status="FAILED", completed_at=now)
        )

    def round(self, updates: int) -> Round:
        """So many updates of as many metrics; the runs are ended afterwards."""
        assert updates <= self.count, "an update of a metric that is asked for already makes no request"
        before, made, took = self.requests(), [], []
        processor = time.process_time()
        for number in range(updates):
            began = time.perf_counter()
            made += self.update(f"d{number}")
            took.append(time.perf_counter() - began)
        processor = time.process_time() - processor
        assert self.requests() == before + updates, "every update makes one request"
        for run in made:
            self.end(run)
        return Round(took, processor)

    def requests(self) -> int:
        """How many requests are seen in the outbox from outside."""
        wanted = select(func.count()).select_from(outbox).where(outbox.c.tenant == self.name)
        with self.store.reading() as connection:
            return connection.execute(wanted).scalar_one()

    def leave_pending(self, count: int) -> None:
        """So many more metrics, each with a run that waits for a dataset."""
        now = self.clock.now()
        with self.store.working() as connection:
            connection.execute(insert(metrics), [self._waiting_metric(at, now) for at in range(count)])
            found = connection.execute(select(metrics.c.id, metrics.c.code).where(metrics.c.code.like("W%")))
            waiting = [self._waiting_run(row.id, row.code, now) for row in found]
            connection.execute(insert(metric_runs), waiting)
            missing = {"dataset_id": f"{self.name}-base", "needed_since": now}
            rows = [{"run_id": run["id"], **missing} for run in waiting]
            connection.execute(insert(metric_run_pending_datasets), rows)

    def _define(self, datasets: list[dict[str, object]], defined: list[dict[str, object]]) -> None:
        self._definitions.apply(self.name, {"datasets": datasets, "metrics": defined}, ME)

    def _dataset(self, name: str) -> dict[str, object]:
        prefix = f"file:///srv/{self.name}/{name}/"
        return {"id": f"{self.name}-{name}", "prefix": prefix, "series": [{"code": f"S_{name}"}]}

    def _waiting_metric(self, number: int, now: int) -> dict[str, object]:
        return {
            "tenant": self.name,
            "code": f"W{number}",
            "name": "",
            "expression_type": str(ExpressionType.GROWTH),
            "expression": "{}",
            "version": 1,
            "created_at": now,
            "changed_at": now,
        }

    def _waiting_run(self, metric_id: int, code: str, now: int) -> dict[str, object]:
        return {
            "id": new_id(),
            "tenant": self.name,
            "metric_id": metric_id,
            "metric_code": code,
            "cause": str(Cause.UPDATE),
            "state": str(RunState.PENDING),
            "attempt": 0,
            "pinned": False,
            "follow_up": False,
            "triggered_at": now,
            "expires_at": now + 86_400_000_000,
            "reason": "",
            "created_by": "",
            "created_at": now,
            "changed_at": now,
        }


def quiet() -> None:
    """What is logged of each update is written nowhere: where it goes is not what is measured."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def _ratio(name: str) -> dict[str, object]:
    members = {"numerator": {"series": f"S_{name}"}, "denominator": {"series": "S_base"}}
    return {"code": f"M_{name}", "expressionType": "ratio", "expressionJson": members}


def main() -> None:
    quiet()
    url, name, updates = sys.argv[1:]
    store = Store(Path("unused"), url)
    tenant = Tenant(store, name, int(updates))
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    for number in range(int(updates)):
        tenant.update(f"d{number}")
    print(json.dumps({"began": began, "ended": time.monotonic(), "requests": tenant.requests()}), flush=True)
    store.close()


if __name__ == "__main__":
    main()
