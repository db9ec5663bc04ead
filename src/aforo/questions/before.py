"""Each bucket beside the one right before it: the growth of a day, week or month over the last.

A bucket that the question's window cuts is held against the same part of the one before: as many local days
from its beginning. The one that now is in is held against as much of the other as of it has passed.
"""

from __future__ import annotations

from bisect import bisect_right

from aforo.questions.question import Question
from aforo.windows import DAY, LATEST, Bucket, Grain, Window, Zone, slot_of

# Holds the whole of the period before another, whatever part of that is asked.
MARGINS = {Grain.WEEK: 16 * DAY, Grain.MONTH: 64 * DAY}
MARGIN = 3 * DAY


def buckets_before(
    question: Question, buckets: tuple[Bucket, ...], now: int
) -> tuple[Window, tuple[Bucket, ...], tuple[int | None, ...], bool]:
    """Their window, the buckets, which of them each of the question's has, and whether time cut one."""
    window, zone = question.window, question.zone
    margin = MARGINS.get(question.grain, MARGIN)
    around = Window(window.start - margin, min(LATEST, window.end + margin))
    whole = zone.buckets(around, question.grain)
    first = bisect_right([each.start for each in whole], window.start) - 1
    last = first + len(buckets) - 1
    others = [
        _part(before, own, bucket, zone)
        for before, own, bucket in zip(whole[first - 1 : last], whole[first : last + 1], buckets, strict=True)
    ]
    passed = [_passed(other, bucket, now) for other, bucket in zip(others, buckets, strict=True)]
    kept = [each for each in passed if each.start < each.end]
    places = {each.start: at for at, each in enumerate(kept)}
    pairs = tuple(places.get(each.start) if each.start < each.end else None for each in passed)
    begin = kept[0].start if kept else others[0].start
    end = kept[-1].end if kept else begin
    return Window(begin, end), tuple(kept), pairs, passed != others


def _part(before: Bucket, own: Bucket, bucket: Bucket, zone: Zone) -> Bucket:
    """What of the period before corresponds to the part of its own period that a bucket is."""
    start = before.start if bucket.start == own.start else _moved(bucket.start, own, before, zone)
    end = before.end if bucket.end == own.end else _moved(bucket.end, own, before, zone)
    return before._replace(start=start, end=end, partial=(start, end) != (before.start, before.end))


def _moved(time: int, from_: Bucket, to: Bucket, zone: Zone) -> int:
    """As many local days and then as much time behind the beginning of `to` as `time` is behind `from_`'s."""
    day = zone.date_of(time)
    first = zone.date_of(from_.start)
    moved = zone.day_start(zone.date_of(to.start) + (day - first)) if day != first else to.start
    since = time - (zone.day_start(day) if day != first else from_.start)
    return min(to.end, moved + since)


def _passed(other: Bucket, bucket: Bucket, now: int) -> Bucket:
    """As much of the other bucket as has passed of the question's."""
    if now >= bucket.end:
        return other
    end = min(other.end, other.start + max(0, slot_of(now) - bucket.start))
    return other._replace(end=max(other.start, end), partial=True)


def days_passed(bucket: Bucket, zone: Zone, now: int) -> float:
    """How many local days of a bucket have passed; of a day that is cut, the part of it."""
    end = min(bucket.end, now)
    if end <= bucket.start:
        return 0.0
    return sum(
        (min(day.end, end) - max(day.start, bucket.start)) / (day.end - day.start)
        for day in zone.days(Window(bucket.start, end))
    )
