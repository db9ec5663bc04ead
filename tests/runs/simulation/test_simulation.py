"""Law 10 under a seeded scheduler: ends at any point, a bus that loses and doubles."""

from __future__ import annotations

from contextlib import closing

import pytest
from tests.runs.simulation.lives import Lived, Lives
from tests.store_kinds import Stores

SEEDS = {"sqlite": 25, "postgresql-18": 3, "postgresql-15": 3}
"""Lives of one part, by store: those of PostgreSQL take three times as long."""
PARTS = 4
LONG_SEEDS, LONG_PARTS = 10_000, 40


def lived(stores: Stores, first: int, count: int) -> Lived:
    with closing(Lives(stores.url)) as lives:
        return lives.all(range(first, first + count))


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
