"""The drift check as a part of the house: what it takes by lot, tells, alarms and marks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

import duckdb
import numpy as np
import pytest
from structlog.testing import capture_logs
from tests.engines.conftest import embedded
from tests.engines.gauges import DEFAULT, MODEL, NOON, READINGS, Bench, Sent, some_readings

from aforo.clock import ManualClock
from aforo.engines.drifted import DaysChecked, KeptDays, Returned
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.engine import Engine
from aforo.engines.folds import Period
from aforo.errors import Stopping, StorageError
from aforo.rollups import drift
from aforo.rollups.drift import DriftCheck, by_lot, portions
from aforo.telemetry import Telemetry
from aforo.windows import DAY, parse_instant

WHOLE = RollupLayout.of(READINGS, READINGS.rollups["whole"])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    engine = embedded(tmp_path / "data")
    engine.apply_model(MODEL, DEFAULT)
    bench = Bench(engine)
    bench.send(*some_readings(20, spread=DAY), *some_readings(8, tenant="hills", spread=DAY // 2))
    bench.fold()
    yield bench
    bench.engine.close()


def spoil(bench: Bench, folder: Path) -> None:
    """Takes one tenant's rows away behind the engine's back."""
    bench.engine.close()
    with duckdb.connect(folder / "data" / "events.duckdb") as file:
        file.execute(f"DELETE FROM {WHOLE.table(Period.DAY)} WHERE tenant = 'hills'")
    bench.engine = embedded(folder / "data")
    bench.engine.apply_model(MODEL, DEFAULT)


def checking(engine: Engine, telemetry: Telemetry, marked: Event, **more: float) -> DriftCheck:
    return DriftCheck(
        engine,
        ManualClock(NOON),
        telemetry,
        every_seconds=more.get("every_seconds", 0),
        sample_days=int(more.get("sample_days", 0)),
        marked=marked.set,
        dice=random.Random(7),
    )


def test_drift_is_reported_alarmed_marked_and_mended(bench: Bench, tmp_path: Path) -> None:
    spoil(bench, tmp_path)
    telemetry, marked = Telemetry(), Event()
    check = checking(bench.engine, telemetry, marked)
    assert check.last is None
    heard: list[tuple[int, int]] = []
    with capture_logs() as logs:
        report = check.run_once(None, lambda done, of: heard.append((done, of)))
    told = [parse_instant(each["start"]) for each in logs if each["log_level"] == "error"]
    assert told == [each.start for each in report.differences]
    days = sum(len(each.days) for each in bench.engine.kept_days())
    assert (report.kept, report.days, report.waiting) == (days, days, 0)
    assert heard[-1] == (days, days)
    assert report.found == report.marked > 0
    assert {(each.tenant, each.rollup, each.period) for each in report.differences} == {
        ("hills", "whole", "day")
    }
    assert check.last == report
    assert marked.is_set()
    said = telemetry.exposition().decode()
    assert f"aforo_drift_last_differences {report.found}.0" in said
    assert f'aforo_drift_differences_total{{stream="readings"}} {report.found}.0' in said
    bench.fold()
    assert check.run_once(None).found == 0
    assert "aforo_drift_last_differences 0.0" in telemetry.exposition().decode()
    bench.check_everything("hills")


def test_a_check_by_lot_looks_at_so_many_days_and_finds_all_in_the_end(bench: Bench, tmp_path: Path) -> None:
    spoil(bench, tmp_path)
    engine, check = bench.engine, checking(bench.engine, Telemetry(), Event())
    wrong = sum(
        engine.check_days(each.stream, each.tenant, each.days.tolist()).found for each in engine.kept_days()
    )
    assert wrong > 1
    found = rounds = 0
    while found < wrong and rounds < 40:
        report = check.run_once(1)
        assert report.days + bool(report.waiting) == 1
        found += report.found
        rounds += 1
    assert found == wrong


def test_ids_that_came_back_are_told_and_no_drift(bench: Bench) -> None:
    bench.send(Sent(id="x"), Sent(id="x", time=NOON + 1))
    bench.fold()
    telemetry, marked = Telemetry(), Event()
    for sample in (None, 100):
        report = checking(bench.engine, telemetry, marked).run_once(sample)
        assert (report.found, report.returned, [each.id for each in report.returned_ids]) == (0, 1, ["x"])
    assert "aforo_returned_ids 1.0" in telemetry.exposition().decode()
    assert not marked.is_set()


def test_who_listens_may_end_it(bench: Bench) -> None:
    def ends(_done: int, _of: int) -> None:
        raise Stopping("no more")

    check = checking(bench.engine, Telemetry(), Event())
    with pytest.raises(Stopping):
        check.run_once(None, ends)
    assert check.last is None


class Stumbling:
    """An engine that fails the first time, and then says that it was asked again."""

    def __init__(self) -> None:
        self.asked = 0
        self.again = Event()

    def kept_days(self) -> tuple[KeptDays, ...]:
        self.asked += 1
        if self.asked == 1:
            raise StorageError("the disk is away")
        if self.asked == 2:
            raise ZeroDivisionError
        return (KeptDays("readings", "river", np.array([NOON]), np.array([1])),)

    def check_days(self, stream: str, tenant: str, days: Sequence[int]) -> DaysChecked:
        return DaysChecked(stream, tenant, len(days), 0, 0, (), np.array([], np.int64))

    def returned_ids(self, _stream: str, _tenant: str, _days: object, *, limit: int) -> Returned:
        self.again.set()
        return Returned(0, ())


def test_the_background_goes_on_after_a_failure_and_ends_when_told() -> None:
    engine = Stumbling()
    check = checking(engine, Telemetry(), Event(), every_seconds=0.001, sample_days=5)  # type: ignore[arg-type]
    check.start()
    assert engine.again.wait(30)
    check.stop()
    assert check.last is not None


def test_zero_seconds_mean_never() -> None:
    engine = Stumbling()
    check = checking(engine, Telemetry(), Event())  # type: ignore[arg-type]
    check.start()
    check.stop()
    assert engine.asked == 0


def kept(tenant: str, count: int, events: int = 1) -> KeptDays:
    return KeptDays("readings", tenant, np.arange(count) * DAY, np.full(count, events))


def test_the_lot_is_fair_and_takes_no_day_twice() -> None:
    all_days = [kept("a", 3), kept("b", 0), kept("c", 97)]
    taken = by_lot(all_days, 10, random.Random(1))
    assert sum(len(each.days) for each in taken) == 10
    assert all(len(set(each.days.tolist())) == len(each.days) for each in taken)
    assert [each.days.tolist() for each in by_lot(all_days, 200, random.Random(1))] == [
        all_days[0].days.tolist(),
        all_days[2].days.tolist(),
    ]
    assert by_lot([], 5, random.Random(1)) == ()
    times = [
        sum(each.tenant == "a" for each in by_lot(all_days, 1, random.Random(seed))) for seed in range(2_000)
    ]
    assert 30 < sum(times) < 95


def test_days_are_compared_together_up_to_a_bound() -> None:
    assert [len(days) for days in portions(kept("a", 70))] == [31, 31, 8]
    assert [len(days) for days in portions(kept("a", 5, drift.TOGETHER_EVENTS // 2))] == [2, 2, 1]
    assert [len(days) for days in portions(kept("a", 2, drift.TOGETHER_EVENTS * 9))] == [1, 1]
    assert list(portions(kept("a", 0))) == []
