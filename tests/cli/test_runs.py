"""`aforo runs`: over the store itself, and through its server, which computes."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.cli.conftest import Aforo, serving
from tests.cli.shop import ORDERS, csv_file

AT = "2024-03-04T00:00:00Z"
JSON = ("--format", "json")
OF = ("--tenant", "corner")
BASKETS = {"2024-03-01": 55.5 / 2, "2024-03-02": 92.25 / 2}


def definitions(folder: Path) -> Path:
    """Two datasets of files, one of our own rollups, and a metric over each of both kinds."""
    data = folder / "aforo-data" / "datasets" / "corner"
    path = folder / "runs.yaml"
    path.write_text(
        f"""
datasets:
  - {{id: cars, prefix: "{(data / "cars").as_uri()}/", series: [{{code: CARS}}]}}
  - {{id: roads, prefix: "{(data / "roads").as_uri()}/", series: [{{code: ROADS}}]}}
  - id: "rollup:orders:corner"
    series: [{{code: REVENUE, column: revenue}}, {{code: ORDERS, column: orders}}]
metrics:
  - code: SHARE
    expressionType: ratio
    expressionJson: {{numerator: {{series: CARS}}, denominator: {{series: ROADS}}}}
  - code: BASKET
    expressionType: ratio
    expressionJson: {{numerator: {{series: REVENUE}}, denominator: {{series: ORDERS}}}}
""",
        encoding="utf-8",
    )
    return path


def version(folder: Path, name: str, *values: float) -> str:
    """A version of a dataset, a day for each value, as its URI."""
    path = folder / "aforo-data" / "datasets" / "corner" / name / "1.csv"
    path.parent.mkdir(parents=True)
    rows = [f"2024-03-0{day},{value}" for day, value in enumerate(values, 1)]
    path.write_text("\n".join([f"date,{name.upper()}", *rows]) + "\n", encoding="utf-8")
    return path.as_uri()


def updated(aforo: Aforo, folder: Path, *more: str) -> list[dict[str, Any]]:
    """Both datasets of files have a version; the runs that the second one made or joined."""
    cars, roads = version(folder, "cars", 1, 4), version(folder, "roads", 2, 0)
    assert aforo("runs", "update", "cars", "--manifest", cars, "--at", AT, *more).code == 0
    runs: list[dict[str, Any]] = aforo(
        "runs", "update", "roads", "--manifest", roads, "--at", AT, *JSON, *more
    ).json["runs"]
    return runs


def succeeded(aforo: Aforo, metric: str) -> dict[str, Any]:
    """The last run of a metric, once it has."""
    pause = Event()
    for _ in range(600):
        runs = aforo("runs", "list", "--metric", metric, *JSON).json["runs"]
        if runs and runs[0]["state"] not in ("PENDING", "REQUESTED", "RUNNING"):
            assert runs[0]["state"] == "SUCCEEDED", runs[0]
            found: dict[str, Any] = runs[0]
            return found
        pause.wait(0.1)
    raise AssertionError(aforo("runs", "why", metric, *OF).out)


def result_of(run: dict[str, Any]) -> dict[str, Any]:
    """The values of a run's result by their dates."""
    manifest = Path(run["manifestUri"].removeprefix("file://"))
    [file] = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    table = pq.read_table(manifest.parent / file["path"]).to_pydict()
    return {str(date): value for date, value in zip(table["date"], table["value"], strict=True)}


