"""The kinds of mergeable state: each folds values, merges with its like, and finishes to an answer.

Every kind is a module with `empty()`, `fold(values)`, `merge(a, b)` and `finish(state, ...)`. They are the
reference that the engines' SQL is tested against: merge is associative and commutative, `empty()` is its
identity, and the merge of the states of parts is the state of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from aforo.states import count, distinct, histogram, maximum, minimum
from aforo.states import sum as sum_

KINDS: Mapping[str, ModuleType] = MappingProxyType(
    {
        "count": count,
        "sum": sum_,
        "minimum": minimum,
        "maximum": maximum,
        "distinct": distinct,
        "histogram": histogram,
    }
)
