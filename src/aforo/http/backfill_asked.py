"""The body that asks for a backfill, and everything that may be wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from aforo.errors import Fault, InvalidRequest, UnknownName, suggestion
from aforo.rollups.backfill import Wanted


class BackfillAsked(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}
):
    """A window of a stream. `from` and `to` are dates, both included, or instants, the last one excluded.

    Without `tenants` it is everyone's; without `from` it goes back `backfill.default_days`, without `to` it
    is up to now.
    """

    stream: str
    tenants: tuple[str, ...] | None = None
    from_: str | None = None
    to: str | None = None


PARAMETERS = BackfillAsked.__struct_encode_fields__
SHAPE = 'for example {"stream": "flights", "tenants": ["nyc"], "from": "2013-01-01", "to": "2013-01-31"}'


def decode(asked: object) -> Wanted:
    """What a decoded body asks for. Raises InvalidRequest, UnknownName."""
    if not isinstance(asked, Mapping):
        raise InvalidRequest("the body is JSON but no object", hint=SHAPE)
    unknown = [str(name) for name in asked if name not in PARAMETERS]
    if unknown:
        faults = [
            Fault(name, "unknown_name", f"there is no parameter named {name!r}") for name in unknown[:20]
        ]
        told = "; ".join(fault.message for fault in faults)
        raise UnknownName(told, hint=suggestion(unknown[0], PARAMETERS), faults=faults)
    try:
        read = msgspec.convert(asked, BackfillAsked)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        place = path.rstrip("`").lstrip(".")
        fault = Fault(place, "wrong_value", message)
        raise InvalidRequest(f"{place or 'the backfill'}: {message}", hint=SHAPE, faults=[fault]) from error
    if read.tenants == ():
        raise InvalidRequest("tenants is an empty list", hint="name some, or leave it out for everyone's")
    return Wanted(stream=read.stream, tenants=read.tenants, from_=read.from_, to=read.to)
