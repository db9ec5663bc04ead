"""The members of a body, read as what they are to be; everything that is wrong with them is told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec
from msgspec.structs import FieldInfo

from aforo.errors import Fault, InvalidRequest, UnknownName, suggestion

MOST_UNKNOWN = 20  # that are named
WRONG = "wrong_value"
T = TypeVar("T", bound=msgspec.Struct)


def read(asked: object, kind: type[T], example: str) -> T:
    """A decoded body as what it is to be; no error shows a value that came.

    Raises InvalidRequest, and UnknownName where a member is not known, with all
    faults; `example` is the hint.
    """
    if not isinstance(asked, Mapping):
        raise InvalidRequest("the body is JSON but no object", hint=example)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    unknown = [str(name)[:100] for name in asked if name not in fields]
    faults = [
        *(
            Fault(name, "unknown_name", f"there is no parameter named {name!r}")
            for name in unknown[:MOST_UNKNOWN]
        ),
        *(fault for field in fields.values() for fault in _wrong(field, asked)),
    ]
    if unknown:
        raise UnknownName(_told(faults), hint=suggestion(unknown[0], fields), faults=faults)
    if faults:
        raise InvalidRequest(_told(faults), hint=example, faults=faults)
    return msgspec.convert(asked, kind)


def _wrong(field: FieldInfo, asked: Mapping[str, object]) -> Iterator[Fault]:
    """What is wrong with one member: that it is not there, or is nothing that it may be."""
    name = field.encode_name
    if name not in asked:
        if field.required:
            yield Fault(name, "missing_parameter", f"{name} is missing")
        return
    try:
        msgspec.convert(asked[name], field.type)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        yield Fault(name + path.rstrip("`"), WRONG, message)


def _told(faults: list[Fault]) -> str:
    """A wrong value is told with its place; what is missing or unknown names it."""
    return "; ".join(str(fault) if fault.code == WRONG else fault.message for fault in faults)
