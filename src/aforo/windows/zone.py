"""A tenant's time zone: local days, weeks, months and hours as exact windows of instants.

Every edge is slot aligned. All civil midnights since 1973 are, but a few zones changed their clocks at one
minute past the hour, and the Line Islands stood at -10:40 until 1979: edges in a slot fall back to its start.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import repeat
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from aforo.errors import InvalidRequest, UnknownName
from aforo.windows.window import (
    DAY,
    EARLIEST,
    HOUR,
    LATEST,
    SLOT,
    WEEKDAYS,
    Bucket,
    Day,
    Grain,
    Window,
    slot_of,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_ONE_DAY = timedelta(days=1)
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
# What stands beside the zones on some machines: the machine's own setting, and templates. (`right/` counts
# leap seconds, `posix/` says again what the names without it say.)
_NOT_CIVIL = frozenset({"localtime", "posixrules", "Factory"})
_REMEMBERED, _LONGEST = 128, 400 * DAY
"""Windows whose days are remembered, and how long they are at most: some 60 KiB each."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A named time zone and the weekday its weeks begin on."""

    name: str
    week_start: str = "monday"
    _info: ZoneInfo = field(init=False, repr=False, compare=False)
    _first_weekday: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.week_start not in WEEKDAYS:
            raise UnknownName.of("weekday", self.week_start, WEEKDAYS)
        object.__setattr__(self, "_info", _zone_info(self.name))
        object.__setattr__(self, "_first_weekday", WEEKDAYS.index(self.week_start))

    def day_start(self, day: date) -> int:
        """The first instant of the local day: its first midnight, else the first instant past it.

        A day that the zone skipped has no length: it starts where the next one does.
        """
        return _day_start(self._info, day)

    def date_of(self, time: int) -> date:
        """The local day that holds the instant; clocks set back past midnight bring no old day back."""
        day = _local(self._info, time).date()
        # The wall is never ahead of the day, for a day begins no later than clocks first show its date.
        while self.day_start(day + _ONE_DAY) <= time:
            day += _ONE_DAY
        return day

    def week_start_of(self, day: date) -> date:
        """The first day of the week that holds `day`."""
        return day - timedelta(days=(day.weekday() - self._first_weekday) % 7)

    def month_start_of(self, day: date) -> date:
        """The first day of the month that holds `day`."""
        return day.replace(day=1)

    def days(self, window: Window) -> tuple[Day, ...]:
        """All local days that touch the window, whole, ascending, without those of no length."""
        return (_days_at_hand if window.length <= _LONGEST else _days_of)(self, window)

    def buckets(self, window: Window, grain: Grain) -> tuple[Bucket, ...]:
        """The pieces of the window by the grain, ascending, each beginning where the one before ends."""
        match grain:
            case Grain.TOTAL:
                return (Bucket(window.start, window.end, False, None),) if window.length else ()
            case Grain.SLOT:
                return _clipped(range(slot_of(window.start), window.end + SLOT, SLOT), repeat(None), window)
            case Grain.HOUR:
                return _clipped(self._hour_edges(window), repeat(None), window)
            case Grain.DAY:
                return (_buckets_at_hand if window.length <= _LONGEST else _buckets_of)(self, window)
            case Grain.WEEK:
                return _clipped(*self._local_edges(window, self.week_start_of, _next_week), window)
            case Grain.MONTH:
                return _clipped(*self._local_edges(window, self.month_start_of, _next_month), window)

    def offset_text(self, time: int) -> str:
        """The zone's offset at the instant, as `+05:45`."""
        minutes = _offset(self._info, time) // _MINUTE
        sign = "-" if minutes < 0 else "+"
        return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"

    def rfc3339(self, time: int) -> str:
        """The instant in local time with its offset; microseconds only where there are any."""
        # The offset shown has whole minutes (offsets of the 19th century had seconds), so the wall must too.
        wall = _EPOCH + timedelta(microseconds=time + _offset(self._info, time) // _MINUTE * _MINUTE)
        return wall.replace(tzinfo=None).isoformat() + self.offset_text(time)

    def _local_edges(
        self, window: Window, period_of: Callable[[date], date], following: Callable[[date], date]
    ) -> tuple[list[int], list[date]]:
        """The edges of the periods that touch the window, and the first dates of those periods."""
        _check_range(window)
        edges: list[int] = []
        dates: list[date] = []
        if not window.length:
            return edges, dates
        period = period_of(self.date_of(window.start))
        start = self.day_start(period)
        while start < window.end:
            after = following(period)
            end = self.day_start(after)
            if start < end:
                edges.append(start)
                dates.append(period)
            period, start = after, end
        edges.append(start)
        return edges, dates

    def _hour_edges(self, window: Window) -> list[int]:
        """The edges of the wall hours that touch the window; a change of offset is an edge as well."""
        _check_range(window)
        if not window.length:
            return []
        edges: list[int] = []
        for start, end, offset in self._stretches(window.start - DAY, window.end + DAY):
            edges.append(start)
            first = slot_of((start + offset) // HOUR * HOUR + HOUR - offset)
            edges.extend(range(first if first > start else first + HOUR, end, HOUR))
        return edges[bisect_right(edges, window.start) - 1 : bisect_left(edges, window.end) + 1]

    def _stretches(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """The stretches of one offset between two instants: slot-aligned start and end, offset."""
        begun, probed, offset = slot_of(start), start, _offset(self._info, start)
        while probed < end:
            # No zone changed its offset twice within a week since 1973, so looking once a day sees all.
            upto = min(probed + DAY, end)
            coming = _offset(self._info, upto)
            if coming != offset:
                change = slot_of(_change(self._info, probed, upto))
                yield begun, change, offset
                begun, offset = change, coming
            probed = upto
        yield begun, end, offset


def _days_of(zone: Zone, window: Window) -> tuple[Day, ...]:
    edges, dates = zone._local_edges(window, lambda day: day, _next_day)
    return tuple(map(Day, dates, edges, edges[1:]))


def _buckets_of(zone: Zone, window: Window) -> tuple[Bucket, ...]:
    return _clipped(*zone._local_edges(window, lambda day: day, _next_day), window)


# The questions of one page are of one window, and so are those of the next who looks at it.
_days_at_hand = lru_cache(_REMEMBERED)(_days_of)
_buckets_at_hand = lru_cache(_REMEMBERED)(_buckets_of)


@lru_cache(maxsize=8_192)  # one question asks for the days of its windows many times, and so does the next
def _day_start(zone: ZoneInfo, day: date) -> int:
    wall = (day.toordinal() - _EPOCH_ORDINAL) * DAY
    first = datetime(day.year, day.month, day.day, tzinfo=zone).utcoffset()
    second = datetime(day.year, day.month, day.day, tzinfo=zone, fold=1).utcoffset()
    before = _microseconds(first)
    if first == second or (after := _microseconds(second)) < before:
        return slot_of(wall - before)
    # No clock showed this midnight: the day begins where the clocks went past it.
    return slot_of(_change(zone, wall - after, wall - before))


def _local(zone: ZoneInfo, time: int) -> datetime:
    return (_EPOCH + timedelta(microseconds=time)).astimezone(zone)


def _offset(zone: ZoneInfo, time: int) -> int:
    return _microseconds(_local(zone, time).utcoffset())


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """The first instant that has the offset of `high`, which is not the offset of `low`."""
    wanted = _offset(zone, high)
    while high - low > _SECOND:
        middle = low + (high - low) // (2 * _SECOND) * _SECOND
        if _offset(zone, middle) == wanted:
            high = middle
        else:
            low = middle
    return high - high % _SECOND  # zones change on whole seconds


def _zone_info(name: str) -> ZoneInfo:
    if name not in _NOT_CIVIL and not name.startswith(("right/", "posix/")):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # a folder, a path and a file of another kind are as unknown as a name nobody has
    raise UnknownName.of("time zone", name, available_timezones() - _NOT_CIVIL)


def _microseconds(offset: timedelta | None) -> int:
    if offset is None:  # pragma: no cover - a ZoneInfo always knows the offset of a full date and time
        return 0
    return offset.days * DAY + offset.seconds * _SECOND


def _check_range(window: Window) -> None:
    # The month that holds the earliest event begins before it, and may be asked for as a whole.
    if window.start < EARLIEST - 32 * DAY or window.end > LATEST + 32 * DAY:
        raise InvalidRequest(
            "the window reaches beyond the years that local days are known for",
            hint="ask between 1973-01-01T00:00:00Z and 3000-01-01T00:00:00Z",
        )


def _next_day(day: date) -> date:
    return day + _ONE_DAY


def _next_week(day: date) -> date:
    return day + 7 * _ONE_DAY


def _next_month(day: date) -> date:
    return day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)


def _clipped(edges: Sequence[int], dates: Iterable[date | None], window: Window) -> tuple[Bucket, ...]:
    """The periods between the edges, cut to the window."""
    if not window.length:
        return ()
    # A range of slots may have one edge too many.
    last = bisect_left(edges, window.end)
    ends = edges[1 : last + 1]
    buckets = list(map(Bucket, edges[:last], ends, repeat(False), dates))
    if edges[0] < window.start:
        buckets[0] = buckets[0]._replace(start=window.start, partial=True)
    if edges[last] > window.end:
        buckets[-1] = buckets[-1]._replace(end=window.end, partial=True)
    return tuple(buckets)
