"""A rig of every kind there is, so that one suite exercises all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.buses.rig import Rig, local_rig
from tests.store_kinds import KINDS, Stores, stores_of

from aforo.store.connect import Store


@pytest.fixture
def store(stores: Stores) -> Store:
    return stores.store


@pytest.fixture
def local(store: Store) -> Rig:
    """The bus in a store of each kind, in a time that stands still."""
    return local_rig(store)


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A bus of each kind, with nothing in it."""
    with stores_of(request.param, request, tmp_path) as stores:
        yield local_rig(stores.store)


@pytest.fixture(params=["sqlite"])
def carrier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A bus of each kind but for what is beneath it, which is nothing to who consumes it."""
    with stores_of(request.param, request, tmp_path) as stores:
        yield local_rig(stores.store)
