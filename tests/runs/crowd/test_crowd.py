"""Law 10 with four processes at once: no constraint is ever hit, and every update has one effect."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.runs.crowd.crowd import crowd, hold
from tests.store_kinds import Stores

UPDATES, LONG_UPDATES = 500, 10_000


def together(stores: Stores, folder: Path, updates: int) -> None:
    with crowd(stores.url, folder, updates) as members:
        members.ended_well()
    hold(stores.url, folder, updates)


def test_four_processes_take_each_update_once(stores: Stores, tmp_path: Path) -> None:
    together(stores, tmp_path, UPDATES)


@pytest.mark.long
def test_four_processes_take_each_update_once_for_long(stores: Stores, tmp_path: Path) -> None:
    together(stores, tmp_path, LONG_UPDATES)
