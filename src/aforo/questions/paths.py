"""How far entities came on an ordered path of steps, from their events.

An entity has reached step k where there are events e1 to ek of it, ei being step i, each later than the one
before, and ek no later than a limit after e1. Of two events of one microsecond neither is later, so no order
of arrival can change the answer, and no event is two steps.

For each event that is step k the latest start from which it can be reached is kept, over all that came
before: a later start never reaches less. The events are ordered by entity and time, so that a start is the
number of a row, and the latest before a row is a running maximum.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aforo.engines.reads import Paths

Rows = npt.NDArray[np.int64]
_NEVER = -1


def reached(found: Sequence[Paths], steps: int, within: int | None) -> tuple[int, ...]:
    """How many entities reached each step; `within` is microseconds from the first step to any later one."""
    ordinals = np.concatenate([each.ordinals for each in found])
    times = np.concatenate([each.times for each in found])
    bits = np.concatenate([each.steps for each in found])
    order = np.lexsort((times, ordinals))
    ordinals, times, bits = ordinals[order], times[order], bits[order]
    before = _last_before(ordinals, times)
    starts: Rows = np.where(bits & 1, np.arange(len(times)), _NEVER)
    counts = [_entities(ordinals, starts)]
    for step in range(1, steps):
        latest = np.maximum.accumulate(starts)[before] if len(starts) else starts
        on = (before != _NEVER) & (latest != _NEVER) & ((bits >> step) & 1).astype(bool)
        on &= ordinals[latest] == ordinals
        if within is not None:
            on &= times - times[latest] <= within
        starts = np.where(on, latest, _NEVER)
        counts.append(_entities(ordinals, starts))
    return tuple(counts)


def _last_before(ordinals: npt.NDArray[np.uint32], times: Rows) -> Rows:
    """Of each row the last one of an earlier time or of another entity, before it; -1 where there is none."""
    rows = np.arange(len(times))
    first = np.ones(len(times), bool)
    first[1:] = (ordinals[1:] != ordinals[:-1]) | (times[1:] != times[:-1])
    return np.maximum.accumulate(np.where(first, rows, 0)) - 1 if len(rows) else rows


def _entities(ordinals: npt.NDArray[np.uint32], starts: Rows) -> int:
    return len(np.unique(ordinals[starts != _NEVER]))
