"""Laws 1, 2, 3 and 5 at every step of a write, struck by an exception and by SIGKILL."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.points import Strike, Struck, fail, nobody, points_of, watch
from tests.faults.scenario import ZONE, Scenario, Write
from tests.laws.shelf import Shelf

import aforo

ROOT = Path(__file__).parents[2]
SAMPLE = 4
STEPS = {
    Write.APPEND: ("events_readings", "ledger", "outcomes", "tenants", "commits", "entity_probe"),
    Write.REPLACE: ("_slot_sums", "_slot_buckets", "_slot_sets", "_day_sums", "revisions", "ledger"),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path_factory.mktemp("points"), ZONE)
    yield shelf
    shelf.engine.close()


@pytest.fixture(scope="module")
def points(shelf: Shelf) -> dict[Write, list[str]]:
    """The points of each write, in order, as an undisturbed one passes them."""
    watched = watch(shelf.engine)
    return {write: points_of(watched, Scenario(shelf, shelf.tenant()).before(write)) for write in Write}


@pytest.mark.parametrize("write", Write)
def test_the_points_are_around_every_step(points: dict[Write, list[str]], write: Write) -> None:
    for when in ("before", "after"):
        at = [point for point in points[write] if point.startswith(when)]
        assert at[-1] == f"{when} commit"
        for table in STEPS[write]:
            assert any(table in point for point in at), f"{when} {table}"


@pytest.mark.parametrize("write", Write)
def test_a_write_that_fails_anywhere_is_whole_or_was_not(
    shelf: Shelf, points: dict[Write, list[str]], write: Write
) -> None:
    watched = watch(shelf.engine)
    for number, point in enumerate(points[write]):
        scenario = Scenario(shelf, shelf.tenant())
        deed = scenario.before(write)
        watched.at = Strike(number, fail)
        with pytest.raises(Struck, match=r"^(before|after) "):
            deed()
        watched.at = nobody
        try:
            scenario.hold(write, committed=point == "after commit")
        except Exception as error:
            error.add_note(f"struck {point} (point {number} of {write})")
            raise


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


def kill_at(
    points: dict[Write, list[str]], folder: Path, write: Write, numbers: list[int] | range
) -> None:
    paths = os.pathsep.join([str(Path(aforo.__file__).parents[1]), str(ROOT)])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.scenario"],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as children:
        assert children.stdin is not None
        assert children.stdout is not None
        for number in numbers:
            directory = folder / f"{write} {number}"
            children.stdin.write(f"{write} {number} {directory}\n")
            children.stdin.flush()
            assert children.stdout.readline().strip() == str(int(signal.SIGKILL)), points[write][number]
            hold_in(directory, write, points[write][number])
        children.stdin.close()


def hold_in(directory: Path, write: Write, point: str) -> None:
    shelf = Shelf(directory, ZONE)
    try:
        scenario = Scenario(shelf, "river")
        scenario.counted = {}  # all that the file has ever counted is of this one
        scenario.hold(write, committed=point == "after commit")
    except Exception as error:
        error.add_note(f"killed {point}")
        raise
    finally:
        shelf.engine.close()
