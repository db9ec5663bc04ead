"""Law 10 under a seeded scheduler: ends at any point, a bus that loses and doubles."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.runs.simulation.lives import Lived, Lives
from tests.store_kinds import Stores

ROOT = Path(__file__).parents[3]
SEEDS = {"sqlite": 25, "postgresql-18": 3, "postgresql-15": 3}
"""Lives of one part, by store: those of PostgreSQL take three times as long."""
PARTS = 4
LONG_SEEDS, LONG_PARTS = 10_000, 40


def lived(stores: Stores, first: int, count: int) -> Lived:
    """So many lives in a process of their own, which is not slowed down by measuring what is visited."""
    asked = ("--seed", str(first), "--lives", str(count), "--store", stores.url)
    ran = subprocess.run(
        [sys.executable, "-m", "tests.runs.simulation", *asked],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-500:] + ran.stderr
    told = re.findall(r"(\w+)=(\d+)", ran.stdout.splitlines()[-1])
    return Lived(**{name: int(number) for name, number in told})


@pytest.mark.parametrize("part", range(PARTS))
def test_every_life_ends_well(stores: Stores, part: int) -> None:
    count = SEEDS[stores.kind]
    found = lived(stores, part * count, count)
    # What nothing happens in proves nothing.
    assert found.crashes >= count, found
    assert found.runs >= 2 * count, found
    assert found.updates >= 4 * count, found


@pytest.mark.long
@pytest.mark.parametrize("part", range(LONG_PARTS))
def test_every_life_ends_well_for_long(stores: Stores, part: int) -> None:
    count = LONG_SEEDS // LONG_PARTS
    lived(stores, 100 + part * count, count)


def test_a_life_comes_again_by_its_seed(stores: Stores) -> None:
    told: list[list[str]] = []
    with closing(Lives(stores.url)) as lives:
        for _ in range(2):
            lines: list[str] = []
            lives.one(7, lines.append)
            told.append(lines)
    assert told[0] == told[1]
    assert len(told[0]) > 60
