"""Measures of a stream, kept by some dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RollupGrain(StrEnum):
    """The finest time a rollup keeps; `day` is for splits as wide as the events themselves."""

    SLOT = "slot"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What stands in for a rollup while it is built: the rows kept as `hash`, none where that is empty.

    `declared` is the rollup that is built, `progress` how much of it is, 0 to 1.
    """

    declared: Rollup
    hash: str
    progress: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """Its dimensions in declared order, and the measures it keeps.

    Without `days` it keeps slots alone, and whole days are merged from them when asked.
    """

    name: str
    dimensions: tuple[str, ...]
    grain: RollupGrain = RollupGrain.SLOT
    measures: tuple[str, ...]
    days: bool = True
    aside: Aside | None = None  # only while it stands in for another
