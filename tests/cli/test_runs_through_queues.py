"""From an update in SQS to a result in S3: a served Aforo, a worker of its own, and queues between them."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from httpx2 import Client
from tests.cli.conftest import Aforo, environment, serving
from tests.cli.shop import ORDERS, csv_file
from tests.cli.test_runs import BASKETS
from tests.examples.cloud import Cloud

OF = {"tenant": "corner"}
HEARD = ("projection-updates", "metric-run-started", "metric-run-heartbeats", "metric-run-completed")


def test_updates_become_results_by_messages_and_are_asked_for_by_http(
    folder: Path, aforo: Aforo, amazon: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = Cloud(amazon)
    made(folder / "made" / "sales")
    cloud.uploaded(folder / "made")
    with (folder / "aforo.toml").open("a", encoding="utf-8") as file:
        file.write(settings(cloud))
    aforo("load", csv_file(folder / "orders.csv", ORDERS), "--stream", "orders", "--tenant", OF["tenant"])
    aforo("fold")
    monkeypatch.setenv("AFORO_WORKER_PARALLEL", "0")
    with serving(folder) as (_, url), Client(base_url=url, headers=bearer(folder)) as client:
        monkeypatch.delenv("AFORO_WORKER_PARALLEL")
        defined = client.put("/definitions", params=OF, json=definitions(cloud))
        assert defined.status_code == 200, defined.text
        with working(folder):
            cloud.tell("sales", "2024-03-04T00:00:00Z")
            growth, basket = succeeded(client, "GROWTH"), succeeded(client, "BASKET")
        log = [each["kind"] for each in client.get(f"/runs/{growth['id']}/log").json()["log"]]
        newest = client.get("/datasets/metric:corner:GROWTH").json()["dataset"]["newest"]
        told = client.get("/internal/metrics").text
    assert (growth["cause"], growth["attempt"]) == ("update", 1)
    # A heartbeat may come after the completion: queues of this kind keep no order.
    went = [kind for kind in log if kind != "message_stale"]
    assert went == ["run_requested", "run_started", "run_succeeded"]
    assert (newest["manifestUri"], newest["updatedAt"]) == (
        growth["manifestUri"],
        "2024-03-04T00:00:00+00:00",
    )
    assert cloud.numbers(growth["manifestUri"]) == {"2024-03-01": None, "2024-03-02": 3.0, "2024-03-03": -2.0}
    assert cloud.numbers(basket["manifestUri"]) == BASKETS, "which the worker has asked the server for"
    handled = re.findall(r'aforo_bus_handled_total\{queue="([a-z-]+)"\} [1-9]', told)
    assert sorted(handled) == sorted(HEARD)


def made(folder: Path) -> None:
    """A version of a dataset: three days of sales."""
    folder.mkdir(parents=True)
    rows = "date,SALES\n2024-03-01,1\n2024-03-02,4\n2024-03-03,2\n"
    (folder / "1.csv").write_text(rows, encoding="utf-8")
    manifest = {"format": "csv", "date": "date", "files": [{"path": "1.csv", "rowCount": 3}]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def definitions(cloud: Cloud) -> dict[str, Any]:
    """A metric over a dataset of the cloud, and one over a rollup of ours."""
    rollup = {
        "id": "rollup:orders:corner",
        "series": [{"code": "REVENUE", "column": "revenue"}, {"code": "ORDERS", "column": "orders"}],
    }
    sales = {"id": "sales", "prefix": f"s3://{cloud.bucket}/data/sales/", "series": [{"code": "SALES"}]}
    growth = {"of": {"series": "SALES"}, "periods": 1, "kind": "absolute"}
    basket = {"numerator": {"series": "REVENUE"}, "denominator": {"series": "ORDERS"}}
    return {
        "datasets": [sales, rollup],
        "metrics": [
            {"code": "GROWTH", "expressionType": "growth", "expressionJson": growth},
            {"code": "BASKET", "expressionType": "ratio", "expressionJson": basket},
        ],
    }


def settings(cloud: Cloud) -> str:
    """Settings over a cloud, as a person writes them; the worker beats often enough to be heard."""
    sections: dict[str, dict[str, Any]] = {
        "buses": {"kind": "aws", "wait_seconds": 1},
        "runs": {"roots": [f"s3://{cloud.bucket}/data/"], "results": f"s3://{cloud.bucket}/results/"},
        "worker": {"heartbeat_seconds": 0.2},
        "aws": {name: value for name, value in dataclasses.asdict(cloud.aws).items() if value is not None},
    }
    return "".join(
        f"[{section}]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in members.items())
        for section, members in sections.items()
    )


def bearer(folder: Path) -> dict[str, str]:
    """What opens every route to whoever may read the data directory."""
    told = json.loads((folder / "aforo-data" / "server.json").read_text(encoding="utf-8"))
    return {"Authorization": f"Bearer {told['token']}"}


@contextmanager
def working(folder: Path) -> Iterator[None]:
    """A worker in a process of its own, ended as a person would end it."""
    command = [sys.executable, "-m", "aforo", "worker"]
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            assert any("working on the runs in" in line for line in process.stderr), "it has ended"
            yield
            process.terminate()
            _, told = process.communicate(timeout=60)
            assert process.returncode == 0, told
        finally:
            process.kill()


def succeeded(client: Client, metric: str) -> dict[str, Any]:
    """The only run of a metric, once it has."""
    pause = Event()
    for _ in range(600):
        runs = client.get("/runs", params={"metric": metric}).json()["runs"]
        if runs and runs[0]["finishedAt"] is not None:
            assert runs[0]["state"] == "SUCCEEDED", runs[0]
            found: dict[str, Any] = runs[0]
            return found
        pause.wait(0.2)
    raise AssertionError(client.get(f"/metrics/{metric}/why", params=OF).text)
