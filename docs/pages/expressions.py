"""Expressions over series: kinds and members from the code, and examples that are evaluated for the page."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from types import MappingProxyType

import numpy as np

from aforo.runs.expression import Result, evaluate, read
from aforo.runs.expression.faults import FaultCode
from aforo.runs.expression.kinds import KINDS
from aforo.runs.expression.members import LONGEST_CODE, REQUIRED, Listed, Member, Record
from aforo.runs.expression.node import Kind
from aforo.runs.expression.nulls import Cause
from aforo.runs.expression.reading import DEEPEST, MOST_NODES
from aforo.runs.expression.unit import LONGEST_UNIT
from aforo.runs.series import Series
from pages.writing import block, code, paragraphs, table

INTRO = f"""
# Expressions

A metric over series is an expression: `expressionType` names its kind, and `expressionJson` has the
members of that kind. Where a member wants an expression, there stands one of

- `{{"series": "CODE"}}`: the values of a series, or of the result of another metric, by its code;
- `{{"constant": 1.5}}`: a number on every date;
- `{{"type": "ratio", ...}}`: any kind of this page, with its members.

At most {DEEPEST} of these stand within one another, and at most {MOST_NODES} in all. A code has up to
{LONGEST_CODE} characters. Every kind reads at least one series, since constants have no dates.

All that is wrong with an expression is told at once, each fault with its place:
"""

DATES = """
## Dates

A series has a value, or null, for each of its dates. Operands of `arithmetic`, `ratio` and
`weighted_sum` are aligned by date: the result has every date that any of them has, and is null, as
`missing`, where one of them lacks it. Series of different frequencies are brought to one by `resample`
first: a daily and a monthly series have only the first days of months in common, and all other days
would be null.

`growth` and `rolling` count observations by their position among the dates of what they are over, nulls
included. After `resample` the dates have no gaps, so that position and calendar are the same.
"""

NULLS = """
## Nulls

What is computed from null is null. Only the windows of `rolling` and the buckets of `resample` pass over
nulls, and how many were left out of values that are there is counted apart. Each null of a result is
counted once, by what first made it one; of two operands that are null on a date, the first one counts.
"""

UNITS = f"""
## Units

