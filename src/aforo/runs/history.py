"""What there is to tell of runs: one with its versions, and why a metric did or did not run."""

from __future__ import annotations

from dataclasses import dataclass

from aforo.errors import NotFound, NotYourTenant
from aforo.runs.readiness import Readiness, readiness
from aforo.store import catalog, event_log, runs, updates
from aforo.store.connect import Store
from aforo.store.run import Lease, Metric, Run, Said, Series, Version

LINES = 50


@dataclass(frozen=True, slots=True)
class Whole:
    """A run with the exact versions it reads, what it waits for, and its lease."""

    run: Run
    versions: tuple[Version, ...]
    missing: dict[str, int | None]
    lease: Lease | None


@dataclass(frozen=True, slots=True)
class Why:
    """Where a metric stands: what it would be computed from now, its open runs, and what was told last."""

    metric: Metric
    reads: tuple[Series, ...]
    readiness: Readiness
    waiting: Run | None
    going: Run | None
    last: tuple[Run, ...]
    said: tuple[Said, ...]

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        if self.going is not None and self.waiting is not None:
            return (
                f"{self.going.id} is {self.going.state}; {self.waiting.id} is {self.waiting.state} behind it"
            )
        if self.going is not None:
            return f"{self.going.id} is {self.going.state}"
        if self.waiting is not None and self.readiness.missing:
            return f"{self.waiting.id} waits for {', '.join(self.readiness.missing)}"
        if self.waiting is not None:
            return f"{self.waiting.id} is {self.waiting.state}"
        if self.readiness.missing and not self.readiness.versions:
            return f"no version has come of {', '.join(self.readiness.missing)}"
        if not self.last:
            return "no update has come since it was defined; aforo runs start computes it from what there is"
        return f"nothing waits; the last run, {self.last[0].id}, has {self.last[0].state}"


class History:
    """Reads what was kept, from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self, run_id: str, tenants: frozenset[str] | None = None) -> Whole:
        """A run. Raises NotFound, NotYourTenant."""
        with self._store.reading() as connection:
            found = runs.get(connection, run_id)
            if found is None:
                raise NotFound(f"there is no run {run_id[:100]!r}", hint="aforo runs list tells all ids")
            if tenants is not None and found.tenant not in tenants:
                raise NotYourTenant(f"run {run_id!r} is not of a tenant of this key")
            return Whole(
                found,
                tuple(runs.versions(connection, run_id)),
                runs.missing(connection, run_id),
                runs.lease_of(connection, run_id),
            )

    def why(self, tenant: str, code: str, lines: int = LINES) -> Why:
        """Why a metric did or did not run. Raises NotFound."""
        with self._store.reading() as connection:
            metric = catalog.metric(connection, tenant, code)
            if metric is None:
                known = [each.code for each in catalog.all_metrics(connection, frozenset({tenant}))]
                raise NotFound.of("metric", code, known)
            reads = tuple(catalog.read_by(connection, metric.id))
            required = {each.dataset_id for each in reads}
            newest = updates.newest_of(connection, required)
            waiting, going = runs.open_runs(connection, tenant, metric.id)
            return Why(
                metric,
                reads,
                readiness(required, newest, metric.required_days),
                waiting,
                going,
                tuple(runs.page(connection, frozenset({tenant}), 5, metric_code=code)),
                tuple(event_log.of_metric(connection, tenant, code, lines)),
            )
