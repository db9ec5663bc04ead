"""Laws 1, 2, 3 and 5 at every step of a write, struck by an exception and by SIGKILL."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.points import Strike, Struck, fail, fill, give_up, points_of
from tests.faults.scenario import BRINGING, ZONE, Scenario, Write, watch_write
from tests.laws.shelf import Shelf

import aforo
from aforo.errors import StorageError, StorageFull

ROOT = Path(__file__).parents[2]
SAMPLE = 2  # of the points before the commit, beside those around it
LAST = {Write.APPEND: "fdatasync", Write.BULK: "commit", Write.LAND: "commit", Write.REPLACE: "commit"}
"""The step with which a write is done."""
LANDED = ("events_readings", "ledger", "outcomes", "tenants", "commits", "entity_probe")
STEPS = {
    Write.APPEND: ("open", "fsync", "write", "fdatasync"),
    Write.BULK: LANDED,
    Write.LAND: LANDED,
    Write.REPLACE: ("_slot", "_day", "revisions", "held", "ledger"),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path_factory.mktemp("points"), ZONE)
    yield shelf
    shelf.engine.close()


@pytest.fixture(scope="module")
def points(shelf: Shelf) -> dict[Write, list[str]]:
    """The points of each write, in order, as an undisturbed one passes them."""
    found = {}
    for write in Write:
        scenario = Scenario(shelf, shelf.tenant())
        scenario.prepare(write)
        deed = scenario.ready(write)
        found[write] = points_of(watch_write(shelf.engine, write), deed)
        scenario.finish(taken=True)
    return found


@pytest.mark.parametrize("write", Write)
def test_the_points_are_around_every_step(points: dict[Write, list[str]], write: Write) -> None:
    for when in ("before", "after"):
        at = [point for point in points[write] if point.startswith(when)]
        assert at[-1] == f"{when} {LAST[write]}"
        for table in STEPS[write]:
            assert any(table in point for point in at), f"{when} {table}"


@pytest.mark.parametrize("write", Write)
def test_a_disk_that_is_full_at_one_point_after_the_other(
    shelf: Shelf, points: dict[Write, list[str]], write: Write
) -> None:
    """Each time all is as before, until the last, which fails when all is done.

    After one step is before the next, so that half of the points will do here.
    """
    scenario = prepared(shelf, write)
    for number, point in enumerate(points[write]):
        if point.startswith("after") and number < len(points[write]) - 1:
            continue
        with told(f"struck {point}"):
            if write is Write.LAND:  # what has landed cannot land again
                scenario = prepared(shelf, write)
            strike(shelf, scenario, write, Strike(number, fill), StorageFull)
            scenario.hold(write, committed=done(write, point))
    scenario.finish(taken=write is not Write.APPEND)


@pytest.mark.parametrize("write", [Write.BULK, Write.LAND, Write.REPLACE])
def test_a_file_that_is_given_up_is_opened_again(
    shelf: Shelf, points: dict[Write, list[str]], write: Write
) -> None:
    """For the next read as for the next write, and it is another connection."""
    scenario = prepared(shelf, write)
    for number in (0, len(points[write]) // 2, len(points[write]) - 2):
        if write is Write.LAND:
            scenario = prepared(shelf, write)
        strike(shelf, scenario, write, Strike(number, give_up), StorageError)
        scenario.hold(write, committed=False)
    if write is Write.LAND:
        scenario = prepared(shelf, write)
    strike(shelf, scenario, write, Strike(len(points[write]) - 1, give_up), StorageError)
    scenario.finish(taken=True)


@pytest.mark.long
@pytest.mark.parametrize("write", Write)
def test_a_write_that_fails_anywhere_may_be_done_again(
    shelf: Shelf, points: dict[Write, list[str]], write: Write
) -> None:
    for number, point in enumerate(points[write]):
        with told(f"struck {point}"):
            scenario = prepared(shelf, write)
            strike(shelf, scenario, write, Strike(number, fail), Struck)
            scenario.hold(write, committed=done(write, point))
            scenario.finish(taken=done(write, point) or write not in BRINGING)


@pytest.mark.parametrize("write", Write)
def test_a_process_killed_at_some_points_loses_nothing(
    points: dict[Write, list[str]], tmp_path: Path, write: Write
) -> None:
    last = len(points[write]) - 1
    kill_at(points, tmp_path, write, [*random.Random(1).sample(range(last - 1), SAMPLE), last - 1, last])


@pytest.mark.long
@pytest.mark.parametrize("write", Write)
def test_a_process_killed_at_every_point_loses_nothing(
    points: dict[Write, list[str]], tmp_path: Path, write: Write
) -> None:
    kill_at(points, tmp_path, write, range(len(points[write])))


def prepared(shelf: Shelf, write: Write) -> Scenario:
    scenario = Scenario(shelf, shelf.tenant())
    scenario.prepare(write)
    return scenario


def done(write: Write, point: str) -> bool:
    """Whether a write that failed there is done all the same: DuckDB's commit is, a journal's is undone."""
    return write is not Write.APPEND and point == f"after {LAST[write]}"


def survives(write: Write, point: str) -> bool:
    """Whether a write is done of a process that was killed there: what the system was given, it has."""
    if write is Write.APPEND:
        return point in ("after write", "before fdatasync", "after fdatasync")
    return done(write, point)


def strike(shelf: Shelf, scenario: Scenario, write: Write, at: Strike, wanted: type[Exception]) -> None:
    deed, watched = scenario.ready(write), watch_write(shelf.engine, write)
    watched.at = at
    with pytest.raises(wanted) as raised:
        deed()
    assert type(raised.value) is wanted
    watched.leave()


@contextmanager
def told(which: str) -> Iterator[None]:
    """Says at which point it was that something did not hold."""
    try:
        yield
    except BaseException as error:
        error.add_note(which)
        raise


def kill_at(points: dict[Write, list[str]], folder: Path, write: Write, numbers: list[int] | range) -> None:
    prepared = folder / "prepared"
    with opened(prepared) as shelf:
        Scenario(shelf, "river").prepare(write)
    with scenes() as (ask, hear):
        for number in numbers:
            directory, point = folder / f"{write} {number}", points[write][number]
            shutil.copytree(prepared, directory)
            ask(f"{write} {number} {directory}")
            with told(f"killed {point}"):
                assert hear() == str(int(signal.SIGKILL))
                hold_in(directory, write, committed=survives(write, point))


def hold_in(directory: Path, write: Write, *, committed: bool) -> None:
    with opened(directory) as shelf:
        scenario = Scenario(shelf, "river")
        scenario.counted = {}  # all that the file has ever counted is of this one
        scenario.hold(write, committed=committed)
        scenario.finish(taken=committed or write not in BRINGING)


@contextmanager
def opened(directory: Path) -> Iterator[Shelf]:
    shelf = Shelf(directory, ZONE)
    try:
        yield shelf
    finally:
        shelf.engine.close()


@contextmanager
def scenes() -> Iterator[tuple[Callable[[str], None], Callable[[], str]]]:
    """A process whose children end as they are told to."""
    paths = os.pathsep.join([str(Path(aforo.__file__).parents[1]), str(ROOT)])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.scenario"],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None

        def ask(line: str) -> None:
            asked.write(line + "\n")
            asked.flush()

        yield ask, lambda: answers.readline().strip()
        asked.close()
