"""Who was counted before: the sets that tell new from returning.

A measure has *seen* an entity once any event of the tenant gave that entity to it, whatever the question's
split and conditions: who is not new in the whole is new in no part of it. New in a bucket are those whom the
measure saw there and at no time before the bucket began; returning are the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from pyroaring import BitMap

from aforo.engines.coarsening import coalesced
from aforo.engines.folds import Period
from aforo.engines.reads import Segment, States
from aforo.model import formula as formulas
from aforo.model.formula import Sighted, Sighting
from aforo.model.measure import Measure
from aforo.model.metric import Metric
from aforo.model.stream import Stream
from aforo.questions.plan import Plan, Span, plan
from aforo.states import distinct
from aforo.windows import EARLIEST, Bucket, Grain, Window


@dataclass(frozen=True, slots=True)
class Past:
    """How what came before each bucket is read: all time up to the window, then its buckets but the last."""

    measures: tuple[Measure, ...]
    window: Window
    plan: Plan


def sighted(metrics: Iterable[Metric]) -> tuple[Sighted, ...]:
    """What the metrics ask of who is new and who returns, each once."""
    return tuple(dict.fromkeys(leaf for metric in metrics for leaf in formulas.sighted(metric.formula)))


def past_of(stream: Stream, names: Sequence[str], span: Span) -> Past | None:
    """What must be read beside a window to tell whom the measures saw before each of its buckets, if any."""
    if not names or not span.buckets:
        return None
    measures = tuple(stream.measures[name] for name in names)
    zone, start = span.tenant_zone, span.window.start
    origin = zone.day_start(zone.date_of(EARLIEST))
    edges = (origin, *(bucket.start for bucket in span.buckets[:-1]))
    whole = Window(origin, span.buckets[-1].start)
    before = Bucket(origin, start, False, None)
    history = replace(span, window=Window(origin, start), grain=Grain.TOTAL, buckets=(before,))
    if len(span.buckets) == 1:
        return Past(measures, whole, replace(plan(stream, measures, (), (), history), edges=edges))
    earlier = replace(span, window=Window(start, whole.end), buckets=span.buckets[:-1])
    inside = plan(stream, measures, (), (), earlier)
    if inside.rollup is None:
        events = (Segment(Period.SLOT, whole.start, whole.end),)
        return Past(measures, whole, replace(inside, segments=events, edges=edges))
    # One rollup for both: what tiles the buckets tiles the time before them as well.
    same = replace(stream, rollups={inside.rollup.name: inside.rollup})
    segments = (*plan(same, measures, (), (), history).segments, *inside.segments)
    return Past(measures, whole, replace(inside, segments=coalesced(segments), edges=edges))


def told(own: States, past: States, asked: Sequence[Sighted]) -> States:
    """The states with the sets' sizes, and how many are new and how many return, in place of the sets."""
    values = dict(own.values)
    for name in dict.fromkeys(leaf.measure for leaf in asked):
        sets = cast(Sequence[BitMap], own.values[name])
        again = _seen_before(own, past, name)
        values[name] = [distinct.finish(each) for each in sets]
        values[Sighted(Sighting.RETURNING, name).column] = again
        values[Sighted(Sighting.NEW, name).column] = [
            distinct.finish(each) - seen for each, seen in zip(sets, again, strict=True)
        ]
    return replace(own, values=values)


def before_each(past: States, name: str, buckets: Iterable[int]) -> Iterator[BitMap]:
    """Whom a measure saw before each of some ascending buckets: one set, which grows from one to the next."""
    sets = cast(Sequence[BitMap], past.values[name])
    found = dict(zip((bucket for bucket, _ in past.keys), sets, strict=True))
    seen, upto = distinct.empty(), 0
    for bucket in buckets:
        while upto <= bucket:
            seen |= found.get(upto, _NOBODY)
            upto += 1
        yield seen


def _seen_before(own: States, past: States, name: str) -> list[int]:
    """How many of each group's set were seen before its bucket began."""
    sets = cast(Sequence[BitMap], own.values[name])
    counts = [0] * len(sets)
    places = sorted(range(len(sets)), key=lambda place: own.keys[place][0])
    seen = before_each(past, name, (own.keys[place][0] for place in places))
    for place, before in zip(places, seen, strict=True):
        counts[place] = distinct.shared(sets[place], before)
    return counts


_NOBODY = distinct.empty()
