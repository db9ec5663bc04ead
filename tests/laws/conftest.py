"""Engines for the laws, opened once for a file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.laws.shelf import Shelf


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """In New York's days."""
    shelf = Shelf(tmp_path_factory.mktemp("shelf"), "America/New_York")
    yield shelf
    shelf.engine.close()
