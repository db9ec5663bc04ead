"""Loading the same flights again, in another order or in other pieces, changes no digit."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.flights.conftest import YEAR, Ask, load, of_rows, opened, shuffled
from tests.flights.test_facts import ALL
from tests.lives.world import still_copy

from aforo.assembly import Chunk, Local

QUESTIONS: tuple[dict[str, object], ...] = (
    {},
    {"grain": "month", "by": ["carrier"]},
    {"grain": "day", "by": ["origin"]},
    {"by": ["origin", "carrier", "dest"]},
    {"grain": "hour", "from": "2013-11-01", "to": "2013-11-07"},
)
NOVEMBER = {"from": "2013-11-01", "to": "2013-11-30"}  # New York's clocks go back on the third
IN_UTC = ("2013-11-01T04:00:00Z", "2013-12-01T05:00:00Z")
RESTARTS = 12


def answers(local: Local, window: Mapping[str, object] = YEAR) -> list[Any]:
    asked = {"tenant": "nyc", "metrics": list(ALL), **window}
    return [local.ask({**asked, **more})["rows"] for more in QUESTIONS]


def november() -> Chunk:
    """Its flights in random order."""
    [year] = shuffled(seed=3, rows=400_000)
    rows = pa.table(dict(year.columns))
    first, last = IN_UTC
    return of_rows(
        year, rows.filter(pc.and_(pc.greater_equal(rows["time"], first), pc.less(rows["time"], last)))
    )


def in_restarts(root: Path, whole: Chunk, seed: int) -> Local:
    """Loads it in as many pieces as there are restarts, each by a process of its own.

    Half of the processes crash: the next one finds a copy of the files as they were. Some fold before, some
    do not; some send what the one before them has sent.
    """
    dice, directory = Random(seed), root / "0"
    rows = pa.table(dict(whole.columns))
    edges = [0, *sorted(dice.sample(range(1, whole.rows), RESTARTS - 1)), whole.rows]
    before: list[Chunk] = []
    for number, (first, last) in enumerate(pairwise(edges)):
        piece = of_rows(whole, rows.slice(first, last - first))
        again = before if dice.random() < 0.3 else []
        local = opened(directory)
        assert load(local, [*again, piece]) == (piece.rows, sum(each.rows for each in again))
        if dice.random() < 0.4:
            local.fold(lambda _slots: None)
        if dice.random() < 0.5:
            there, directory = directory, root / str(number + 1)
            still_copy(there, directory)
        local.close()
        before = [piece]
    local = opened(directory)
    local.fold(lambda _slots: None)
    return local


def test_a_second_shuffled_load_is_all_duplicates(flights: Local, ask: Ask) -> None:
    before = answers(flights)
    assert load(flights, shuffled(seed=1, rows=70_000)) == (0, 336_776)
    assert flights.fold(lambda _slots: None)["slots"] == 0
    assert answers(flights) == before


def test_another_order_in_other_batches_with_folds_between_gives_the_same(
    flights: Local, tmp_path: Path
) -> None:
    pieces = list(shuffled(seed=2, rows=120_000))
    other = opened(tmp_path)
    assert load(other, pieces[:1]) == (120_000, 0)
    other.fold(lambda _slots: None)
    other.close()
    # Reopened, the first piece comes again with the rest, as after a crash that lost the loader's place.
    other = opened(tmp_path)
    assert load(other, pieces) == (216_776, 120_000)
    other.fold(lambda _slots: None)
    assert answers(other) == answers(flights)
    other.close()


def test_november_in_random_order_over_twelve_restarts_is_the_same(flights: Local, tmp_path: Path) -> None:
    other = in_restarts(tmp_path, november(), seed=0)
    assert answers(other, NOVEMBER) == answers(flights, NOVEMBER)
    assert other.ask({"tenant": "nyc", "metrics": ["flights"], **NOVEMBER})["rows"] == [{"flights": 27_268}]
    other.close()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_the_year_in_random_order_over_twelve_restarts_is_the_same(
    flights: Local, tmp_path: Path, seed: int
) -> None:
    [year] = shuffled(seed + 4, rows=400_000)
    other = in_restarts(tmp_path, year, seed)
    assert answers(other) == answers(flights)
    other.close()
