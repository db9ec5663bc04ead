"""The body that asks for a new key, and everything that may be wrong with it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import msgspec

from aforo.errors import Fault, InvalidRequest, UnknownName, suggestion
from aforo.settings import is_origin
from aforo.store.key import KeyKind, KeyScope, NewKey, Principal, PrincipalKind
from aforo.windows import parse_instant

MAX_NAME_LENGTH = 100  # characters
MAX_TENANT_LENGTH = 128  # characters
MOST_LISTED = 100  # tenants, origins
MOST_REQUESTS = 1_000_000
MOST_RAW_ROWS = 10**12
MOST_RAW_BYTES = 2**60
ANY_ORIGIN = "*"


class PrincipalAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who owns a key."""

    kind: PrincipalKind = PrincipalKind.USER
    name: str = "admin"


class KeyAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """A key that is wanted. `tenants` null is every tenant; without `expiresAt` it is good until revoked.

    A public key opens `ingest` for one tenant, and lists the origins of the pages it stands in (`*`: any).
    `requestsPerSecond` (in the long run) and `burstRequests` (at once) stand before the settings' limits, and
    so do `rawRows` and `rawBytes`: the raw events that one question may read, 0 for none, and bytes of them.
    """

    name: str
    kind: KeyKind = KeyKind.SECRET
    scopes: tuple[KeyScope, ...] = ()
    tenants: tuple[str, ...] | None = None
    origins: tuple[str, ...] = ()
    principal: PrincipalAsked = PrincipalAsked()
    requests_per_second: float | None = None
    burst_requests: int | None = None
    raw_rows: int | None = None
    raw_bytes: int | None = None
    expires_at: str | None = None


PARAMETERS = KeyAsked.__struct_encode_fields__
SHAPE = 'for example {"name": "reports", "scopes": ["read"], "tenants": ["nyc"]}'


def decode(asked: object, now: int) -> NewKey:
    """The key that a decoded body asks for. Raises InvalidRequest, UnknownName, with all faults."""
    if not isinstance(asked, Mapping):
        raise InvalidRequest("the body is JSON but no object", hint=SHAPE)
    unknown = [str(name) for name in asked if name not in PARAMETERS]
    if unknown:
        faults = [
            Fault(name, "unknown_name", f"there is no parameter named {name!r}") for name in unknown[:20]
        ]
        raise UnknownName(
            "; ".join(fault.message for fault in faults),
            hint=suggestion(unknown[0], PARAMETERS),
            faults=faults,
        )
    try:
        read = msgspec.convert(asked, KeyAsked)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        place = path.rstrip("`").lstrip(".")
        fault = Fault(place, "wrong_value", message)
        raise InvalidRequest(f"{place or 'the key'}: {message}", hint=_hint(place), faults=[fault]) from error
    return key_of(read, now)


def key_of(read: KeyAsked, now: int) -> NewKey:
    """The key as the store takes it. Raises InvalidRequest with all faults."""
    public = read.kind is KeyKind.PUBLIC
    scopes = read.scopes or ((KeyScope.INGEST,) if public else ())
    expires_at, faults = None, [*_named(read), *_bound(read), *_limited(read)]
    faults += _of_a_page(read, scopes) if public else _of_a_secret(read, scopes)
    if read.expires_at is not None:
        expires_at, more = _expiry(read.expires_at, now)
        faults += more
    if faults:
        told = "; ".join(f"{fault.path}: {fault.message}" for fault in faults)
        raise InvalidRequest(told, hint=SHAPE, faults=faults)
    return NewKey(
        name=read.name.strip(),
        principal=Principal(read.principal.kind, read.principal.name.strip()),
        kind=read.kind,
        scopes=frozenset(scopes),
        tenants=None if read.tenants is None else frozenset(read.tenants),
        origins=frozenset(read.origins),
        requests_per_second=read.requests_per_second,
        burst_requests=read.burst_requests,
        raw_rows=read.raw_rows,
        raw_bytes=read.raw_bytes,
        expires_at=expires_at,
    )


