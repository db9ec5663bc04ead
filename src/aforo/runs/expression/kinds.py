"""The kinds of expression: one kind, one line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aforo.runs.expression.arithmetic import Arithmetic
from aforo.runs.expression.growth import Growth
from aforo.runs.expression.node import Kind
from aforo.runs.expression.ratio import Ratio
from aforo.runs.expression.resample import Resample
from aforo.runs.expression.rolling import Rolling
from aforo.runs.expression.weighted_sum import WeightedSum

KINDS: Mapping[str, type[Kind]] = MappingProxyType(
    {
        "arithmetic": Arithmetic,
        "ratio": Ratio,
        "growth": Growth,
        "rolling": Rolling,
        "resample": Resample,
        "weighted_sum": WeightedSum,
    }
)
