"""Loading the same flights again, in another order or in other pieces, changes no digit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.flights.conftest import YEAR, Ask, load, opened, shuffled
from tests.flights.test_facts import ALL

from aforo.assembly import Local

QUESTIONS: tuple[dict[str, object], ...] = (
    {},
    {"grain": "month", "by": ["carrier"]},
    {"grain": "day", "by": ["origin"]},
    {"by": ["origin", "carrier", "dest"]},
    {"grain": "hour", "from": "2013-11-01", "to": "2013-11-07"},
)


def answers(local: Local) -> list[Any]:
    return [local.ask({**YEAR, "metrics": list(ALL), **more})["rows"] for more in QUESTIONS]


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
