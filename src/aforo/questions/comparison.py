"""What an answer is compared with, as it is asked: `previous`, `year`, `before`, `2013-01-01..2013-01-31`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from aforo.errors import InvalidRequest, suggestion
from aforo.windows import parse_date


class Against(StrEnum):
    """The kinds of window a question's own is compared with."""

    PREVIOUS = "previous"  # the same length, immediately before
    YEAR = "year"  # the same local dates of the year before
    BEFORE = "before"  # each bucket's own: the one right before it
    DATES = "dates"  # dates that are named, both ends included


@dataclass(frozen=True, slots=True)
class Comparison:
    """A kind of window; `first` and `last` (included) are there for DATES only.

    With `weekdays` it lies whole weeks back, so that each day is compared with one of the same name.
    """

    against: Against
    first: date | None = None
    last: date | None = None
    weekdays: bool = False

    def __str__(self) -> str:
        return str(self.against) if self.against is not Against.DATES else f"{self.first}..{self.last}"


def parse(text: str) -> Comparison:
    """The comparison of a text; InvalidRequest says what came and what was wanted."""
    if ".." in text:
        begins, _, ends = text.partition("..")
        if not begins.strip() or not ends.strip():
            raise InvalidRequest(f"the comparison {text!r} names one date of two", hint=_BOTH)
        first, last = parse_date(begins.strip()), parse_date(ends.strip())
        if first > last:
            raise InvalidRequest(f"the comparison {text!r} ends before it begins", hint=_BOTH)
        return Comparison(Against.DATES, first, last)
    named = (Against.PREVIOUS, Against.YEAR, Against.BEFORE)
    if text not in named:
        raise InvalidRequest(
            f"{text!r} is no comparison: 'previous', 'year', 'before' or dates like 2013-01-01..2013-01-31",
            hint=suggestion(text, named),
        )
    return Comparison(Against(text))


_BOTH = "write the first and the last day: 2013-01-01..2013-01-31"


def with_weekdays(comparison: Comparison | None) -> Comparison:
    """The same, whole weeks back. Raises InvalidRequest where that has no meaning."""
    if comparison is None or comparison.against not in (Against.PREVIOUS, Against.YEAR):
        came = "nothing is compared" if comparison is None else f"'{comparison}' names its own days"
        raise InvalidRequest(
            f"weekdays are matched with the window before or of last year, but {came}",
            hint="ask 'compare' as previous or year, or leave 'matchWeekdays' out",
        )
    return replace(comparison, weekdays=True)
