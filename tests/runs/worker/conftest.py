"""A place for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.runs.worker.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """With a version of both datasets: sales of three days, visits of the last two and one more."""
    made = Place(tmp_path / "place")
    made.folder.mkdir()
    made.written("shop", {"2026-01-01": 5, "2026-01-02": 6, "2026-01-03": 7})
    made.written("site", {"2026-01-02": 3, "2026-01-03": 0, "2026-01-04": 9})
    return made
