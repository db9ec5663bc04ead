"""Expressions over series: read with every fault told at once, and evaluated date by date."""

from __future__ import annotations

from aforo.runs.expression.evaluating import Result, evaluate
from aforo.runs.expression.node import Expression, references
from aforo.runs.expression.nulls import NullCounts
from aforo.runs.expression.reading import read
from aforo.runs.expression.rules import unit_of

__all__ = ["Expression", "NullCounts", "Result", "evaluate", "read", "references", "unit_of"]
