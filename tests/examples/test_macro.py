"""The example of economy and air: through SNS, SQS and S3 by boto3, to numbers computed here by hand."""

from __future__ import annotations

import csv
import random
import statistics
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from examples.macro import prepare
from tests.amazon import REGION
from tests.examples.cloud import Cloud, Numbers

from aforo.assembly.consuming import consumer_of
from aforo.assembly.working import worker_over
from aforo.buses.opening import bus_of
from aforo.clock import SystemClock
from aforo.objects.opening import Opener
from aforo.runs.defined import Grounds
from aforo.runs.reactive import Reactive
from aforo.runs.worker.worker import Worker
from aforo.settings import Buses, Settings
from aforo.store.act import Actor
from aforo.store.connect import Store
from aforo.store.run import RunState
from aforo.telemetry import Telemetry

TENANT = "research"
CODES = ("CO2_MONTHLY", "CO2_RISE", "CONSUMPTION_SHARE", "GDP_GROWTH", "MISERY")


class Side:
    """The reactive side and a worker, moved by hand."""

    def __init__(self, store: Store, cloud: Cloud) -> None:
        settings = Settings(aws=cloud.aws, buses=Buses(kind="aws", wait_seconds=0))
        clock, telemetry = SystemClock(), Telemetry()
        self.store = store
        root = f"s3://{cloud.bucket}/"
        self.reactive = Reactive(
            store,
            bus_of(settings, store, clock),
            clock,
            telemetry,
            settings.runs,
            grounds=Grounds(roots=(f"{root}data/",), results=f"{root}results/"),
            objects=Opener(region=REGION, endpoint_url=cloud.aws.endpoint_url),
            fold_of=lambda _stream, _tenant: None,
            consume=partial(consumer_of, settings, clock, telemetry),
            dice=random.Random(1),
        )
        self.worker: Worker = worker_over(store, self.reactive.bus, _no_rollups, settings, clock, telemetry)

    def moved(self) -> int:
        """How many messages were sent or dealt with."""
        consumed = sum(each.run_once() for each in self.reactive.consumers)
        return consumed + self.reactive.relay.run_once() + self.worker.run_once()

    def results(self) -> dict[str, str]:
        """The manifests of all runs, each of which has succeeded."""
        from aforo.store import runs

        with self.store.reading() as connection:
            every = runs.page(connection, None, 100)
        assert {run.state for run in every} == {RunState.SUCCEEDED}
        assert len(every) == len(CODES)
        return {run.metric_code: str(run.manifest_uri) for run in every}


def _no_rollups(_dataset_id: str, _uri: str, _column: str) -> Any:
    raise AssertionError("nothing here reads rollups")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store")
    yield store
    store.close()


def test_every_number_of_the_five_metrics(tmp_path: Path, store: Store, amazon: str) -> None:
    prepare.main(tmp_path / "data")
    cloud = Cloud(amazon)
    cloud.uploaded(tmp_path / "data")
    side = Side(store, cloud)
    told = prepare.definitions(f"s3://{cloud.bucket}/data/")
    side.reactive.definitions.apply(TENANT, told, Actor("tests"))
    cloud.tell("macro", "2009-11-01T00:00:00Z")
    cloud.tell("co2", "2002-01-01T00:00:00Z")
    while side.moved() or side.moved():
        pass
    results = side.results()
    assert sorted(results) == list(CODES)
    for code, wanted in by_hand(tmp_path / "data").items():
        found = cloud.numbers(results[code])
        assert found.keys() == wanted.keys(), code
        assert [date for date in wanted if found[date] is None] == [
            date for date in wanted if wanted[date] is None
        ]
        for date, value in wanted.items():
            assert value is None or found[date] == pytest.approx(value, rel=1e-12, abs=1e-12), (code, date)


def by_hand(folder: Path) -> dict[str, Numbers]:
    """The same from the files, in the plainest Python there is."""
    with (folder / "macro" / "macro.csv").open(encoding="utf-8") as file:
        quarters = list(csv.DictReader(file))
    dates = [row["date"] for row in quarters]
    gdp, consumed, unemployed, inflation = (
        [float(row[name]) for row in quarters] for name in ("realgdp", "realcons", "unemp", "infl")
    )
    growth = [None, None, None, None, *(now / then - 1 for then, now in zip(gdp, gdp[4:], strict=False))]
    monthly = months(folder)
    values = list(monthly.values())
    rise = (
        [None] * 12
        + [
            None if None in (then, now) else now - then  # type: ignore[operator]
            for then, now in zip(values, values[12:], strict=False)
        ]
    )
    return {
        "GDP_GROWTH": dict(zip(dates, growth, strict=True)),
        "CONSUMPTION_SHARE": {date: c / g for date, c, g in zip(dates, consumed, gdp, strict=True)},
        "MISERY": {date: u + i for date, u, i in zip(dates, unemployed, inflation, strict=True)},
        "CO2_MONTHLY": monthly,
        "CO2_RISE": dict(zip(monthly, rise, strict=True)),
    }


def months(folder: Path) -> Numbers:
    """The mean of each month's weeks, from the first month to the last, null where none was measured."""
    weeks: dict[str, list[float]] = {}
    with (folder / "co2" / "co2.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            of = weeks.setdefault(f"{row['date'][:7]}-01", [])
            if row["co2"]:
                of.append(float(row["co2"]))
    assert all(after > before for before, after in pairwise(weeks))
    first, last = min(weeks), max(weeks)
    every = [
        f"{year:04}-{month:02}-01"
        for year in range(int(first[:4]), int(last[:4]) + 1)
        for month in range(1, 13)
        if first <= f"{year:04}-{month:02}-01" <= last
    ]
    return {month: statistics.fmean(weeks[month]) if weeks.get(month) else None for month in every}
