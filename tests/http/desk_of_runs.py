"""What tests of runs over HTTP share: definitions, updates, and a worker's words said by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient
from tests.http.conftest import House

from aforo.runs.messages import MetricRunCompletedEvent, MetricRunStartedEvent, RunError
from aforo.windows import Zone

TENANT = "acme"
OF_TENANT = {"tenant": TENANT}
AT = "2013-01-31T00:00:00Z"


def ratio(code: str = "SHARE", numerator: str = "CARS", denominator: str = "ROADS") -> dict[str, Any]:
    """A metric over two series."""
    return {
        "code": code,
        "expressionType": "ratio",
        "expressionJson": {"numerator": {"series": numerator}, "denominator": {"series": denominator}},
    }


@dataclass(frozen=True)
class Desk:
    """A client who may do everything, and the worker that the house has not."""

    house: House
    client: TestClient
    headers: Mapping[str, str]

    def call(self, method: str, path: str, body: Any = None, **query: str) -> Response:
        """Any request."""
        sent = {} if body is None else {"json": body}
        reply: Response = self.client.request(
            method, path, headers=dict(self.headers), params={**query}, **sent
        )
        return reply

    def get(self, path: str, **query: str) -> Any:
        """The reply to a request that goes well."""
        reply = self.call("GET", path, **query)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def folder(self, name: str, tenant: str = TENANT) -> str:
        """The URI that a dataset's versions begin with."""
        return f"{self.house.rooms.settings.data.resolve().as_uri()}/datasets/{tenant}/{name}/"

    def dataset(self, name: str, *codes: str, tenant: str = TENANT) -> dict[str, Any]:
        """A dataset as it is defined."""
        series = [{"code": code} for code in codes]
        return {"id": name, "prefix": self.folder(name, tenant), "series": series}

    def define(self, *metrics: dict[str, Any], tenant: str = TENANT) -> Response:
        """Two datasets with a series each, and metrics."""
        datasets = [
            self.dataset("cars", "CARS", tenant=tenant),
            self.dataset("roads", "ROADS", tenant=tenant),
        ]
        return self.call("PUT", "/definitions", {"datasets": datasets, "metrics": [*metrics]}, tenant=tenant)

    def update(self, name: str, at: str = AT, **more: Any) -> Response:
        """Tells of a version."""
        body = {"manifestUri": f"{self.folder(name)}{at[:10]}.csv", "updatedAt": at, **more}
        return self.call("POST", f"/datasets/{name}/updates", body)

    def requested(self) -> str:
        """A run that was asked for, by its id: both datasets have a version."""
        assert self.define(ratio()).status_code == 200
        self.update("cars")
        [run] = self.update("roads").json()["runs"]
        assert run["state"] == "REQUESTED"
        return str(run["id"])

    def started(self, run_id: str, attempt: int = 1) -> None:
        """A worker says that it has begun."""
        said = MetricRunStartedEvent(run_id=run_id, attempt=attempt, started_at=self.now(), worker="w")
        self.house.rooms.reactive.feedback.started(said)

    def ended(self, run_id: str, attempt: int = 1, *, error: RunError | None = None) -> None:
        """A worker says that it is done."""
        results = f"{self.house.rooms.settings.data.resolve().as_uri()}/results/{TENANT}/SHARE"
        said = MetricRunCompletedEvent(
            run_id=run_id,
            attempt=attempt,
            status="SUCCEEDED" if error is None else "FAILED",
            completed_at=self.now(),
            manifest=f"{results}/{run_id}/{attempt}/manifest.json" if error is None else None,
            row_count=2 if error is None else None,
            error=error,
        )
        self.house.rooms.reactive.feedback.completed(said)

    def now(self) -> str:
        """The time as messages have it."""
        return Zone("UTC").rfc3339(self.house.clock.now())
