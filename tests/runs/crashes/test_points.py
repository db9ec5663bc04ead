"""Law 10 at every step of every deed: struck there by an exception, by SIGKILL, or by a lost word of success.

With WRITE_GOLDEN=1 in the environment the list of points is written, and its diff is then read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.runs.crashes.deeds import DEEDS
from tests.runs.crashes.digest import digest
from tests.runs.crashes.killed import Killer, killer
from tests.runs.crashes.strikes import Content, Struck, fail, named, unsaid
from tests.runs.watched import COMMITTED, WatchedStore
from tests.store_kinds import Stores, stores_of

GOLDEN = Path(__file__).parent / "points.txt"
KILLED_AT = (
    "take and ask:insert dataset_updates",
    "take and ask:insert outbox",
    "take and ask:commit",
    "take and ask:committed",
    "started:update metric_runs",
    "completed:insert consumed",
    "completed:commit",
    "lose and ask again:insert outbox",
    "relay:committed",
    "delete:commit",
)
"""Where `make test` kills; the long run kills everywhere."""


@pytest.fixture
def struck(stores: Stores) -> Iterator[Struck]:
    with closing(WatchedStore(stores.url)) as store:
        yield Struck(store)


@pytest.fixture
def struck_file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Struck, str]]:
    with (
        stores_of("sqlite", request, tmp_path) as stores,
        closing(WatchedStore(stores.url)) as store,
    ):
        yield Struck(store), stores.url


def test_the_points_are_those_listed(struck: Struck) -> None:
    """A statement that is added is a point more, on every store; there are well over the 40 asked for."""
    found = [point for name in DEEDS for point in named(name, struck.undisturbed(name)[0])]
    told = "\n".join(found) + "\n"
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(told, encoding="utf-8")
    assert told == GOLDEN.read_text(encoding="utf-8")
    assert len(found) > 300


@pytest.mark.parametrize("name", DEEDS)
def test_a_deed_that_fails_at_a_point_is_done_once_in_the_end(
    struck_file: tuple[Struck, str], name: str
) -> None:
    struck, _ = struck_file
    points, done = struck.undisturbed(name)
    commit = points.index(COMMITTED)
    struck.strike_before(name, commit, done)
    for number in range(commit, len(points)):
        struck.strike(name, number, fail, done)
        if points[number] == COMMITTED:
            struck.strike(name, number, unsaid, done)


@pytest.mark.long
@pytest.mark.parametrize("name", DEEDS)
def test_a_deed_that_fails_at_a_point_is_done_once_on_every_store(struck: Struck, name: str) -> None:
    """An exception at each point, and after each commit the word that it may not have been one."""
    points, done = struck.undisturbed(name)
    for number, point in enumerate(points):
        struck.strike(name, number, fail, done)
        if point.endswith(COMMITTED):
            struck.strike(name, number, unsaid, done)


def test_a_process_that_is_killed_leaves_nothing_half_done(struck_file: tuple[Struck, str]) -> None:
    struck, url = struck_file
    with killer(url) as killing:
        for each in KILLED_AT:
            name, point = each.split(":")
            points, done = struck.undisturbed(name)
            kill(struck, killing, name, points[: points.index(point) + 1], done)


@pytest.mark.long
@pytest.mark.parametrize("name", DEEDS)
def test_a_process_that_is_killed_anywhere_leaves_nothing_half_done(
    stores: Stores, struck: Struck, name: str
) -> None:
    points, done = struck.undisturbed(name)
    with killer(stores.url) as killing:
        for number in range(len(points)):
            kill(struck, killing, name, points[: number + 1], done)


def kill(struck: Struck, killing: Killer, name: str, passed: list[str], done: Content) -> None:
    """Kills a process at the last of the points of a deed that it passes, and has another do it again."""
    process = struck.prepared(name)
    before, now = digest(struck.store), process.clock.now()
    killing.kill(name, len(passed) - 1, now)
    struck.hold(name, passed, now, before, done)
