"""What was not measured yet: a rollup born after a seal begins there, and earlier buckets are null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aforo.model import formula as formulas
from aforo.model.measure import Measure
from aforo.model.metric import Metric
from aforo.questions.finish import Finished
from aforo.questions.plan import Plan
from aforo.questions.sighting import Past
from aforo.windows import Bucket

Births = Mapping[str, Mapping[str, int]]


def late_rollups(births: Births, measures: Sequence[Measure], start: int) -> frozenset[str]:
    """The rollups that begin to keep one of the measures after a window has begun."""
    wanted = [measure.name for measure in measures]
    return frozenset(
        rollup for rollup, begins in births.items() if any(begins.get(name, 0) > start for name in wanted)
    )


def measured_from(metrics: Sequence[Metric], plan: Plan, past: Past | None, births: Births) -> dict[str, int]:
    """From when on each metric can be told, for those that a window's start is too early for.

    Who was seen before cannot be told at all where what came before was not measured.
    """
    if plan.rollup is None or not plan.segments:
        return {}
    start = min(segment.start for segment in plan.segments)
    end = max(segment.end for segment in plan.segments)
    own = births.get(plan.rollup.name, {})
    before = {} if past is None or past.plan.rollup is None else births.get(past.plan.rollup.name, {})
    found: dict[str, int] = {}
    for metric in metrics:
        begins = max((own.get(name, 0) for name in metric.measures), default=0)
        if any(leaf.measure in before for leaf in formulas.sighted(metric.formula)):
            begins = end
        if begins > start:
            found[metric.name] = begins
    return found


def without(
    finished: Finished, metrics: Sequence[str], buckets: Sequence[Bucket], begins: Mapping[str, int]
) -> Finished:
    """Null for every metric in the buckets that begin before it was measured, for every group."""
    early = {
        index: tuple(begins.get(name, 0) > bucket.start for name in metrics)
        for index, bucket in enumerate(buckets if begins else ())
    }
    return replace(finished, unmeasured={index: hidden for index, hidden in early.items() if any(hidden)})
