"""A deed that is struck at one of its points, and then done again as whoever asked for it would."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from tests.runs.crashes.deeds import AGAIN_AFTER_SECONDS, DEEDS, Act, Process, begin
from tests.runs.crashes.digest import digest
from tests.runs.watched import COMMITTED, WatchedStore, nobody

from aforo.clock import MICROSECONDS
from aforo.errors import BusUnavailable, StoreUnavailable


class Fault(Exception):
    """What nobody has thought of."""


@dataclass
class Strike:
    """Hears of every point, and does `blow` at the n-th."""

    number: int
    blow: Callable[[str], None]
    points: list[str] = field(default_factory=list)

    def __call__(self, point: str) -> None:
        self.points.append(point)
        if len(self.points) - 1 == self.number:
            self.blow(point)


def fail(point: str) -> None:
    raise Fault(point)


def unsaid(point: str) -> None:
    """As where the connection was lost while a commit was on its way."""
    raise StoreUnavailable(f"the connection was lost at {point}", hint="ask again")


Content = dict[str, list[str]]


class Struck:
    """Deeds over one store, which is emptied before each."""

    def __init__(self, store: WatchedStore) -> None:
        self.store = store

    def prepared(self, name: str) -> Process:
        """The state before a deed."""
        self.store.at = nobody
        process = Process(self.store)
        begin(process)
        DEEDS[name].prepare(process)
        return process

    def undisturbed(self, name: str) -> tuple[list[str], Content]:
        """The points of a deed, and what it comes to; doing it again changes nothing."""
        process = self.prepared(name)
        act = DEEDS[name].ready(process)
        self.store.at = heard = Strike(-1, fail)
        act()
        self.store.at = nobody
        done = digest(self.store)
        self.again(name, process.clock.now())
        assert digest(self.store) == done, f"{name}: done twice"
        return heard.points, done

    def strike(self, name: str, number: int, blow: Callable[[str], None], done: Content) -> None:
        """Raises AssertionError where the deed was half done, or has two effects or none at last."""
        process = self.prepared(name)
        act = DEEDS[name].ready(process)
        before = digest(self.store)
        passed = self._struck(act, number, blow)
        self.hold(name, passed, process.clock.now(), before, done)

    def strike_before(self, name: str, commit: int, done: Content) -> None:
        """Strikes at each point before the first commit, one after another: all is as it was, each time.

        So that what is done again is what would have been done; it is done again once.
        """
        process = self.prepared(name)
        act = DEEDS[name].ready(process)
        before = digest(self.store)
        for number in range(commit):
            self._struck(act, number, fail)
            assert digest(self.store) == before, f"{name}: half done, struck at point {number}"
        self.again(name, process.clock.now())
        assert digest(self.store) == done, f"{name}: not done once"

    def hold(self, name: str, passed: list[str], now: int, before: Content, done: Content) -> None:
        """Before its first commit what was struck is not done at all; done again, it is done once."""
        if COMMITTED not in passed:
            assert digest(self.store) == before, f"{name}: half done, struck {passed[-1]}"
        self.again(name, now)
        assert digest(self.store) == done, f"{name}: not done once, struck {passed[-1]}"

    def again(self, name: str, now: int) -> None:
        """Does a deed again, a while later and in another process."""
        process = Process(self.store, now + round(AGAIN_AFTER_SECONDS * MICROSECONDS))
        deed = DEEDS[name]
        (deed.again or deed.ready)(process)()

    def _struck(self, act: Act, number: int, blow: Callable[[str], None]) -> list[str]:
        """The points passed until the blow, which is the last."""
        self.store.at = struck = Strike(number, blow)
        with suppress(Fault, StoreUnavailable, BusUnavailable):
            act()
        self.store.at = nobody
        assert len(struck.points) > number, f"the deed ends before point {number}"
        return struck.points[: number + 1]


def die(_point: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def named(name: str, points: list[str]) -> list[str]:
    """The points as the list of all has them: `take and ask:3:insert dataset_updates`."""
    return [f"{name}:{number}:{point}" for number, point in enumerate(points)]
