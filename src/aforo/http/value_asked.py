"""A body that names a value of an entity; no error shows the value."""

from __future__ import annotations

import msgspec

from aforo.http import members


class ValueAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A value of an entity as the tenant's events have it."""

    tenant: str
    entity: str
    value: str | int


def decode(asked: object) -> ValueAsked:
    """What a decoded body asks for. Raises InvalidRequest, UnknownName, with all faults."""
    return members.read(asked, ValueAsked, SHAPE)


SHAPE = 'for example {"tenant": "nyc", "entity": "aircraft", "value": "N14228"}'
