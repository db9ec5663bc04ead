"""A tenant at an engine in which one write is struck, and what must hold afterwards, wherever that was.

`python -m tests.faults.scenario` reads lines `WRITE POINT DIRECTORY`; for each a child of its own opens the
directory, which is prepared for the write, and ends itself with SIGKILL at that point of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import pytest
from tests.engines.gauges import NOON, Sent, as_reference, ask, fold_once
from tests.faults.points import Strike, Watched, die, watch, watch_journal
from tests.laws.shelf import READINGS, Desk, Shelf, as_json, content

from aforo.engines.embedded import EmbeddedEngine, appending
from aforo.engines.folds import Folded
from aforo.events.receipt import Receipt
from aforo.windows import DAY, SLOT, Window, Zone

ZONE = "America/New_York"
ALL = Window(NOON - 9 * DAY, NOON + 9 * DAY)


class Write(StrEnum):
    """The writes of an engine: commits go to the journal, then to the tables, and large ones to these only;
    rollups are made true."""

    APPEND = "append"
    BULK = "bulk"
    LAND = "land"
    REPLACE = "replace"


BRINGING = (Write.APPEND, Write.BULK)
"""The writes without which no event has come."""


def event(number: int) -> Sent:
    """The event of a number: five share a slot, some are four days late, every tenth is of a new probe."""
    late = 4 * DAY if number % 7 == 3 else 0
    fields = {**content(number), **({"probe": f"probe of {number}"} if number % 10 == 0 else {})}
    return Sent(id=str(number), time=NOON + number // 5 * SLOT + number - late, fields=fields)


EARLIER = [event(number) for number in range(12)]
LATER = [event(number) for number in range(8, 30)]
NEW = [event(number) for number in range(12, 30)]


def watch_write(engine: EmbeddedEngine, write: Write) -> Watched:
    """Wraps what a write goes to."""
    return watch_journal() if write is Write.APPEND else watch(engine)


@dataclass
class Scenario:
    """Some events are kept and folded; more come, some of them again, and one is refused; then a fold."""

    shelf: Shelf
    tenant: str
    desk: Desk = field(init=False)
    counted: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Desk.of(self.shelf)
        self.counted = self.shelf.engine.statistics().outcomes

    def prepare(self, write: Write) -> None:
        """Does what comes before the write."""
        self.desk.take(self._bodies(EARLIER))
        while fold_once(self.shelf.engine):
            pass
        if write is Write.REPLACE:
            self.send()

    def ready(self, write: Write) -> Callable[[], object]:
        """The write; of a fold only its writing, since its reading changes nothing."""
        if write is Write.APPEND:
            self.shelf.engine._journal.close()  # each begins a file of its own
            return self.send
        if write is Write.BULK:
            return self.send_as_many
        if write is Write.LAND:
            self.send()
            return self.shelf.engine._appending.land
        claim = self.shelf.engine.claim(10**6)
        assert claim is not None
        folded = self.shelf.engine.fold(claim)
        return lambda: self.replace(folded)

    def send(self) -> Receipt:
        return self.desk.take([*self._bodies(LATER), {"stream": "no such stream"}])

    def send_as_many(self) -> Receipt:
        """What is sent passes for a large commit."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(appending, "BULK_ROWS", 1)
            return self.send()

    def replace(self, folded: Folded) -> None:
        """As a folder does it: what could not be written is left to whoever claims it next."""
        try:
            self.shelf.engine.replace(folded)
        except BaseException:
            self.shelf.engine.release(folded.claim)
            raise

    def hold(self, write: Write, *, committed: bool) -> None:
        """The write is there whole or not at all."""
        self._hold_events(committed or write not in BRINGING)
        if write is Write.REPLACE:
            self._hold_rollups([*EARLIER, *NEW] if committed else EARLIER)

    def finish(self, *, taken: bool) -> None:
        """All is done again, and is as if nothing had ever happened."""
        again = self.send()
        assert (again.accepted, again.duplicates) == ((0, 22) if taken else (18, 4))
        while fold_once(self.shelf.engine):
            pass
        self._hold_rollups([*EARLIER, *NEW])
        assert self._since()["accepted"] == len(EARLIER) + len(NEW)

    def _hold_events(self, taken: bool) -> None:
        """Events, marks and counts go together."""
        expected = len(EARLIER) + len(NEW) * taken
        assert self.shelf.engine.estimate_raw("readings", self.tenant, ALL) == expected
        since = self._since()
        assert since["accepted"] == expected
        assert (since.get("duplicate", 0), since.get("unknown_stream", 0)) == ((4, 1) if taken else (0, 0))

    def _hold_rollups(self, events: Sequence[Sent]) -> None:
        """Rollups say what they say of these events, and the marks whether there are others."""
        bench = self.shelf.bench(self.tenant)
        bench.reference.take([as_reference(each) for each in self._mine(events)], NOON)
        bench.reference.fold()
        whole = len(events) == len(EARLIER) + len(NEW)
        assert (self.shelf.engine.standing("readings", self.tenant, ALL).dirty_from is None) is whole
        for rollup in READINGS.rollups.values():
            request = ask(
                READINGS,
                rollup,
                tenant=self.tenant,
                window=ALL,
                zone=Zone(ZONE),
                by=rollup.dimensions,
            )
            bench.check(request)

    def _since(self) -> dict[str, int]:
        now = self.shelf.engine.statistics().outcomes
        return {name: count - self.counted.get(name, 0) for name, count in now.items()}

    def _mine(self, events: Sequence[Sent]) -> list[Sent]:
        return [replace(each, tenant=self.tenant) for each in events]

    def _bodies(self, events: Sequence[Sent]) -> list[object]:
        return [as_json(each) for each in self._mine(events)]


def struck(write: Write, number: int, directory: Path) -> None:
    """Ends this process at a point of the write that a directory is prepared for."""
    shelf = Shelf(directory, ZONE)
    deed = Scenario(shelf, "river").ready(write)
    watched = watch_write(shelf.engine, write)
    watched.at = Strike(number, die)
    deed()


def main() -> None:
    """Tells for each line how its child ended."""
    for line in sys.stdin:
        write, number, directory = line.rstrip("\n").split(" ", 2)
        child = os.fork()
        if not child:
            struck(Write(write), int(number), Path(directory))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