def _named(read: KeyAsked) -> Iterator[Fault]:
    for path, name in (("name", read.name), ("principal.name", read.principal.name)):
        if not name.strip() or len(name) > MAX_NAME_LENGTH or not name.isprintable():
            yield Fault(path, "wrong_value", f"wanted 1 to {MAX_NAME_LENGTH} printable characters")


def _bound(read: KeyAsked) -> Iterator[Fault]:
    if read.tenants is None:
        return
    if not 1 <= len(read.tenants) <= MOST_LISTED:
        yield Fault("tenants", "wrong_value", f"wanted 1 to {MOST_LISTED} tenants, or null for every one")
    for at, tenant in enumerate(read.tenants):
        if not 1 <= len(tenant) <= MAX_TENANT_LENGTH or not tenant.isprintable():
            yield Fault(
                f"tenants[{at}]", "wrong_value", f"wanted 1 to {MAX_TENANT_LENGTH} printable characters"
            )


def _limited(read: KeyAsked) -> Iterator[Fault]:
    rate, burst = read.requests_per_second, read.burst_requests
    if rate is not None and not (math.isfinite(rate) and 0 <= rate <= MOST_REQUESTS):
        yield Fault("requestsPerSecond", "wrong_value", f"wanted 0 (no limit) to {MOST_REQUESTS}")
    if burst is not None and not 1 <= burst <= MOST_REQUESTS:
        yield Fault("burstRequests", "wrong_value", f"wanted 1 to {MOST_REQUESTS}")
    if read.raw_rows is not None and not 0 <= read.raw_rows <= MOST_RAW_ROWS:
        yield Fault("rawRows", "wrong_value", f"wanted 0 (no raw reads) to {MOST_RAW_ROWS}")
    if read.raw_bytes is not None and not 0 <= read.raw_bytes <= MOST_RAW_BYTES:
        yield Fault("rawBytes", "wrong_value", f"wanted 0 (no raw reads) to {MOST_RAW_BYTES}")


def _of_a_page(read: KeyAsked, scopes: tuple[KeyScope, ...]) -> Iterator[Fault]:
    if set(scopes) != {KeyScope.INGEST}:
        yield Fault("scopes", "wrong_value", "a public key opens ingest and nothing else")
    if read.tenants is None or len(set(read.tenants)) != 1:
        yield Fault("tenants", "wrong_value", "a public key is for exactly one tenant")
    if not 1 <= len(read.origins) <= MOST_LISTED:
        yield Fault("origins", "wrong_value", "a public key lists the origins of its pages, or '*'")
    for at, origin in enumerate(read.origins):
        if origin != ANY_ORIGIN and not is_origin(origin):
            yield Fault(
                f"origins[{at}]", "wrong_value", f"{origin[:100]!r} is no origin such as https://app.example"
            )


def _of_a_secret(read: KeyAsked, scopes: tuple[KeyScope, ...]) -> Iterator[Fault]:
    if not scopes:
        yield Fault("scopes", "missing_parameter", f"wanted one or more of {', '.join(KeyScope)}")
    if read.origins:
        yield Fault("origins", "wrong_value", "only a public key has origins: a secret one is in no page")


def _expiry(text: str, now: int) -> tuple[int | None, list[Fault]]:
    try:
        at = parse_instant(text)
    except (InvalidRequest, ValueError):
        return None, [Fault("expiresAt", "wrong_value", f"came {text[:40]!r}, wanted RFC 3339 with a zone")]
    if at <= now:
        return None, [Fault("expiresAt", "wrong_value", f"{text[:40]} has passed already")]
    return at, []


def _hint(place: str) -> str:
    if place.startswith("scopes"):
        return f"scopes are {', '.join(KeyScope)}"
    return SHAPE
