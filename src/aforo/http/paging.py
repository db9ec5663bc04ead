"""Lists by the page: how many are wanted, and after which."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from starlette.requests import Request

from aforo.errors import Fault, InvalidRequest

LIMIT, CURSOR = PARAMETERS = ("limit", "cursor")
DEFAULT_LIMIT = 100
MOST = 1_000
FROM_THE_FIRST = "give back nextCursor as it came, and leave it out for the first page"
TOLD: Mapping[str, str] = {
    LIMIT: f"Most entries in the reply, 1 to {MOST}; {DEFAULT_LIMIT} by default",
    CURSOR: "The nextCursor of the page before",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page: at most `limit` entries, after the one that the text names."""

    limit: int
    after: str | None


def wanted(request: Request) -> Wanted:
    """The page that the query string asks for. Raises InvalidRequest."""
    return page_in(request.query_params)


def page_in(asked: Mapping[str, str]) -> Wanted:
    """The page that parameters ask for. Raises InvalidRequest."""
    return page_of(asked.get(LIMIT), asked.get(CURSOR))


def page_of(limit: str | None, cursor: str | None) -> Wanted:
    """The page that a limit and a cursor ask for, as they came. Raises InvalidRequest with all faults."""
    faults = []
    if limit is not None and not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= MOST):
        faults.append(Fault(LIMIT, "wrong_value", f"came {limit[:40]!r}, wanted 1 to {MOST}"))
    after = None if cursor is None else _inside(cursor)
    if cursor is not None and after is None:
        faults.append(Fault(CURSOR, "wrong_value", f"{cursor[:40]!r} is no cursor of this list"))
    if faults:
        raise InvalidRequest(
            "; ".join(f"{fault.path}: {fault.message}" for fault in faults),
            hint=f"leave it out for {DEFAULT_LIMIT}" if faults[0].path == LIMIT else FROM_THE_FIRST,
            faults=faults,
        )
    return Wanted(DEFAULT_LIMIT if limit is None else int(limit), after)


def cursor_of(last: str) -> str:
    """The cursor of the page after an entry."""
    return base64.urlsafe_b64encode(msgspec.json.encode(last)).decode().rstrip("=")


def _inside(cursor: str) -> str | None:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=str)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None
