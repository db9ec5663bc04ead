"""What an expression holds to beside its shape: it reads series that are there, in units that go together."""

from __future__ import annotations

from collections.abc import Mapping

from aforo.runs.expression.faults import FaultCode, Faults, shown
from aforo.runs.expression.node import Constant, Expression, Kind, SeriesRead, Unread, walk
from aforo.runs.expression.unit import Unit, UnitsDisagree

ROOT = "expressionJson"


def something_is_read(expression: Expression, faults: Faults) -> None:
    """Every computation reads a series, since constants alone have no dates."""
    for path, node in walk(expression, ROOT):
        if isinstance(node, Unread) or not isinstance(node, Kind):
            continue
        if all(isinstance(part, Constant) for part in node.parts.values()):
            faults.add(path, FaultCode.NO_SERIES, "it reads no series, and constants alone have no dates")


def series_are_known(expression: Expression, units: Mapping[str, str | None], faults: Faults) -> None:
    """Every series, or metric, that is read exists."""
    for path, node in walk(expression, ROOT):
        if isinstance(node, SeriesRead) and node.code not in units:
            message = f"there is no series or metric named {shown(node.code)}"
            faults.unknown(f"{path}.series", FaultCode.UNKNOWN_SERIES, message, node.code, units)


def units_agree(expression: Expression, units: Mapping[str, str | None], faults: Faults) -> Unit | None:
    """The unit of the expression; a fault for each node whose parts do not go together, and None then."""
    met: dict[str, Unit | None] = {}
    for path, node in walk(expression, ROOT):
        place = f"{path}.series" if isinstance(node, SeriesRead) else path
        try:
            met[path] = _unit(path, node, units, met)
        except UnitsDisagree as error:
            met[path] = None
            faults.add(place, FaultCode.UNITS, str(error))
    return met[ROOT]


def unit_of(expression: Expression, units: Mapping[str, str | None]) -> str | None:
    """The unit of what an expression comes to, None for a plain number, from those of what it reads.

    InvalidExpression where it reads what has none here, or where units do not go together.
    """
    faults = Faults()
    series_are_known(expression, units, faults)
    unit = units_agree(expression, units, faults)
    faults.raise_if_any()
    return None if unit is None else unit.text


def _unit(
    path: str, node: Expression, units: Mapping[str, str | None], met: Mapping[str, Unit | None]
) -> Unit | None:
    match node:
        case SeriesRead(code):
            return Unit.read(units[code]) if code in units else None
        case Constant():
            return Unit(constant=True)
        case Kind():
            return node.unit({place: met[f"{path}.{place}"] for place in node.parts})