def test_every_verb_over_the_store_itself(
    folder: Path, aforo: Aforo, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "cars/" not in aforo("runs", "metrics").out
    said = aforo("runs", "define", definitions(folder), *OF, *JSON)
    assert said.json == {"tenant": "corner", "datasets": 3, "series": 4, "metrics": 2}
    assert "no version has come of cars, roads" in aforo("runs", "why", "SHARE", *OF).out
    [run] = updated(aforo, folder)
    assert run["state"] == "REQUESTED"
    assert aforo("runs", "list", "--status", "REQUESTED", *JSON).json["runs"] == [run]
    assert run["id"] in aforo("runs", "list", "--from", "2024-01-01", *OF).out
    shown = aforo("runs", "show", run["id"])
    assert "roads" in shown.out
    kinds = [each["kind"] for each in aforo("runs", "log", run["id"], *JSON).json["log"]]
    assert kinds == ["run_waits", "update_joined", "run_requested"]
    assert "there is more: --cursor" in aforo("runs", "log", run["id"], "--limit", "1").err
    [outbox, *_] = aforo("runs", "queues", *JSON).json["queues"]
    assert outbox == {"name": "outbox", "waiting": 1, "inHand": 0, "buried": 0}, "nobody relays it yet"
    assert aforo("runs", "start", "SHARE", *OF, *JSON).json["id"] == run["id"]
    said = aforo("runs", "cancel", run["id"], *JSON)
    assert (said.json["state"], "command line" in said.json["reason"]) == ("CANCELLED", True)
    assert said.err == "", "what the store logs was not asked for"
    monkeypatch.setenv("AFORO_LOG_LEVEL", "info")
    said = aforo("runs", "again", run["id"], *JSON)
    assert "run requested" in said.err, "unless it was"
    again = said.json
    assert (again["cause"], again["state"]) == ("rerun", "REQUESTED")
    assert aforo("runs", "redrive", "outbox", *JSON).json == {"name": "outbox", "redriven": 0}
    assert aforo("runs", "queues", "projection-updates", *JSON).json["buried"] == []
    assert "is missing" not in aforo("runs", "why", "SHARE", *OF).out


def test_what_there_is_to_read(folder: Path, aforo: Aforo) -> None:
    aforo("runs", "define", definitions(folder), *OF)
    updated(aforo, folder)
    datasets = {each["id"]: each for each in aforo("runs", "datasets", *JSON).json["datasets"]}
    kinds = {each["kind"] for each in datasets.values()}
    assert kinds == {"outside", "metric", "rollup"}
    assert datasets["cars"]["newest"]["updatedAt"] == "2024-03-04T00:00:00+00:00"
    assert [each["code"] for each in aforo("runs", "series", *OF, *JSON).json["series"]] == [
        *("BASKET", "CARS", "ORDERS", "REVENUE", "ROADS", "SHARE")
    ]
    codes = aforo("runs", "metrics", "--format", "csv").out.splitlines()
    assert codes[1].startswith('corner,BASKET,,ratio,"ORDERS, REVENUE"')
    lineage = aforo("runs", "lineage", "CARS", *OF, *JSON).json
    assert (lineage["madeFrom"], [each["code"] for each in lineage["usedBy"]]) == ([], ["SHARE"])
    [update] = aforo("runs", "datasets", "cars", *JSON).json["versions"]
    assert update["manifestUri"].endswith("/cars/1.csv")


def test_the_same_through_the_server_which_computes(folder: Path, aforo: Aforo) -> None:
    file = definitions(folder)
    aforo("load", csv_file(folder / "orders.csv", ORDERS), "--stream", "orders", *OF)
    aforo("fold")
    with serving(folder):
        assert aforo("runs", "define", file, *OF, *JSON).json["metrics"] == 2
        assert result_of(succeeded(aforo, "BASKET")) == BASKETS, "what is folded already is a version"
        updated(aforo, folder)
        run = succeeded(aforo, "SHARE")
        assert result_of(run) == {"2024-03-01": 0.5, "2024-03-02": None}
        remote = aforo("runs", "why", "SHARE", *OF, *JSON).json
        assert remote["verdict"] == f"nothing waits; the last run, {run['id']}, has SUCCEEDED"
        aforo("runs", "cancel", run["id"]).told_no("has SUCCEEDED already")
        aforo("runs", "again", run["id"])
        assert succeeded(aforo, "SHARE")["cause"] == "rerun"
        assert aforo("runs", "redrive", "projection-updates", *JSON).json["redriven"] == 0
    there = aforo("runs", "show", run["id"], *JSON).json
    assert there["run"] == run, "the store tells the same without the server"


def test_mistakes(folder: Path, aforo: Aforo, monkeypatch: pytest.MonkeyPatch) -> None:
    aforo("runs", "define", definitions(folder), *OF)
    aforo("runs", "why", "SHAR", *OF).told_no("did you mean 'SHARE'?")
    aforo("runs", "why", "SHARE").told_no("no metric named 'SHARE'")
    aforo("runs", "show", "run_x").told_no("there is no run 'run_x'")
    aforo("runs", "list", "--status", "RUNING").told_no("did you mean 'RUNNING'?")
    aforo("runs", "start", "SHARE", *OF).told_no("no version of cars, roads has come yet")
    elsewhere = ("runs", "update", "cars", "--manifest", "file:///etc/passwd", "--at", AT)
    aforo(*elsewhere).told_no("file:///etc/passwd")
    aforo("runs", "queues", "x").told_no("there is no queue named 'x'")
    broken = folder / "broken.yaml"
    broken.write_text("datasets: [", encoding="utf-8")
    aforo("runs", "define", broken).told_no("broken.yaml cannot be read")
    broken.write_text("datasets: [{id: cars}]\nmetrix: []\n", encoding="utf-8")
    aforo("runs", "define", broken, *OF).told_no("metrix", "did you mean 'metrics'?", "datasets[0].prefix")
    monkeypatch.setenv("AFORO_WORKER_PARALLEL", "0")
    aforo("worker").told_no("worker.parallel is 0")
