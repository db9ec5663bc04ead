"""Law 3: the same events, cut into whatever batches, in whatever order, with whatever folds between them.

`AFORO_SPLIT_SEED=7 .venv/bin/pytest tests/lives -k replayed` cuts them as one seed does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

import pytest
from tests.engines.gauges import Sent
from tests.laws.shelf import content
from tests.lives.world import SPOTS, World, micros

from aforo.windows import DAY

ONE = os.environ.get("AFORO_SPLIT_SEED", "0")
FIRST = micros(SPOTS["drift"].around) - DAY  # the default zone's clocks change on the second day


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("splits"))
    yield world
    world.close()


def readings(tenant: str) -> list[Sent]:
    """Three hundred of three days: some slots hold dozens, most none."""
    dice = Random(0)
    crowded = [dice.randrange(3 * 96) for _ in range(9)]
    slots = [dice.choice(crowded) if dice.random() < 0.7 else dice.randrange(3 * 96) for _ in range(300)]
    return [
        Sent(tenant=tenant, id=str(at), time=FIRST + slot * DAY // 96 + at, fields=content(at))
        for at, slot in enumerate(slots)
    ]


def cut(world: World, seed: int) -> None:
    """Some batches are sent twice; between them a few rows are folded, or all, or none."""
    dice, tenant = Random(seed), f"cut {seed}"
    events = readings(tenant)
    if dice.random() < 0.8:
        dice.shuffle(events)
    edges = sorted(dice.choices(range(len(events)), k=dice.choice([0, 1, 2, 5, 12])))
    for first, last in zip([0, *edges], [*edges, len(events)], strict=True):
        batch = events[first:last]
        for _ in range(dice.choice([1, 1, 2])):
            world.append(batch)
        if dice.random() < 0.5:
            world.fold_once(dice.choice([1, 30, 10**6]))
    world.fold()
    assert len(world.plain.kept[tenant]) == 300
    world.check_states(tenant)


@pytest.mark.parametrize("seeds", [range(5), range(5, 10)], ids=["0-4", "5-9"])
def test_any_split_gives_the_same(world: World, seeds: range) -> None:
    for seed in seeds:
        cut(world, seed)


def test_a_split_is_replayed(world: World) -> None:
    cut(world, int(ONE) + 10**6 * (ONE == "0"))


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_any_split_gives_the_same_for_a_minute(world: World, part: int) -> None:
    for seed in range(100 + part * 50, 150 + part * 50):
        cut(world, seed)
