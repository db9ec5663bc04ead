"""Instants and dates as people and programs write them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from aforo.errors import InvalidRequest
from aforo.windows.window import EARLIEST, LATEST, Window
from aforo.windows.zone import Zone

_INSTANT = re.compile(
    r"(?P<wall>\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2})(?:\.(?P<fraction>\d+))?"
    r"(?P<zone>[Zz]|(?P<sign>[+-])(?P<hours>\d{2}):(?P<minutes>\d{2}))?",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (walls are subtracted here, the offset is taken off by hand)
_MICROSECOND = timedelta(microseconds=1)
# A day inside what a datetime can hold, so that every zone can show what is read here.
_FIRST = (datetime(1, 1, 2) - _EPOCH) // _MICROSECOND  # noqa: DTZ001
_LAST = (datetime(9999, 12, 31) - _EPOCH) // _MICROSECOND  # noqa: DTZ001


def parse_instant(text: str) -> int:
    """Microseconds UTC of an RFC 3339 instant; digits beyond the microsecond are dropped."""
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise InvalidRequest(
            f"{text!r} is not an instant", hint="write it as RFC 3339: 2013-01-01T00:00:00Z, with Z or +hh:mm"
        )
    if found["zone"] is None:
        raise InvalidRequest(f"the instant {text!r} names no zone", hint="write Z or +hh:mm behind it")
    try:
        wall = datetime.fromisoformat(found["wall"].upper())
    except ValueError as cause:
        raise InvalidRequest(f"{text!r} is not an instant: {cause}") from cause
    fraction = int((found["fraction"] or "")[:6].ljust(6, "0"))
    time = (wall - _EPOCH) // _MICROSECOND + fraction - _offset(text, found)
    if not _FIRST <= time < _LAST:
        raise InvalidRequest(f"the instant {text!r} lies outside the years 1 to 9999")
    return time


def _offset(text: str, found: re.Match[str]) -> int:
    if found["sign"] is None:
        return 0
    hours, minutes = int(found["hours"]), int(found["minutes"])
    if hours > 23 or minutes > 59:
        raise InvalidRequest(f"{text!r} has an impossible offset", hint="write Z or +hh:mm behind it")
    microseconds = (hours * 60 + minutes) * 60_000_000
    return microseconds if found["sign"] == "+" else -microseconds


def parse_date(text: str) -> date:
    """The date of `2013-01-31`, and of no other form."""
    wanted = "write year, month and day: 2013-01-31"
    if _DATE.fullmatch(text) is None:
        raise InvalidRequest(f"{text!r} is not a date", hint=wanted)
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise InvalidRequest(f"{text!r} is not a date: {cause}", hint=wanted) from cause


def window_of_dates(first: date, last_inclusive: date, zone: Zone) -> Window:
    """The window of the zone's local days from `first` to `last_inclusive`, both whole."""
    if first > last_inclusive:
        raise InvalidRequest(
            f"a window ends before it begins: from {first} to {last_inclusive}",
            hint="'from' must not be later than 'to'",
        )
    # A local day at either limit may reach a day beyond it.
    earliest, latest = _date_of(EARLIEST) + timedelta(days=1), _date_of(LATEST) - timedelta(days=2)
    if first < earliest or last_inclusive > latest:
        came = f"{first}" if first == last_inclusive else f"{first} to {last_inclusive}"
        raise InvalidRequest(
            f"dates lie between {earliest} and {latest}: {came} came", hint="ask days between those two"
        )
    return Window(zone.day_start(first), zone.day_start(last_inclusive + timedelta(days=1)))


def _date_of(time: int) -> date:
    return (_EPOCH + timedelta(microseconds=time)).date()
