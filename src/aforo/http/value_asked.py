"""A body that names a value of an entity; no error shows the value."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from aforo.errors import Fault, InvalidRequest, UnknownName, suggestion


class ValueAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A value of an entity as the tenant's events have it."""

    tenant: str
    entity: str
    value: str | int


def decode(asked: object) -> ValueAsked:
    """What a decoded body asks for. Raises InvalidRequest, UnknownName."""
    if not isinstance(asked, Mapping):
        raise InvalidRequest("the body is JSON but no object", hint=SHAPE)
    unknown = [str(name)[:100] for name in asked if name not in PARAMETERS]
    if unknown:
        faults = [
            Fault(name, "unknown_name", f"there is no parameter named {name!r}") for name in unknown[:20]
        ]
        told = "; ".join(fault.message for fault in faults)
        raise UnknownName(told, hint=suggestion(unknown[0], PARAMETERS), faults=faults)
    try:
        return msgspec.convert(asked, ValueAsked)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        place = path.rstrip("`").lstrip(".")
        fault = Fault(place, "wrong_value", message)
        raise InvalidRequest(f"{place or 'the body'}: {message}", hint=SHAPE, faults=[fault]) from error


PARAMETERS = ValueAsked.__struct_encode_fields__
SHAPE = 'for example {"tenant": "nyc", "entity": "aircraft", "value": "N14228"}'
