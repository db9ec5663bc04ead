"""Reads the JSON tree of an expression, with every fault told at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from aforo.runs.expression import rules
from aforo.runs.expression.faults import FaultCode, Faults, shown
from aforo.runs.expression.kinds import KINDS
from aforo.runs.expression.members import Code, Number, read_members
from aforo.runs.expression.node import Constant, Expression, Kind, SeriesRead, Unread
from aforo.runs.expression.place import Place

DEEPEST = 16  # nodes within one another, the series or constant included
MOST_NODES = 256

SERIES = Code("series", "The code of a series, or of a metric, whose values are read.")
CONSTANT = Number("constant", "A number on every date.")
NODE = '{"series": "CODE"}, {"constant": 1.5} or {"type": "ratio", ...}'


def read(
    expression_type: str, expression_json: object, *, units: Mapping[str, str | None] | None
) -> Expression:
    """The expression of a type and its members, checked against the units of all known series and metrics.

    With None for `units` neither existence nor units are checked. InvalidExpression has every fault.
    """
    faults = Faults()
    expression = _Reading(faults).top(expression_type, expression_json)
    rules.something_is_read(expression, faults)
    if units is not None:
        rules.series_are_known(expression, units, faults)
        rules.units_agree(expression, units, faults)
    faults.raise_if_any()
    return expression


class _Reading:
    """Reads node by node, and counts them."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._nodes = 0

    def top(self, expression_type: object, value: object) -> Expression:
        """The whole expression, whose type stands outside of it."""
        self._nodes = 1
        kind = self._kind(expression_type, Place("expressionType", self._faults, self._part))
        place = Place(rules.ROOT, self._faults, self._part, 1, rules.ROOT)
        if isinstance(value, Mapping) and "type" in value:
            message = "the type of the whole expression stands in 'expressionType', and not among its members"
            place.at("type").fault(FaultCode.UNKNOWN_MEMBER, message)
            value = _without_type(value)
        return Unread({}) if kind is None else self._members(kind, value, place)

    def _part(self, place: Place, value: object) -> Expression:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            if self._nodes == MOST_NODES + 1:
                place.fault(FaultCode.TOO_LARGE, f"the expression has more than {MOST_NODES} nodes")
            return Unread({})
        if place.depth >= DEEPEST:
            place.fault(FaultCode.TOO_DEEP, f"more than {DEEPEST} nodes stand within one another")
            return Unread({})
        if not isinstance(value, Mapping):
            place.fault(FaultCode.WRONG_TYPE, f"{shown(value)} came where {NODE} was wanted")
            return Unread({})
        return self._node(value, place.node())

    def _node(self, value: Mapping[Any, object], place: Place) -> Expression:
        if "type" in value:
            kind = self._kind(value["type"], place.at("type"))
            return Unread({}) if kind is None else self._members(kind, _without_type(value), place)
        if "series" in value:
            fields = read_members(value, place, (SERIES,))
            return Unread({}) if fields is None else SeriesRead(fields["series"])
        if "constant" in value:
            fields = read_members(value, place, (CONSTANT,))
            return Unread({}) if fields is None else Constant(fields["constant"])
        first = next(map(str, value), "")
        message = f"an object without 'series', 'constant' and 'type' came where {NODE} was wanted"
        place.unknown(FaultCode.MISSING, message, first, ("series", "constant", "type"))
        return Unread({})

    def _kind(self, name: object, place: Place) -> type[Kind] | None:
        if not isinstance(name, str):
            place.fault(
                FaultCode.WRONG_TYPE, f"{shown(name)} came where one of {', '.join(KINDS)} was wanted"
            )
            return None
        if name not in KINDS:
            message = f"there is no type of expression named {shown(name)}"
            place.unknown(FaultCode.UNKNOWN_TYPE, message, name, KINDS)
        return KINDS.get(name)

    def _members(self, kind: type[Kind], value: object, place: Place) -> Expression:
        fields = read_members(value, place, kind.MEMBERS)
        if fields is None:
            return Unread(place.parts)
        node = cast(Callable[..., Kind], kind)(**fields)
        for key, message in node.contradictions():
            place.at(key).fault(FaultCode.BAD_VALUE, message)
        return node


def _without_type(node: Mapping[Any, object]) -> Mapping[Any, object]:
    return {key: value for key, value in node.items() if key != "type"}
