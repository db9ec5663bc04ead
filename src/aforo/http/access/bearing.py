"""Where in a request a key may stand, and the one that stands there."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum

from starlette.requests import Request

from aforo.http import body, head

WRITE_KEY = "writeKey"
API_KEY = "x-api-key"
ADMIN_KEY = "x-admin-key"
FORM_TYPE = "application/x-www-form-urlencoded"


class Place(StrEnum):
    """The ways to show a key."""

    HEADER = "header"  # Authorization: Bearer, or x-api-key
    ADMIN_HEADER = "admin_header"  # x-admin-key
    BASIC = "basic"  # the user of basic authentication
    QUERY = "query"  # writeKey in the query string
    FORM = "form"  # the field writeKey of a form


HEADERS = frozenset({Place.HEADER})
OF_ADMINS = HEADERS | {Place.ADMIN_HEADER}
OF_PAGES = HEADERS | {Place.BASIC, Place.QUERY, Place.FORM}
"""Where pages can put a key: beacons and forms set no headers."""
IN_THE_OPEN = frozenset({Place.QUERY, Place.FORM})
"""Places that end up in histories and logs: only public keys may stand there."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A text that its sender says is a key."""

    text: str
    place: Place


def in_head(request: Request, places: frozenset[Place]) -> Shown | None:
    """The key in the headers or the query string, if one is there in a place that will do."""
    scope = request.scope
    if Place.ADMIN_HEADER in places and (text := head.first(scope, ADMIN_KEY.encode()).strip()):
        return Shown(text, Place.ADMIN_HEADER)
    scheme, _, rest = head.first(scope, b"authorization").partition(" ")
    text = rest.strip()
    if text and scheme.casefold() == "bearer":
        return Shown(text, Place.HEADER)
    if text and scheme.casefold() == "basic" and Place.BASIC in places and (user := _user(text)):
        return Shown(user, Place.BASIC)
    if text := head.first(scope, API_KEY.encode()).strip():
        return Shown(text, Place.HEADER)
    asked = Place.QUERY in places and scope["query_string"]
    if asked and (text := request.query_params.get(WRITE_KEY, "").strip()):
        return Shown(text, Place.QUERY)
    return None


def nowhere(request: Request) -> str:
    """What is told of a request that shows no key in a place that will do."""
    if head.first(request.scope, ADMIN_KEY.encode()):
        return f"this address needs a key, and {ADMIN_KEY} is for the operator's addresses alone"
    return "this address needs a key, and none came"


async def in_form(request: Request, most_bytes: int) -> Shown | None:
    """The key in a form, whose fields are then at `request.state.form`.

    Raises BodyTooLarge, InvalidRequest.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().casefold() != FORM_TYPE:
        return None
    request.state.form = await body.form(request, most_bytes)
    text = request.state.form.get(WRITE_KEY, "").strip()
    return Shown(text, Place.FORM) if text else None


def _user(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[0].strip()
    except (binascii.Error, ValueError):
        return ""
