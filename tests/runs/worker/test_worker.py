"""A worker from the request in a queue to the answers, in a bus kept in a store."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from tests.runs.worker.place import NOW, RUN, Place
from tests.runs.worker.yard import Yard

from aforo.errors import ObjectsUnavailable, Stopping, StorageError
from aforo.runs.manifest import read_manifest
from aforo.runs.messages import (
    MetricRunCompletedEvent,
    MetricRunHeartbeatEvent,
    MetricRunRequestEvent,
    MetricRunStartedEvent,
    RunError,
    encode,
)
from aforo.runs.series import Series
from aforo.runs.worker.answers import Answers
from aforo.runs.worker.attempts import Attempts
from aforo.runs.worker.children import Children
from aforo.store.channel import Channel
from aforo.store.connect import Store
from aforo.windows import Zone

PATIENCE = 60.0


@pytest.fixture
def yard(place: Place, tmp_path: Path) -> Iterator[Yard]:
    store = Store(tmp_path)
    yield Yard(place, store)
    store.close()


AT = Zone("UTC").rfc3339(NOW)


def test_a_request_is_computed_and_answered(yard: Yard) -> None:
    yard.ask(yard.place.request())
    worker = yard.worker()
    assert worker.run_once() == 1
    started, completed = yard.all_said()
    assert started == MetricRunStartedEvent(run_id=RUN, attempt=1, started_at=AT, worker="w1")
    manifest_uri = yard.place.uri("results", f"{RUN}/1/manifest.json")
    assert completed == MetricRunCompletedEvent(
        run_id=RUN, attempt=1, status="SUCCEEDED", completed_at=AT, manifest=manifest_uri, row_count=4
    )
    results = yard.place.objects.under(yard.place.results_of(RUN))
    manifest = read_manifest(results, manifest_uri, most_bytes=9_999, most_files=1)
    rows = pq.read_table(manifest.parts[0].uri.removeprefix("file://")).to_pylist()
    assert [row["value"] for row in rows] == [None, 2.0, None, None]
    written = json.loads(results.read(manifest_uri, 9_999))
    assert {cause: count for cause, count in written["nulls"].items() if count} == {
        "missing": 2,
        "division_by_zero": 1,
    }
    assert yard.bus.queue(Channel.METRIC_RUN_REQUESTS).depth() == (0, 0, 0)


def test_a_series_of_our_own_rollups_is_read_beside_files(yard: Yard) -> None:
    yard.ask(of_rollup(yard))
    yard.worker().run_once()
    (completed,) = yard.said(Channel.METRIC_RUN_COMPLETED)
    assert completed.status == "SUCCEEDED", completed.error


def test_a_request_that_comes_twice_has_one_result(yard: Yard) -> None:
    worker = yard.worker()
    for _ in range(2):
        yard.ask(yard.place.request())
        worker.run_once()
        yard.place.clock.advance(600.0)  # beyond the time for which the bus knows an id again
        yard.place.written("shop", {"2026-01-02": 99})
    first, second = yard.said(Channel.METRIC_RUN_COMPLETED)
    assert (first.manifest, first.row_count) == (second.manifest, second.row_count)
    assert (first.status, second.status) == ("SUCCEEDED", "SUCCEEDED")


def failure(yard: Yard) -> RunError:
    (completed,) = yard.said(Channel.METRIC_RUN_COMPLETED)
    assert (completed.status, completed.manifest) == ("FAILED", None)
    assert completed.error is not None
    return completed.error


@pytest.mark.parametrize(
    ("changed", "code", "told"),
    [
        ({"expression_type": "ration"}, "invalid_expression", "did you mean 'ratio'?"),
        ({"catalog": {}}, "unknown_name", "there is no series named 'SALES'"),
        ({"run_id": "../../x"}, "outside_prefix", "has the step '..'"),
    ],
)
def test_what_is_wrong_with_a_request_fails_its_run(
    yard: Yard, changed: dict[str, Any], code: str, told: str
) -> None:
    yard.ask(yard.place.request(**changed))
    assert yard.worker().run_once() == 1
    error = failure(yard)
    assert error.code == code
    assert told in error.message


def test_what_is_wrong_with_a_file_fails_its_run(yard: Yard) -> None:
    yard.place.written("shop", {"2026-01-01": "many"})
    yard.ask(yard.place.request())
    yard.worker().run_once()
    error = failure(yard)
    assert error.code == "invalid_series"
    assert "invalid value 'many'" in error.message


def of_rollup(yard: Yard) -> MetricRunRequestEvent:
    """A request that reads one of our own rollups first."""
    request = yard.place.request()
    where = msgspec.structs.replace(
        request.catalog["SALES"], dataset_id="rollup:v:a", manifest_uri="rollup:v:a@1"
    )
    return msgspec.structs.replace(request, catalog=dict(request.catalog) | {"SALES": where})


def test_a_run_over_its_time_fails(yard: Yard) -> None:
    ask = yard.place.ask_rollup

    def slow(dataset_id: str, manifest_uri: str, column: str) -> Series:
        yard.place.clock.advance(301.0)
        return ask(dataset_id, manifest_uri, column)

    yard.place.ask_rollup = slow  # type: ignore[method-assign]
    yard.ask(of_rollup(yard))
    yard.worker().run_once()
    assert failure(yard).code == "time_limit"


def test_a_mistake_of_ours_fails_the_run_and_tells_nothing_of_the_inside(yard: Yard) -> None:
    def mistaken(dataset_id: str, manifest_uri: str, column: str) -> Series:
        raise ZeroDivisionError("a secret")

    yard.place.ask_rollup = mistaken  # type: ignore[method-assign]
    yard.ask(of_rollup(yard))
    yard.worker().run_once()
    error = failure(yard)
    assert error.code == "internal_error"
    assert "secret" not in error.message


def test_what_is_no_request_is_buried(yard: Yard) -> None:
    yard.ask(b'{"type": "MetricRunRequestEvent", "runId": 3}')
    assert yard.worker().run_once() == 1
    assert yard.all_said() == []
    (buried,) = yard.bus.queue(Channel.METRIC_RUN_REQUESTS).buried(10)
    assert "MetricRunRequestEvent" in buried.reason


@pytest.mark.parametrize(
    "error", [ObjectsUnavailable("S3 did not serve it"), OSError(errno.ENOSPC, "no room for the copy")]
)
def test_what_is_passing_is_tried_again_and_answered_once(yard: Yard, error: Exception) -> None:
    met = iter([error])
    prefix_of = yard.place.prefix_of

    def at_first_not(run_id: str, dataset_id: str) -> str:
        for each in met:
            raise each
        return prefix_of(run_id, dataset_id)

    yard.place.prefix_of = at_first_not  # type: ignore[method-assign]
    yard.ask(yard.place.request())
    worker = yard.worker()
    with pytest.raises((ObjectsUnavailable, StorageError)):
        worker.run_once()
    assert yard.said(Channel.METRIC_RUN_COMPLETED) == []
    yard.place.clock.advance(5.0)
    assert worker.run_once() == 1
    (completed,) = yard.said(Channel.METRIC_RUN_COMPLETED)
    assert completed.status == "SUCCEEDED"
    assert len(yard.said(Channel.METRIC_RUN_STARTED)) == 1  # the same attempt begins once for who listens


class Gate:
    """A rollup that a run waits for: a pipe that nobody has written to yet."""

    def __init__(self, yard: Yard, run_id: str = RUN) -> None:
        self._pipe = yard.place.folder / run_id
        os.mkfifo(self._pipe)
        request = yard.place.request(run_id=run_id)
        where = msgspec.structs.replace(
            request.catalog["VISITS"], dataset_id="rollup:v:a", manifest_uri=f"rollup:v:a@{run_id}"
        )
        self.request = msgspec.structs.replace(request, catalog=dict(request.catalog) | {"VISITS": where})

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Begins once a run waits there, and lets it go on in the end."""
        end = os.open(self._pipe, os.O_WRONLY)
        yield
        os.close(end)


