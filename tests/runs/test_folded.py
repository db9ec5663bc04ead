"""Our own rollups as datasets: when what is folded becomes a new version, and when it does not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from tests.runs.desk import ME, NOW, TENANT, Desk, growth
from tests.store_kinds import Stores

from aforo.runs.folded import Fold, FoldReporter
from aforo.store import updates
from aforo.store.run import RunState, rollup_dataset

DAY = 86_400 * 1_000_000
HOUR = 3_600 * 1_000_000
VISITS = rollup_dataset("visits", TENANT)


@dataclass
class Folds:
    """How the stream is folded, as a test sets it."""

    fold: Fold | None = None

    def __call__(self, _stream: str, tenant: str) -> Fold | None:
        if tenant != TENANT:
            raise ZeroDivisionError
        return self.fold


@pytest.fixture
def desk(stores: Stores) -> Desk:
    desk = Desk(stores.store)
    ours = {"id": VISITS, "series": [{"code": "VISITS", "column": "visits.count"}]}
    desk.define(ours, metrics=[growth("G", "VISITS")])
    return desk


@pytest.fixture
def folds() -> Folds:
    return Folds(Fold(revision=7, complete_until=NOW, day=NOW - HOUR))


def newest(desk: Desk) -> str:
    with desk.store.reading() as connection:
        found = updates.newest(connection, VISITS)
    assert found is not None
    return found.manifest_uri


def test_what_is_folded_is_a_version_once_and_asks_for_what_reads_it(desk: Desk, folds: Folds) -> None:
    reporter = FoldReporter(desk.turns, folds)
    assert reporter.run_once() == 1
    assert newest(desk) == f"{VISITS}@7.{NOW}"
    assert [run.state for run in desk.all("G")] == [RunState.REQUESTED]
    desk.clock.advance(86_400)
    assert reporter.run_once() == 0


def test_nothing_is_told_before_anything_is_folded(desk: Desk) -> None:
    assert FoldReporter(desk.turns, Folds()).run_once() == 0


def test_a_change_is_told_no_more_often_than_is_wanted(desk: Desk, folds: Folds) -> None:
    assert folds.fold is not None
    reporter, first = FoldReporter(desk.turns, folds), folds.fold
    assert reporter.run_once() == 1
    folds.fold = replace(first, revision=8, complete_until=NOW + HOUR)
    desk.clock.advance(desk.turns.rules.rollup_every_seconds - 1)
    assert reporter.run_once() == 0
    desk.clock.advance(1)
    assert reporter.run_once() == 1
    assert newest(desk) == f"{VISITS}@8.{NOW + HOUR}"


def test_a_day_that_has_ended_is_told_at_once(desk: Desk, folds: Folds) -> None:
    assert folds.fold is not None
    reporter, first = FoldReporter(desk.turns, folds), folds.fold
    assert reporter.run_once() == 1
    desk.clock.advance(1)
    folds.fold = replace(first, revision=9, complete_until=first.day + DAY, day=first.day + DAY)
    assert reporter.run_once() == 1


def test_a_dataset_that_cannot_be_told_of_holds_no_other_back(desk: Desk, folds: Folds) -> None:
    other = {"id": rollup_dataset("visits", "absent"), "series": []}
    desk.definitions.apply("absent", {"datasets": [other]}, ME)
    assert FoldReporter(desk.turns, folds).run_once() == 1
