"""What bodies weigh: how many bytes were brought for each stream and tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aforo.engines.appends import Owners, Volume

Numbers: TypeAlias = npt.NDArray[np.int64]
Key: TypeAlias = tuple[str, str]
"""A stream and a tenant."""


@dataclass(frozen=True, slots=True, eq=False)
class Brought:
    """How many events of a stream and tenant came in a body, for as many of these as there are."""

    bodies: Numbers
    keys: Numbers
    events: Numbers

    @classmethod
    def in_parts(cls, owners: Owners, parts: Sequence[tuple[int, int, int]], keys: Numbers) -> Brought:
        """Of a stream's rows; a part is a body, its first row and its end, and `keys` are the tenants'.

        All at once: parts are many and small.
        """
        of = np.repeat([body for body, _, _ in parts], [end - start for _, start, end in parts])
        codes = np.concatenate([owners.codes[start:end] for _, start, end in parts])
        pairs, events = np.unique(of * len(keys) + codes, return_counts=True)
        return cls(pairs // len(keys), keys[pairs % len(keys)], events)

    @classmethod
    def joined(cls, parts: Iterable[Brought]) -> Brought:
        bodies, keys, events = zip(*((part.bodies, part.keys, part.events) for part in parts), strict=True)
        return cls(np.concatenate(bodies), np.concatenate(keys), np.concatenate(events))

    def shared(self, sizes: Numbers, keys: int) -> Numbers:
        """The bytes of each key: every event of a body counts for the same part (as `outcomes.shares`)."""
        out = np.zeros(keys, np.int64)
        if (self.bodies[1:] > self.bodies[:-1]).all():  # each body is of one key, to the last byte
            np.add.at(out, self.keys, sizes[self.bodies])
            return out
        order = np.lexsort((self.keys, self.bodies))
        bodies, events = self.bodies[order], self.events[order]
        upto, firsts = np.cumsum(events), np.flatnonzero(np.diff(bodies, prepend=-1))
        of = np.repeat(np.arange(len(firsts)), np.diff(firsts, append=len(bodies)))
        before = (upto - events)[firsts][of]
        totals = np.add.reduceat(events, firsts)[of]
        ends = sizes[bodies] * (upto - before) // totals
        given = np.diff(ends, prepend=0)
        given[firsts] = ends[firsts]
        np.add.at(out, self.keys[order], given)
        return out


def volumes(
    sizes: Sequence[int],
    owners: Mapping[str, Owners],
    parts: Mapping[str, Sequence[tuple[int, int, int]]],
    refused: Sequence[tuple[int, Key, int]],
) -> tuple[Volume, ...]:
    """What bodies of these sizes weigh, by stream and tenant.

    `parts` are those of the bodies in each stream's rows; `refused` tells of events that were not kept.
    """
    kept = ((stream, tenant) for stream in parts for tenant in owners[stream].tenants)
    names = sorted({*kept, *(key for _, key, _ in refused)})
    if not names:
        return ()
    number = {name: at for at, name in enumerate(names)}
    found = [
        Brought.in_parts(
            owners[stream], each, np.array([number[stream, tenant] for tenant in owners[stream].tenants])
        )
        for stream, each in parts.items()
    ]
    lost = np.array([(body, number[key], events) for body, key, events in refused], np.int64).reshape(-1, 3)
    brought = Brought.joined((*found, Brought(*lost.T)))
    given = brought.shared(np.array(sizes, np.int64), len(names))
    return tuple(Volume(*names[at], int(given[at])) for at in np.flatnonzero(given).tolist())
