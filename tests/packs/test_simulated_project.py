"""A project that is made up: the same again, more of it later, and like a project."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.packs.sites import NOW

from aforo.assembly import LoadOrder, Local
from aforo.clock import ManualClock
from aforo.packs.projects.asked import GroupBy, MetricsAsked, Range
from aforo.packs.projects.metrics import project_metrics
from aforo.packs.projects.modules import MODULES
from aforo.packs.projects.simulated import DAYS_LATE, ROWS, WEIGHTS, make
from aforo.packs.simulating import Wish
from aforo.packs.simulators import simulator
from aforo.settings import Settings
from aforo.windows import DAY, Zone

Row = dict[str, Any]
WISH = Wish(tenant="demo-project", zone=Zone("UTC"), until=NOW, days=20, rate=150, seed=7)


def rows(wish: Wish) -> list[Row]:
    """What is made, in the order in which it comes."""
    found: list[Row] = []
    for chunk in make(wish):
        assert chunk.rows <= ROWS
        names = list(chunk.columns)
        columns = [chunk.columns[name].to_pylist() for name in names]  # type: ignore[union-attr]
        found += [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return found


@pytest.fixture(scope="module")
def made() -> list[Row]:
    return rows(WISH)


def test_the_same_wish_makes_the_same_and_a_longer_one_more(made: list[Row]) -> None:
    assert rows(WISH) == made
    assert rows(replace(WISH, seed=8)) != made
    longer = {row["id"]: row for row in rows(replace(WISH, days=23))}
    later = {row["id"]: row for row in rows(replace(WISH, until=NOW + 3_600_000_000))}
    assert len(longer) > len({row["id"] for row in made})
    assert all(longer[row["id"]] == row == later[row["id"]] for row in made)


def test_it_has_every_module_and_events_that_come_late_and_twice(made: list[Row]) -> None:
    assert {row["module"] for row in made} == MODULES.keys() == WEIGHTS.keys()
    ids = Counter(row["id"] for row in made)
    assert 0 < sum(count - 1 for count in ids.values()) < 0.03 * len(made)
    days = [row["time"].toordinal() for row in made]
    late = [max(days[: at + 1]) - day for at, day in enumerate(days)]
    assert max(late) == DAYS_LATE
    assert 0 < sum(each > 0 for each in late) < 0.05 * len(made)
    assert all(row["time"].timestamp() * 1_000_000 < NOW for row in made)


def test_chunks_have_a_bound() -> None:
    sizes = [chunk.rows for chunk in make(replace(WISH, days=1, rate=25_000, until=NOW - NOW % DAY))]
    assert len(sizes) > 1
    assert max(sizes) == ROWS


def test_through_the_intake_it_is_what_was_made(made: list[Row], tmp_path: Path) -> None:
    local = Local(replace(Settings(), data=tmp_path / "data", packs=("projects",)), ManualClock(NOW))
    order = LoadOrder(path=Path("simulated projects"), tenant=WISH.tenant)
    loaded = local.load(simulator("projects").make(WISH), order, lambda _loaded: None)
    different = {row["id"]: row for row in made}
    assert (loaded.accepted, loaded.refused.total()) == (len(different), 0), loaded.samples
    local.fold(lambda _slots: None)
    asked = MetricsAsked(wedding_id=WISH.tenant, module="finance", range=Range.MONTH, group_by=GroupBy.WEEKLY)
    told = project_metrics(local.aforo.desk, local.aforo.lag, asked)
    events = Counter(row["event"] for row in different.values() if row["module"] == "finance")
    assert {each.key: each.count for each in told.breakdown} == events
    assert told.proof["simulated"] is True
    local.close()
