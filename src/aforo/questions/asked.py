"""A question as it comes from outside, before any of its names is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias, TypeVar

import msgspec

from aforo.errors import Fault, InvalidRequest, UnknownName, suggestion

AskedValue: TypeAlias = str | int | float | bool | None
T = TypeVar("T", bound=msgspec.Struct)


class AskedCondition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One condition: a dimension, an operator like `=` or `in`, and the value or values."""

    dimension: str
    op: str = "="
    value: AskedValue | tuple[AskedValue, ...] = None


class AskedOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column of the answer that its rows are ordered by; nulls come last either way."""

    column: str
    descending: bool = False


class Asked(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    rename={"from_": "from", "match_weekdays": "matchWeekdays"},
):
    """The body of a query. `from` and `to` are dates, both included, or instants, the last one excluded.

    Defaults: the 30 local days that end today, one bucket (`total`), the tenant's own time zone. `where` may
    also be a text: `carrier = "UA" and distance >= 100`. `compare` is `previous`, `year`, two dates
    (`2013-01-01..2013-01-31`), or `before`: each bucket beside the one right before it; with `matchWeekdays`
    `previous` and `year` lie whole weeks back. With `daily` what adds up is told by the day too. `order` may
    also be a text: `flights desc, origin`. `limit` keeps the first groups over the whole window, by the first
    column of `order` that is told of a metric (`flights`, `flights_compared`, `flights_delta`) or else by the
    first metric, the highest first; in each bucket the others together are a row of `other: true`. With
    `totals` the metrics of everything that was asked are told as well.
    """

    tenant: str
    metrics: tuple[str, ...]
    from_: str | None = None
    to: str | None = None
    grain: str = "total"
    by: tuple[str, ...] = ()
    where: str | tuple[AskedCondition, ...] = ()
    compare: str | None = None
    match_weekdays: bool = False
    daily: bool = False
    timezone: str | None = None
    order: str | tuple[AskedOrder, ...] = ()
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = None
    totals: bool = False


PARAMETERS = Asked.__struct_encode_fields__


def decode(body: object) -> Asked:
    """The question in a decoded JSON body; InvalidRequest names every parameter that nobody knows."""
    return decoded(body, Asked, _SHAPE)


def decoded(body: object, kind: type[T], example: str) -> T:
    """A question of a kind in a decoded JSON body; InvalidRequest names every parameter that nobody knows."""
    if not isinstance(body, Mapping):
        raise InvalidRequest(f"a question is an object, but {_kind(body)} came", hint=example)
    fields = msgspec.structs.fields(kind)
    known, needed = (
        tuple(field.encode_name for field in fields),
        tuple(field.encode_name for field in fields if field.required),
    )
    faults = [
        *_unknown("", body, known, "parameter"),
        *(Fault(name, "missing_parameter", f"{name} is missing") for name in needed if name not in body),
    ]
    for name, (parts, kind_of_part) in _PARTS.items():
        listed = body.get(name) if name in known else None
        faults += [
            fault
            for index, part in enumerate(listed if isinstance(listed, list | tuple) else ())
            if isinstance(part, Mapping)
            for fault in _unknown(f"{name}[{index}].", part, parts, kind_of_part)
        ]
    if faults:
        unknown = next((str(name) for name in body if name not in known), None)
        error = InvalidRequest if unknown is None else UnknownName
        hint = example if unknown is None else suggestion(unknown, known)
        raise error("; ".join(fault.message for fault in faults), hint=hint, faults=faults)
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        place = path.rstrip("`").lstrip(".")
        fault = Fault(place, "wrong_type", message)
        raise InvalidRequest(f"{place or 'the question'}: {message}", hint=example, faults=[fault]) from error


_PARTS = {
    "where": (AskedCondition.__struct_encode_fields__, "part of a condition"),
    "order": (AskedOrder.__struct_encode_fields__, "part of an order"),
}
_SHAPE = 'for example {"tenant": "nyc", "metrics": ["flights"], "from": "2013-01-01", "to": "2013-01-31"}'


def _unknown(path: str, given: Mapping[object, object], known: tuple[str, ...], kind: str) -> list[Fault]:
    return [
        Fault(f"{path}{name}", "unknown_name", f"there is no {kind} named {name!r}")
        for name in given
        if name not in known
    ]


def _kind(value: object) -> str:
    names = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
