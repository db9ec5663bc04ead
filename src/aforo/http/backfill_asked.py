"""The body that asks for a backfill, and everything that may be wrong with it."""

from __future__ import annotations

import msgspec

from aforo.errors import InvalidRequest, together
from aforo.http import members
from aforo.rollups.backfill import Wanted, moment


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


SHAPE = 'for example {"stream": "flights", "tenants": ["nyc"], "from": "2013-01-01", "to": "2013-01-31"}'


def decode(asked: object) -> Wanted:
    """What a decoded body asks for. Raises InvalidRequest, UnknownName, with all faults."""
    read = members.read(asked, BackfillAsked, SHAPE)
    if read.tenants == ():
        raise InvalidRequest("tenants is an empty list", hint="name some, or leave it out for everyone's")
    wanted = Wanted(stream=read.stream, tenants=read.tenants, from_=read.from_, to=read.to)
    _refuse_unreadable(wanted)
    return wanted


def _refuse_unreadable(wanted: Wanted) -> None:
    """Both ends of the window are told where neither can be read."""
    met: list[tuple[str, InvalidRequest]] = []
    for name, text in (("from", wanted.from_), ("to", wanted.to)):
        try:
            if text is not None:
                moment(text)
        except InvalidRequest as error:
            met.append((name, error))
    if met:
        raise together(met)
