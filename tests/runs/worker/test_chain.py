"""From an update of a dataset to the results of a metric and of one over it, with the worker between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.runs.worker.place import Place
from tests.runs.worker.yard import ANSWERS, Yard

from aforo.assembly.working import worker_over
from aforo.buses.bus import Message
from aforo.errors import NotFound, NotYourTenant
from aforo.runs.feedback import Feedback
from aforo.runs.hand import Turns
from aforo.runs.manifest import VALUE_COLUMN, read_manifest
from aforo.runs.messages import MetricRunCompletedEvent, MetricRunStartedEvent, ProjectionUpdateEvent
from aforo.runs.reactor import Reactor
from aforo.runs.worker.whereabouts import StoredWhereabouts
from aforo.runs.worker.worker import Worker
from aforo.settings import Runs, Settings
from aforo.store import catalog, outbox, runs
from aforo.store.channel import Channel
from aforo.store.connect import Store
from aforo.store.run import DatasetKind, ExpressionType, Run, RunState, Series, result_dataset

TENANT = "acme"
METRICS: dict[str, tuple[ExpressionType, dict[str, Any], list[str]]] = {
    "SALES_PER_VISIT": (
        ExpressionType.RATIO,
        {"numerator": {"series": "SALES"}, "denominator": {"series": "VISITS"}},
        ["SALES", "VISITS"],
    ),
    "GROWTH": (
        ExpressionType.GROWTH,
        {"of": {"series": "SALES_PER_VISIT"}, "periods": 1, "kind": "absolute"},
        ["SALES_PER_VISIT"],
    ),
}


class Office:
    """Everything of the reactive side over one store, moved on by hand."""

    def __init__(self, place: Place, store: Store) -> None:
        self.place, self.store, self.yard = place, store, Yard(place, store)
        turns = Turns(store, place.clock, Runs(), self.yard.telemetry, lambda: None)
        self.reactor, self.feedback = Reactor(turns), Feedback(turns)
        self.whereabouts = StoredWhereabouts(store)
        self.worker = Worker(
            self.yard.consumer,
            self.yard.topics,
            place.objects,
            self.whereabouts,
            place.ask_rollup,
            place.clock,
            self.yard.telemetry,
            place.rules,
        )
        self._register()

    def _register(self) -> None:
        now = self.place.clock.now()
        outside = {"shop": ("SALES", "amount"), "site": ("VISITS", "amount")}
        results = {result_dataset(TENANT, code): (code, VALUE_COLUMN) for code in METRICS}
        with self.store.working() as connection:
            for dataset, (code, column) in (outside | results).items():
                there = dataset in outside
                catalog.put_dataset(
                    connection,
                    now,
                    dataset_id=dataset,
                    tenant=TENANT,
                    kind=DatasetKind.OUTSIDE if there else DatasetKind.METRIC,
                    name=dataset,
                    prefix=self.place.uri(dataset if there else f"results/{TENANT}/{code}"),
                )
                series = Series(
                    tenant=TENANT, code=code, name=code, unit=None, dataset_id=dataset, column=column
                )
                catalog.put_series(connection, now, series)
            for code, (kind, members, reads) in METRICS.items():
                meaning = {
                    "expression_type": kind,
                    "expression": json.dumps(members),
                    "unit": None,
                    "required_days": None,
                }
                catalog.put_metric(
                    connection, now, tenant=TENANT, code=code, meaning=meaning, name=code, reads=reads
                )

    def update(self, dataset: str) -> None:
        self.reactor.take(
            ProjectionUpdateEvent(
                dataset_id=dataset,
                manifest_uri=self.place.uri(dataset, "manifest.json"),
                updated_at="2026-05-28T20:00:00Z",
            )
        )

    def go_on(self) -> None:
        """Sends what is asked for, has it computed, and hears what is answered, until nothing is left."""
        while self._sent():
            while self.worker.run_once():
                pass
            for channel in ANSWERS:
                for said in self.yard.said(channel):
                    self._hear(said)

    def _sent(self) -> int:
        now = self.place.clock.now()
        with self.store.working() as connection:
            claimed = outbox.claim(connection, now, now + 1, 10)
            outbox.sent(connection, [each.id for each in claimed], now)
        for each in claimed:
            message = Message(each.body.encode(), each.group, each.dedup)
            self.yard.bus.topic(Channel(each.topic)).publish(message)
        return len(claimed)

    def _hear(self, said: Any) -> None:
        match said:
            case MetricRunStartedEvent():
                self.feedback.started(said)
            case MetricRunCompletedEvent():
                self.feedback.completed(said)

    def runs(self) -> dict[str, Run]:
        with self.store.reading() as connection:
            return {each.metric_code: each for each in runs.page(connection, None, limit=10)}

    def values(self, run: Run) -> dict[str, float | None]:
        assert run.manifest_uri is not None
        below = self.place.objects.under(self.whereabouts.results_of(run.id))
        (part,) = read_manifest(below, run.manifest_uri, most_bytes=9_999, most_files=1).parts
        rows = pq.read_table(part.uri.removeprefix("file://")).to_pylist()
        return {row["date"].isoformat(): row["value"] for row in rows}


@pytest.fixture
def office(place: Place, tmp_path: Path) -> Iterator[Office]:
    store = Store(tmp_path)
    yield Office(place, store)
    store.close()


def test_updates_become_results_and_these_become_updates(office: Office) -> None:
    office.update("shop")
    office.go_on()
    assert office.runs()["SALES_PER_VISIT"].state is RunState.PENDING
    office.update("site")
    office.go_on()
    found = office.runs()
    assert {code: run.state for code, run in found.items()} == dict.fromkeys(METRICS, RunState.SUCCEEDED)
    ratio = office.values(found["SALES_PER_VISIT"])
    assert ratio == {"2026-01-01": None, "2026-01-02": 2.0, "2026-01-03": None, "2026-01-04": None}
    assert found["SALES_PER_VISIT"].row_count == len(ratio)
    assert set(office.values(found["GROWTH"]).values()) == {None}


def test_a_run_that_cannot_succeed_fails_with_words_to_act_on(office: Office) -> None:
    office.place.written("site", {"2026-01-02": 3}, rowCount=7)
    for dataset in ("shop", "site"):
        office.update(dataset)
    office.go_on()
    (run,) = office.runs().values()
    assert run.state is RunState.FAILED
    assert run.error_code == "invalid_manifest"
    assert "has 1 rows, and its manifest says 7" in (run.error_message or "")


def test_a_worker_as_it_is_put_together_takes_one_request_and_leaves_the_rest_to_others(
    office: Office,
) -> None:
    for number in range(3):
        office.yard.ask(b"no request", group=str(number))
    place, yard = office.place, office.yard
    worker = worker_over(office.store, yard.bus, place.ask_rollup, Settings(), place.clock, yard.telemetry)
    assert worker.run_once() == 1
    assert yard.bus.queue(Channel.METRIC_RUN_REQUESTS).depth() == (2, 0, 1)


def test_where_things_lie_is_told_for_runs_and_datasets_of_one_tenant(office: Office) -> None:
    office.update("shop")
    run = office.runs()["SALES_PER_VISIT"]
    where = office.whereabouts
    assert where.results_of(run.id) == office.place.uri(f"results/{TENANT}/SALES_PER_VISIT")
    assert where.prefix_of(run.id, "shop") == office.place.uri("shop")
    with pytest.raises(NotFound, match="no dataset 'shoo'"):
        where.prefix_of(run.id, "shoo")
    with pytest.raises(NotFound, match="no run 'run_x'"):
        where.results_of("run_x")
    with office.store.working() as connection:
        catalog.put_dataset(
            connection,
            0,
            dataset_id="theirs",
            tenant="other",
            kind=DatasetKind.OUTSIDE,
            name="theirs",
            prefix="file:///theirs/",
        )
    with pytest.raises(NotYourTenant):
        where.prefix_of(run.id, "theirs")
