"""A question whose every word is known to be right."""

from __future__ import annotations

from dataclasses import dataclass

from aforo.model.condition import Condition
from aforo.questions.comparison import Comparison
from aforo.windows import Grain, Window, Zone

PER_DAY = "_per_day"  # behind a metric's name: its average day


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Metrics of one stream, for one tenant, over a window, by grain and split."""

    tenant: str
    stream: str
    metrics: tuple[str, ...]
    window: Window
    grain: Grain
    by: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()  # all must hold
    compare: Comparison | None = None
    daily: bool = False  # what can be averaged by day is, beside the whole
    zone: Zone  # cuts the buckets, and is shown
    tenant_zone: Zone  # its days are what rollups keep
