"""Half-open windows of microseconds UTC, the slots they are made of, and the grains they are cut by."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from aforo.errors import InvalidRequest

SLOT = 900_000_000  # microseconds in a slot: 15 minutes, the longest step every civil offset is a sum of
HOUR = 4 * SLOT
DAY = 24 * HOUR

# From here on the offset of every zone is a whole number of slots, but for the Line Islands until 1979.
EARLIEST = 94_694_400_000_000  # 1973-01-01T00:00:00Z
# Far beyond any event, and far enough from the year 9999 that no local date overflows.
LATEST = 32_503_680_000_000_000  # 3000-01-01T00:00:00Z

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Grain(StrEnum):
    """How finely a window is cut."""

    SLOT = "slot"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Window:
    """The instants from `start` up to, not including, `end`; microseconds UTC."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise InvalidRequest(
                f"a window ends before it begins: from {self.start} to {self.end} (microseconds UTC)",
                hint="'from' must not be later than 'to'",
            )

    @property
    def length(self) -> int:
        """Microseconds in the window."""
        return self.end - self.start

    def contains(self, time: int) -> bool:
        """Whether the instant lies in the window."""
        return self.start <= time < self.end

    def intersect(self, other: Window) -> Window | None:
        """What both windows hold, or None where that is nothing."""
        start = max(self.start, other.start)
        end = min(self.end, other.end)
        return Window(start, end) if start < end else None


# Named tuples, not dataclasses: a year of slots is 35,040 of them and they are made three times as fast.
class Day(NamedTuple):
    """One whole local day."""

    date: datetime.date
    start: int
    end: int


class Bucket(NamedTuple):
    """One piece of a window; `partial` where the window cut it, `date` where the grain is a day or longer.

    `date` is the first local date of the whole period, also where the window begins later.
    """

    start: int
    end: int
    partial: bool
    date: datetime.date | None


def slot_of(time: int) -> int:
    """The start of the slot that holds `time`, before 1970 too."""
    return time - time % SLOT


# The longest a bucket can be: days with 24 extra hours are kept in mind, though none came since 1973.
_LONGEST: Mapping[Grain, int] = {
    Grain.SLOT: SLOT,
    Grain.HOUR: HOUR,
    Grain.DAY: 2 * DAY,
    Grain.WEEK: 8 * DAY,
    Grain.MONTH: 32 * DAY,
}


def buckets_at_least(window: Window, grain: Grain) -> int:
    """A lower bound of the number of buckets, so that too many are refused before they are made."""
    if grain is Grain.TOTAL:
        return min(1, window.length)
    return -(-window.length // _LONGEST[grain])
