"""The window that a question's own is compared with, and which of its buckets stands against which.

- `previous`: as many local days immediately before; as many months where whole months are asked by month; the
  same length before where the window is no whole days.
- `year`: the same local dates a year earlier, 29 February becoming 28 February.
- `before`: for each bucket the one right before it, see `before.py`.
- Named dates: those, both ends included.
- With weekdays matched, the same wall clock whole weeks earlier: for `previous` as few as keep the windows
  apart, for `year` 52, which is the nearest to the same date.

Where the question's window reaches beyond now, the other ends as long after its beginning as now is after
the question's, cut down to a whole slot: an unfinished month is held against the same part of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from aforo.errors import InvalidRequest
from aforo.questions.before import buckets_before
from aforo.questions.comparison import Against, Comparison
from aforo.questions.question import Question
from aforo.windows import EARLIEST, Bucket, Grain, Window, Zone, slot_of, window_of_dates

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
WEEKS_OF_A_YEAR = 52 * WEEK


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The other window. The question's i-th bucket is compared with `buckets[pairs[i]]`, or with nothing.

    `cut` says that the window was ended early because the question's own is unfinished.
    """

    window: Window
    buckets: tuple[Bucket, ...]
    pairs: tuple[int | None, ...]
    cut: bool


def counterpart(
    question: Question, comparison: Comparison, buckets: tuple[Bucket, ...], now: int
) -> Counterpart:
    """What the question's buckets are compared with."""
    if comparison.against is Against.BEFORE:
        found = Counterpart(*buckets_before(question, buckets, now))
        _check_begin(comparison, found.window)
        return found
    whole = _other_window(question, comparison)
    _check_begin(comparison, whole)
    window = _elapsed(question.window, whole, now)
    others, pairs = _paired(question, comparison, buckets, whole)
    kept = _clipped(others, window)
    places = {old: new for new, old in enumerate(kept)}
    return Counterpart(
        window,
        tuple(kept.values()),
        tuple(None if pair is None else places.get(pair) for pair in pairs),
        window != whole,
    )


def _check_begin(comparison: Comparison, window: Window) -> None:
    if window.start < EARLIEST:
        raise InvalidRequest(
            f"the comparison {str(comparison)!r} would begin before 1973, the earliest time kept",
            hint="ask a later or a shorter window",
        )


def delta(current: int | float | None, compared: int | float | None) -> float | None:
    """The relative change; None where either is missing or what it is compared with is zero."""
    if current is None or not compared:
        return None
    return (current - compared) / compared


def change(current: int | float | None, compared: int | float | None) -> int | float | None:
    """The absolute change; None where either is missing."""
    return None if current is None or compared is None else current - compared


def year_before(day: date) -> date:
    """The same date a year earlier; 28 February for the 29th."""
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28) if leap_day else day.replace(year=day.year - 1)


def months_before(first: date, months: int) -> date:
    """The first of a month, some months before the first of another."""
    index = first.year * 12 + first.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def _other_window(question: Question, comparison: Comparison) -> Window:
    window, zone = question.window, question.zone
    if comparison.first is not None and comparison.last is not None:
        return window_of_dates(comparison.first, comparison.last, zone)
    previous = comparison.against is Against.PREVIOUS
    if comparison.weekdays:
        shift = _weeks_back(question, comparison)
        return Window(_earlier(window.start, shift, zone), _earlier(window.end, shift, zone))
    if previous and not _whole_days(window, zone):
        return Window(window.start - window.length, window.start)
    begin, end = zone.date_of(window.start), zone.date_of(window.end)
    if _by_whole_months(question):
        months = (end.year - begin.year) * 12 + end.month - begin.month if previous else 12
        return Window(
            zone.day_start(months_before(begin, months)), zone.day_start(months_before(end, months))
        )
    if previous:
        return Window(zone.day_start(begin - (end - begin)), window.start)
    if _whole_days(window, zone):
        return window_of_dates(year_before(begin), year_before(end - DAY), zone)
    start = _year_before_instant(window.start, zone)
    return Window(start, max(start, _year_before_instant(window.end, zone)))


