"""Whole weeks and months in place of the days that an answer would read (law 4: they are merges of days)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from aforo.engines.folds import Period
from aforo.engines.reads import Segment
from aforo.windows import DAY, Window

LEAST = 5 * DAY  # below any week, also below one in which a zone skipped a day and changed its clocks


@dataclass(frozen=True, slots=True)
class Kept:
    """A week or month whose rows are kept and are what its days are now; microseconds UTC."""

    period: Period
    start: int
    end: int


def days_to_coarsen(segments: Iterable[Segment], edges: Sequence[int]) -> Window | None:
    """Within what the days lie that a week or month might stand for; None where every bucket is too short."""
    days = [each for each in segments if each.period is Period.DAY and _longest(each, edges) >= LEAST]
    return Window(min(each.start for each in days), max(each.end for each in days)) if days else None


def _longest(segment: Segment, edges: Sequence[int]) -> int:
    inner = edges[bisect_right(edges, segment.start) : bisect_left(edges, segment.end)]
    points = (segment.start, *inner, segment.end)
    return max(after - before for before, after in pairwise(points))


def coarsened(segments: Iterable[Segment], edges: Sequence[int], kept: Iterable[Kept]) -> tuple[Segment, ...]:
    """The segments with days read as months where one lies in a bucket, then as weeks where one does."""
    whole = sorted((each for each in kept if not _cut(each, edges)), key=lambda each: each.start)
    months = [each for each in whole if each.period is Period.MONTH]
    weeks = [each for each in whole if each.period is Period.WEEK]
    pieces = (
        piece
        for segment in segments
        for days_or_month in _split(segment, months)
        for piece in _split(days_or_month, weeks)
    )
    return coalesced(pieces)


def coalesced(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """The same rows in the fewest segments: neighbours of one period become one, empty ones go."""
    joined: list[Segment] = []
    for segment in segments:
        if segment.start == segment.end:
            continue
        last = joined[-1] if joined else None
        if last is not None and last.period is segment.period and last.end == segment.start:
            joined[-1] = Segment(last.period, last.start, segment.end)
        else:
            joined.append(segment)
    return tuple(joined)


def _cut(kept: Kept, edges: Sequence[int]) -> bool:
    """Whether a bucket begins inside of the period: its rows would be of two."""
    return bisect_right(edges, kept.start) != bisect_left(edges, kept.end)


def _split(segment: Segment, kept: Sequence[Kept]) -> Iterator[Segment]:
    """A segment of days as the kept periods that lie in it, and the days around them."""
    if segment.period is not Period.DAY:
        yield segment
        return
    at = segment.start
    for each in kept[bisect_left(kept, segment.start, key=lambda one: one.start) :]:
        if each.end > segment.end:
            break
        if each.start >= at:
            yield Segment(Period.DAY, at, each.start)
            yield Segment(each.period, each.start, each.end)
            at = each.end
    yield Segment(Period.DAY, at, segment.end)
