"""A directory with datasets, and a worker's parts over it."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aforo.clock import ManualClock
from aforo.errors import NotFound
from aforo.objects.opening import Opener
from aforo.runs.messages import Input, MetricRunRequestEvent
from aforo.runs.messages import Place as Where
from aforo.runs.series import Series
from aforo.runs.worker.course import Course
from aforo.runs.worker.gathering import Gathering
from aforo.runs.worker.publishing import Shelves
from aforo.settings import Worker as Rules

NOW = 1_780_000_000_000_000  # 2026-05-28T20:26:40Z
RUN = "run_0123456789abcdef"
RATIO = {"numerator": {"series": "SALES"}, "denominator": {"series": "VISITS"}}


@dataclass
class Place:
    """Datasets `shop` and `site` in folders, results in another, and what is known of them."""

    folder: Path
    rules: Rules = field(default_factory=Rules)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    objects: Opener = field(default_factory=Opener)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def uri(self, dataset: str, path: str = "") -> str:
        return f"{self.folder.as_uri()}/{dataset}/{path}"

    def prefix_of(self, run_id: str, dataset_id: str) -> str:
        if not dataset_id.startswith("rollup:") and not (self.folder / dataset_id).is_dir():
            raise NotFound(f"there is no dataset {dataset_id!r}")
        return self.uri(dataset_id)

    def results_of(self, run_id: str) -> str:
        return self.uri("results")

    def ask_rollup(self, dataset_id: str, manifest_uri: str, column: str) -> Series:
        """Three days of a rollup, the second of them empty."""
        self.asked.append((dataset_id, manifest_uri, column))
        days = np.array(["2026-01-01", "2026-01-02", "2026-01-03"], "datetime64[D]")
        return Series(days, np.array([10.0, np.nan, 30.0]), "visits")

    def written(self, dataset: str, values: Mapping[str, float | str], **told: Any) -> str:
        """Writes a version of one CSV file with its manifest; gives the manifest's URI."""
        folder = self.folder / dataset
        folder.mkdir(exist_ok=True)
        with (folder / "part.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [("day", "amount", "other"), *((day, of, 1) for day, of in values.items())]
            )
        content = (folder / "part.csv").read_bytes()
        part = {"path": "part.csv", "rowCount": len(values), "sha256": hashlib.sha256(content).hexdigest()}
        manifest = {"format": "csv", "date": "day", "files": [part | told]}
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return self.uri(dataset, "manifest.json")

    def request(self, attempt: int = 1, **changed: Any) -> MetricRunRequestEvent:
        """Asks for the ratio of two series, of `shop` and of `site`."""
        places = {"SALES": self._where("shop", "amount"), "VISITS": self._where("site", "amount")}
        given: dict[str, Any] = {
            "run_id": RUN,
            "metric_code": "SALES_PER_VISIT",
            "expression_type": "ratio",
            "expression_json": RATIO,
            "inputs": tuple(
                Input(
                    dataset_id=each.dataset_id,
                    update_id=str(number),
                    manifest_uri=each.manifest_uri,
                    updated_at="2026-05-28T20:00:00Z",
                )
                for number, each in enumerate(places.values())
            ),
            "catalog": places,
            "attempt": attempt,
            "requested_at": "2026-05-28T20:26:00Z",
        }
        return MetricRunRequestEvent(**(given | changed))

    def _where(self, dataset: str, column: str) -> Where:
        return Where(dataset_id=dataset, manifest_uri=self.uri(dataset, "manifest.json"), column=column)

    def course(self, request: MetricRunRequestEvent, *, stopping: bool = False) -> Course:
        return Course(request, self.clock, self.rules.time_limit_seconds, lambda: stopping)

    def gathering(self) -> Gathering:
        return Gathering(self.objects, self, self.ask_rollup, self.rules)

    def shelves(self) -> Shelves:
        return Shelves(self.objects, self, most_bytes=self.rules.max_manifest_bytes)