def _paired(
    question: Question, comparison: Comparison, buckets: tuple[Bucket, ...], window: Window
) -> tuple[tuple[Bucket, ...], tuple[int | None, ...]]:
    """The other window's buckets before any cut, and the index among them for each of the question's."""
    zone, grain = question.zone, question.grain
    shift = _date_shift(question, comparison)
    if shift is None or grain is Grain.TOTAL:
        others = zone.buckets(window, grain)
        return others, tuple(i if i < len(others) else None for i in range(len(buckets)))
    if grain in (Grain.WEEK, Grain.MONTH):
        return _shifted(buckets, shift, window, zone)
    others = zone.buckets(window, grain)
    places = {key: i for i, key in enumerate(_places(others, grain, zone, lambda day: day))}
    return others, tuple(places.get(key) for key in _places(buckets, grain, zone, shift))


def _date_shift(question: Question, comparison: Comparison) -> Callable[[date], date] | None:
    """How a local date becomes the one it is compared with; None where buckets are paired by position."""
    window, zone = question.window, question.zone
    if not _whole_days(window, zone):
        return None
    begin, end = zone.date_of(window.start), zone.date_of(window.end)
    long = question.grain in (Grain.WEEK, Grain.MONTH)
    if comparison.weekdays:
        weeks = _weeks_back(question, comparison)
        return lambda day: day - weeks
    if comparison.first is not None:
        gap = begin - comparison.first
        return None if long else lambda day: day - gap
    if _by_whole_months(question):
        return None
    return year_before if comparison.against is Against.YEAR else lambda day: day - (end - begin)


def _places(
    buckets: Iterable[Bucket], grain: Grain, zone: Zone, shift: Callable[[date], date]
) -> Iterable[tuple[date, str, int]]:
    """Where each bucket stands: local date, wall clock, and whether the clock showed it for the second time.

    A repeated or a skipped hour then has nothing to be compared with, and the hours after it do.
    """
    seen: dict[tuple[date, str], int] = {}
    for bucket in buckets:
        day = zone.date_of(bucket.start)
        wall = "" if grain is Grain.DAY else zone.rfc3339(bucket.start)[11:19]
        seen[day, wall] = seen.get((day, wall), 0) + 1
        yield shift(day), wall, seen[day, wall]


def _shifted(
    buckets: tuple[Bucket, ...], shift: Callable[[date], date], window: Window, zone: Zone
) -> tuple[tuple[Bucket, ...], tuple[int | None, ...]]:
    """Weeks and months as the same dates elsewhere, so that each is compared with as many days."""
    starts = [zone.day_start(shift(zone.date_of(bucket.start))) for bucket in buckets]
    ends = [*starts[1:], window.end]
    others = tuple(
        Bucket(start, end, bucket.partial, zone.date_of(start))
        for start, end, bucket in zip(starts, ends, buckets, strict=True)
    )
    return others, tuple(range(len(buckets)))


def _elapsed(window: Window, other: Window, now: int) -> Window:
    if now >= window.end:
        return other
    elapsed = max(0, slot_of(now) - window.start)
    return Window(other.start, min(other.end, other.start + elapsed))


def _clipped(buckets: Iterable[Bucket], window: Window) -> dict[int, Bucket]:
    """The buckets by index as far as they lie in the window; those of which nothing does are left out."""
    kept: dict[int, Bucket] = {}
    for index, bucket in enumerate(buckets):
        end = min(bucket.end, window.end)
        if bucket.start < end:
            kept[index] = Bucket(bucket.start, end, bucket.partial or end < bucket.end, bucket.date)
    return kept


def _whole_days(window: Window, zone: Zone) -> bool:
    return all(zone.day_start(zone.date_of(edge)) == edge for edge in (window.start, window.end))


def _by_whole_months(question: Question) -> bool:
    window, zone = question.window, question.zone
    return (
        question.grain is Grain.MONTH
        and _whole_days(window, zone)
        and zone.date_of(window.start).day == 1
        and zone.date_of(window.end).day == 1
    )


def _year_before_instant(time: int, zone: Zone) -> int:
    day = zone.date_of(time)
    return _earlier(time, day - year_before(day), zone)


def _weeks_back(question: Question, comparison: Comparison) -> timedelta:
    """How far back the window lies whose weekdays match."""
    if comparison.against is Against.YEAR:
        return WEEKS_OF_A_YEAR
    window, zone = question.window, question.zone
    shift = max(WEEK, (zone.date_of(window.end) - zone.date_of(window.start)) // WEEK * WEEK)
    return shift if _earlier(window.end, shift, zone) <= window.start else shift + WEEK


def _earlier(time: int, shift: timedelta, zone: Zone) -> int:
    """As long after the beginning of a local day as `time` is after that of its own."""
    day = zone.date_of(time)
    return zone.day_start(day - shift) + time - zone.day_start(day)
