"""What a number is made of: the events that gave something to it, and when they were folded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aforo.model.condition import Condition
from aforo.model.measure import Measure
from aforo.model.stream import Stream
from aforo.windows import Window


@dataclass(frozen=True, slots=True)
class BehindRequest:
    """Of which events of one tenant to tell, by what they give to measures, and how many to show at most.

    Without measures no event is read: the folds are told alone.
    """

    tenant: str
    stream: Stream
    measures: tuple[Measure, ...]
    window: Window
    most_shown: int
    where: tuple[Condition, ...] = ()  # all must hold; other events are none of the window's


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """One event as it is kept; `time` in microseconds, `fields` in the stream's order, instants naive UTC."""

    id: str
    time: int
    commit: int
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DayFolded:
    """A tenant's day, by its start, and how often its rollups changed.

    `commit` is what the last fold of it read as of, `folded_at` when it was written, in microseconds. Both
    are None where none was since the directory came to a format that keeps them.
    """

    day: int
    revision: int
    commit: int | None
    folded_at: int | None


@dataclass(frozen=True, slots=True)
class Behind:
    """How many events a window has, and how many of them give something to any of the measures.

    `shown` are some of the latter, the same ones each time; `folds` are of the days that the window touches.
    """

    events: int
    given: int
    shown: tuple[ShownEvent, ...]
    folds: tuple[DayFolded, ...]
