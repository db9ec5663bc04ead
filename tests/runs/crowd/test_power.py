"""Law 10 where PostgreSQL ends at once, again and again, under four processes: none lost, none twice."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runs.crowd.crowd import Crowd, crowd, hold
from tests.runs.crowd.member import MEMBERS
from tests.store.postgres import Server, programs_of, server_of
from tests.store_kinds import NOWHERE

from aforo.store.connect import Store

SEED = 20261130
STOPS, UPDATES = 3, 240
LONG_STOPS, LONG_UPDATES = 60, 20_000
LOOK_SECONDS = 0.01


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of this test's own: others would not like what becomes of it."""
    programs = programs_of(18)
    assert programs is not None, "the extra dev has PostgreSQL 18"
    with server_of(programs) as server:
        Store(NOWHERE, server.url()).close()
        yield server


def test_a_server_that_ends_at_once_loses_and_doubles_nothing(server: Server, tmp_path: Path) -> None:
    under_fire(server, tmp_path, STOPS, UPDATES)


@pytest.mark.long
def test_a_server_that_ends_at_once_for_long(server: Server, tmp_path: Path) -> None:
    under_fire(server, tmp_path, LONG_STOPS, LONG_UPDATES)


def under_fire(server: Server, folder: Path, stops: int, updates: int) -> None:
    """Stops the server so often while the updates are taken, by how many were, and judges at the end.

    Half as many again between two stops or half as few, by the dice: some 2 to 10 s of a busy machine.
    """
    dice = random.Random(SEED)
    told = updates * MEMBERS // 2
    with crowd(server.url(), folder, updates) as members:
        for stop in range(stops):
            wanted = round(told * (stop + dice.uniform(0.5, 1.0)) / (stops + 1))
            wait_for(members, wanted)
            assert members.at_it, f"all was done before stop {stop}"
            server.stop_at_once()
            server.start()
        members.ended_well()
    hold(server.url(), folder, updates)


def wait_for(members: Crowd, acknowledged: int) -> None:
    """Returns once so much was acknowledged, or nobody is at it any more."""
    while members.at_it and len(members.acknowledged) < acknowledged:
        time.sleep(LOOK_SECONDS)