@pytest.fixture
def gated(yard: Yard) -> Yard:
    """A yard whose rollups are behind gates."""
    ask = yard.place.ask_rollup

    def waits(dataset_id: str, manifest_uri: str, column: str) -> Series:
        (yard.place.folder / manifest_uri.partition("@")[2]).read_bytes()
        return ask(dataset_id, manifest_uri, column)

    yard.place.ask_rollup = waits  # type: ignore[method-assign]
    return yard


def test_it_is_told_that_a_run_goes_on_and_how_far_it_is(gated: Yard) -> None:
    gate = Gate(gated)
    gated.ask(gate.request)
    worker = gated.worker()
    worker.beat()
    assert gated.said(Channel.METRIC_RUN_HEARTBEATS) == []  # nothing goes on
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(worker.run_once)
        with gate.reached():
            worker.beat()
        assert done.result(PATIENCE) == 1
    worker.beat()
    assert gated.said(Channel.METRIC_RUN_HEARTBEATS) == [
        MetricRunHeartbeatEvent(run_id=RUN, attempt=1, at=AT, progress=0.2)
    ]


def test_several_runs_go_on_at_once_and_a_stop_lets_them_end(gated: Yard) -> None:
    gates = [Gate(gated, f"run_{number}") for number in range(2)]
    for number, gate in enumerate(gates):
        gated.ask(gate.request, group=f"m{number}")
    worker = gated.worker(parallel=2, drain_seconds=PATIENCE)
    worker.start()
    with ThreadPoolExecutor(1) as thread:
        with gates[0].reached(), gates[1].reached():  # both, before either may go on
            stopped = thread.submit(worker.stop)
        stopped.result(PATIENCE)
    completed = gated.said(Channel.METRIC_RUN_COMPLETED)
    assert {each.run_id: each.status for each in completed} == {"run_0": "SUCCEEDED", "run_1": "SUCCEEDED"}


def test_a_run_that_does_not_end_in_time_is_given_back(gated: Yard) -> None:
    gate, place, children = Gate(gated), gated.place, Children()
    answers = Answers(gated.topics, place.clock, "w1")
    attempts = Attempts(
        answers, place.gathering(), place.shelves(), children, place.clock, gated.telemetry, place.rules
    )
    with ThreadPoolExecutor(1) as thread:
        taken = thread.submit(attempts.take, encode(gate.request))
        with gate.reached():
            children.end()
        with pytest.raises(Stopping):
            taken.result(PATIENCE)
    assert gated.said(Channel.METRIC_RUN_COMPLETED) == []


def test_a_worker_that_never_began_can_be_stopped(yard: Yard) -> None:
    yard.worker().stop()


def test_what_a_stopped_worker_is_handed_goes_back(yard: Yard) -> None:
    worker = yard.worker()
    worker.stop()
    yard.ask(yard.place.request())
    assert worker.run_once() == 0
    assert yard.all_said() == []
    yard.place.clock.advance(10.0)
    assert yard.worker().run_once() == 1
