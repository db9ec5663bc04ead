"""A rig of every kind there is, so that one suite exercises all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.buses.clouds import Account, account
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


@pytest.fixture(scope="session")
def cloud(amazon: str) -> Iterator[Account]:
    """Clients for all tests: to make one takes longer than a test."""
    cloud = account(amazon)
    yield cloud
    cloud.sns.close()
    cloud.sqs.close()


CLOUDS = ("sns", "sns-fifo", "sqs-fifo")


@pytest.fixture(params=[*KINDS, *CLOUDS])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A bus of each kind, with nothing in it."""
    with rig_of(request.param, request, tmp_path) as rig:
        yield rig


@pytest.fixture(params=["sqlite", "sns", "sns-fifo"])
def carrier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A bus of each kind but for what is beneath it, which is nothing to who consumes it."""
    with rig_of(request.param, request, tmp_path) as rig:
        yield rig


@contextmanager
def rig_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Rig]:
    if kind in KINDS:
        with stores_of(kind, request, folder) as stores:
            yield local_rig(stores.store)
        return
    cloud: Account = request.getfixturevalue("cloud")
    # What a topic sends comes as it is in one of them, and in an envelope in the other.
    fifo, through_topic = kind.endswith("fifo"), kind.startswith("sns")
    yield cloud.rig(cloud.made(fifo=fifo, raw=fifo, through_topic=through_topic), fifo=fifo)
