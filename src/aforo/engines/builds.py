"""Rollups that are built aside, and marks by which windows are folded again."""

from __future__ import annotations

from dataclasses import dataclass

from aforo.model.rollup import Rollup
from aforo.model.stream import Stream


@dataclass(frozen=True, slots=True)
class Earlier:
    """A rollup that serves on while one of its name is built: as it was declared in an earlier model.

    `stream` has its measures, under their own names, and its fields as they are now.
    """

    stream: Stream
    rollup: Rollup
    model_version: str


@dataclass(frozen=True, slots=True)
class Build:
    """A rollup that is being built, of how many slots, how many are left, and what serves in its place."""

    stream: str
    rollup: str
    hash: str
    slots: int
    slots_left: int
    earlier: Earlier | None

    @property
    def progress(self) -> float:
        """The share of its slots that is built, 0 to 1."""
        return max(0.0, 1 - self.slots_left / self.slots)


@dataclass(frozen=True, slots=True)
class Built:
    """What one step has built of a rollup, and whether it serves from now on."""

    stream: str
    rollup: str
    slots: int
    serves: bool


@dataclass(frozen=True, slots=True)
class Held:
    """What of a window could be folded again: slots that hold anything, and the events in them."""

    slots: int
    events: int


@dataclass(frozen=True, slots=True)
class Marked:
    """Slots that were marked to be folded again, the first of which begins at `start`.

    They are answered once no mark of theirs as of `commit` or before is left.
    """

    start: int
    slots: int
    events: int
    commit: int