The unit of a series is a text of names joined by `*` and `/`, with powers behind `^`: `EUR`,
`EUR/visit`, `m^2`; none for a plain number. It has up to {LONGEST_UNIT} characters. A result's names
are in the order of the alphabet, what is divided by last: `EUR*visit/hour^2`.
"""

UNIT_RULES = (
    ("`add`, `subtract`, `weighted_sum`", "All operands have one unit, which is the result's."),
    ("`multiply`", "The units are multiplied."),
    ("`divide`, `ratio`", "The first is divided by the others; of two equal units nothing remains."),
    ("`growth`", "Relative growth is a plain number, absolute growth has the unit of what grows."),
    ("`rolling`, `resample`", "The unit of what they are over."),
    ("a constant", "Fits every unit in a sum, and is a plain number in a product or quotient."),
)

CAUSES: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.NULL_INPUT: "A series that is read is null on that date.",
        Cause.MISSING: "An operand has no such date; nothing is so many observations before, in `growth`; "
        "a bucket of `resample` has no date.",
        Cause.DIVISION_BY_ZERO: "What it would be divided by is 0.",
        Cause.OVERFLOW: "The number would be too large, or a series has an infinite value.",
        Cause.SHORT_WINDOW: "A window or bucket has fewer values than `minimumPeriods`.",
    }
)

FAULTS: Mapping[FaultCode, str] = MappingProxyType(
    {
        FaultCode.UNKNOWN_TYPE: "There is no such kind of expression.",
        FaultCode.UNKNOWN_MEMBER: "The kind has no such member.",
        FaultCode.MISSING: "A member without a default is missing.",
        FaultCode.WRONG_TYPE: "What stands there is of another type. Nothing is coerced.",
        FaultCode.BAD_VALUE: "A number, word or list is outside what is allowed there.",
        FaultCode.TOO_DEEP: f"More than {DEEPEST} nodes stand within one another.",
        FaultCode.TOO_LARGE: f"There are more than {MOST_NODES} nodes.",
        FaultCode.UNKNOWN_SERIES: "There is no series or metric of that code.",
        FaultCode.NO_SERIES: "A kind is over constants alone.",
        FaultCode.UNITS: "Units do not go together, or the unit of a series cannot be read.",
    }
)

DAYS = np.arange("2024-01-30", "2024-02-05", dtype="datetime64[D]")
SERIES: Mapping[str, Series] = MappingProxyType(
    {
        "revenue": Series(DAYS, np.array([120.0, 90, math.nan, 150, 60, 180]), "EUR"),
        "costs": Series(DAYS, np.array([80.0, 75, 70, 90, 60, 90]), "EUR"),
        "visits": Series(DAYS[:5], np.array([40.0, 45, 50, 60, 0]), "visit"),
    }
)
REVENUE, COSTS, VISITS = ({"series": name} for name in SERIES)
EXAMPLES: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "arithmetic": {"operator": "subtract", "operands": [REVENUE, COSTS]},
        "ratio": {"numerator": REVENUE, "denominator": VISITS},
        "growth": {"of": VISITS, "periods": 1, "kind": "relative"},
        "rolling": {"of": REVENUE, "window": 3, "function": "mean", "minimumPeriods": 2},
        "resample": {"of": REVENUE, "frequency": "month", "function": "sum"},
        "weighted_sum": {"terms": [{"of": REVENUE, "weight": 1}, {"of": COSTS, "weight": -1.2}]},
    }
)


def page() -> str:
    """The kinds with their members and an example each, and what holds of all of them."""
    return paragraphs(
        INTRO,
        table(("fault", "when"), ((code(each), FAULTS[each]) for each in FaultCode)),
        DATES,
        NULLS,
        table(("cause", "when"), ((code(each.name.lower()), CAUSES[each]) for each in Cause)),
        UNITS,
        table(("in", "units"), UNIT_RULES),
        "The examples below are over these series:",
        _values({f"{name} ({each.unit})": each for name, each in SERIES.items()}),
        *(part for name, kind in KINDS.items() for part in _kind(name, kind)),
    )


def _kind(name: str, kind: type[Kind]) -> Iterator[str]:
    yield f"## {code(name)}"
    yield inspect.getdoc(kind) or ""
    yield table(("member", "wanted", "default", "what it says"), _members(kind.MEMBERS))
    members = EXAMPLES[name]
    yield block(json.dumps({"expressionType": name, "expressionJson": members}), "json")
    result = evaluate(read(name, members, units={each: SERIES[each].unit for each in SERIES}), SERIES)
    yield _values({f"result ({result.series.unit or 'a plain number'})": result.series})
    yield _nulls(result)


def _members(members: tuple[Member, ...], within: str = "") -> Iterator[tuple[str, ...]]:
    for member in members:
        default = "" if member.default in (REQUIRED, None) else code(member.default)
        yield code(f"{within}{member.key}"), member.wanted, default, member.sentence
        if isinstance(member, Listed) and isinstance(member.element, Record):
            yield from _members(member.element.members, f"{within}{member.key}[].")


def _values(columns: Mapping[str, Series]) -> str:
    dates = np.unique(np.concatenate([each.dates for each in columns.values()]))
    cells = [{date: _number(value) for date, value in _points(each)} for each in columns.values()]
    return table(
        ("date", *columns), ((date, *(each.get(date, "") for each in cells)) for date in dates.tolist())
    )


def _points(series: Series) -> Iterator[tuple[object, float]]:
    return zip(series.dates.tolist(), series.values.tolist(), strict=True)


def _number(value: float) -> str:
    return "null" if math.isnan(value) else f"{value:.4g}"


def _nulls(result: Result) -> str:
    counts = {name: count for name, count in asdict(result.nulls).items() if count}
    told = [f"{count} as {code(name)}" for name, count in counts.items()]
    passed_over = f"{result.passed_over} passed over" if result.passed_over else ""
    return f"Nulls: {', '.join(filter(None, [*told, passed_over]))}." if told or passed_over else ""
