"""At every door: who sends this, whether it is open to them, and whether they come too often."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType

import structlog
from starlette.requests import Request

from aforo.clock import Clock
from aforo.errors import (
    AdminAuthNotConfigured,
    AforoError,
    Forbidden,
    NotAuthorised,
    NotYourTenant,
    TooManyRequests,
)
from aforo.http.access import bearing
from aforo.http.access.bearing import IN_THE_OPEN, Place, Shown
from aforo.http.access.cors import ANY
from aforo.http.access.limits import Buckets, Left, Rate, subscriber
from aforo.http.access.ring import KeyRing
from aforo.http.access.turns import Turns
from aforo.http.caller import ANYONE, Caller
from aforo.http.hands import Hands
from aforo.questions.guard import Budget
from aforo.settings import Access
from aforo.store.act import Action, Actor
from aforo.store.audit import Audit
from aforo.store.key import Key, KeyKind, KeyScope, hash_of, looks_like_a_key

log = structlog.get_logger(__name__)

EVERYTHING = frozenset({KeyScope.ADMIN})
COMMAND_LINE = Caller("command line", EVERYTHING)
ADMIN = Caller("admin key", EVERYTHING)
TURNED_AWAY = Rate("refused admin attempts", per_second=1 / 60, burst=5)
"""How often the audit tells of one address that it was turned away from admin routes."""


@dataclass(frozen=True, slots=True)
class Lock:
    """What a door asks for: its scope, whether it tells of all tenants, and where a key may stand."""

    scope: KeyScope
    across_tenants: bool
    places: frozenset[Place]

    @property
    def is_admin(self) -> bool:
        """Whether it stays shut on a server without keys."""
        return self.scope not in ANYONE.scopes

    @property
    def takes_admins(self) -> bool:
        """Whether an admin's key is looked for in its own header; where no key opens, that is told."""
        return Place.ADMIN_HEADER in self.places


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was let in, and what the reply says of how often they may come."""

    caller: Caller
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Guard:
    """Lets requests in, or raises why not; takes as long whatever came in the place of a secret."""

    def __init__(
        self,
        ring: KeyRing,
        audit: Audit,
        hands: Hands,
        clock: Clock,
        settings: Access,
        *,
        token: str,
        most_bytes: int,
    ) -> None:
        """`token` is the secret of this start, which only who may read the data directory knows."""
        self._ring = ring
        self._audit = audit
        self._hands = hands
        self._clock = clock
        self._most_bytes = most_bytes
        self._callers = [(_digest(token), COMMAND_LINE)]
        if settings.admin_key is not None:
            self._callers.append((_digest(settings.admin_key), ADMIN))
        self._buckets = Buckets(clock, settings.limited_callers)
        self._of_key = Rate("key", settings.key_requests_per_second, settings.key_burst_requests)
        self._of_address = Rate(
            "address", settings.address_requests_per_second, settings.address_burst_requests
        )
        self._of_public = Rate("page", settings.public_requests_per_second, settings.public_burst_requests)
        self.turns = Turns(settings.key_questions_at_once)
        per_second = settings.wrong_keys_per_minute / 60
        self._of_wrong = Rate("wrong keys", per_second, max(1, round(settings.wrong_keys_per_minute)))

    async def admit(self, request: Request, lock: Lock) -> Admission:
        """Raises NotAuthorised, Forbidden, NotYourTenant, TooManyRequests, AdminAuthNotConfigured."""
        who = "unknown"
        try:
            caller, left = await self._seen(request, lock)
            who = caller.name
            _let_in(caller, lock)
        except (NotAuthorised, Forbidden, AdminAuthNotConfigured) as refusal:
            if lock.is_admin:
                await self._tell(request, refusal, who)
            raise
        return Admission(caller) if left is None else Admission(caller, left.headers())

    async def _seen(self, request: Request, lock: Lock) -> tuple[Caller, Left | None]:
        """Who sends the request, and what is left of what they may send."""
        shown = bearing.in_head(request, lock.places)
        caller = None if shown is None else self._known(shown)
        if caller is COMMAND_LINE:
            return caller, None
        left = None
        if self._of_address.per_second:
            left = self._buckets.take(_address(request), self._of_address)
        if caller is not None:
            return caller, left
        if self._ring.keyless and not lock.is_admin:
            return ANYONE, left
        if shown is None and Place.FORM in lock.places:
            shown = await bearing.in_form(request, self._most_bytes)
        if shown is None:
            raise await self._unknown(lock, bearing.nowhere(request))
        key = await self._found(shown, lock, request)
        own = self._limited(key, shown, request)
        self._ring.used(key)
        public = key.kind is KeyKind.PUBLIC
        name = f"{key.name} ({key.id})"
        budget = Budget(key.raw_rows, key.raw_bytes)
        return Caller(name, key.scopes, key.tenants, public, key.id, budget), own or left

    def _known(self, shown: Shown) -> Caller | None:
        """The command line or the admin key; every one is compared, and none is a public one."""
        digest = _digest(shown.text)
        found = None
        for known, caller in self._callers:
            if hmac.compare_digest(digest, known) and shown.place not in IN_THE_OPEN:
                found = caller
        return found

    async def _found(self, shown: Shown, lock: Lock, request: Request) -> Key:
        """The good key that was shown."""
        key = None
        if looks_like_a_key(shown.text):
            hashed = hash_of(shown.text)
            key = self._ring.cached(hashed) or await self._hands.do(lambda: self._ring.look_up(hashed))
        if key is not None and key.is_good(self._clock.now()):
            return key
        self._buckets.take(_address(request), self._of_wrong)
        if key is None:
            raise await self._unknown(lock, "the key that came opens nothing here")
        how = "was revoked" if key.revoked_at is not None else "has expired"
        raise await self._unknown(lock, f"the key that came {how}")

    async def _unknown(self, lock: Lock, detail: str) -> AforoError:
        if lock.takes_admins and not await self._hands.do(
            lambda: self._ring.any_good(lock.scope, KeyScope.ADMIN)
        ):
            return AdminAuthNotConfigured(
                f"no key is there that opens {lock.scope}, so this address stays shut",
                hint="set ADMIN_API_KEY, or run: aforo keys create NAME --scope admin",
            )
        return NotAuthorised(detail, hint="send 'Authorization: Bearer KEY' or 'x-api-key: KEY'")

    def _limited(self, key: Key, shown: Shown, request: Request) -> Left | None:
        """What is left to a key that stands where it may."""
        if key.kind is KeyKind.PUBLIC:
            _check_page(key, request)
            return self._buckets.take(f"{key.id} {_address(request)}", self._own(key, self._of_public))
        if shown.place in IN_THE_OPEN:
            raise NotAuthorised(
                "a secret key came where histories and logs keep it; only public keys may stand there",
                hint="revoke it and make another; send it as 'Authorization: Bearer KEY'",
            )
        return self._buckets.take(key.id, self._own(key, self._of_key))

    @staticmethod
    def _own(key: Key, rate: Rate) -> Rate:
        """The key's own limits where it has any."""
        if key.requests_per_second is None and key.burst_requests is None:
            return rate
        per_second = rate.per_second if key.requests_per_second is None else key.requests_per_second
        return Rate(rate.name, per_second, key.burst_requests or max(1, round(per_second)))

    async def _tell(self, request: Request, refusal: AforoError, who: str) -> None:
        """Keeps in the audit that somebody was turned away from an admin route, but not every time."""
        address = _address(request)
        try:
            self._buckets.take(address, TURNED_AWAY)
        except TooManyRequests:
            return
        subject, actor = f"{request.method} {request.url.path}", Actor(who, address)
        try:
            await self._hands.do(
                lambda: self._audit.record(Action.ACCESS_REFUSED, actor, subject, refusal.code)
            )
        except AforoError as error:
            # The refusal stands whether it could be written down or not.
            log.error("a refused admin attempt could not be kept", subject=subject, detail=error.detail)


def _let_in(caller: Caller, lock: Lock) -> None:
    if not caller.may(lock.scope):
        opens = ", ".join(sorted(caller.scopes))
        raise Forbidden(
            f"the key opens {opens}, and this address needs {lock.scope}", hint="ask with another key"
        )
    if lock.across_tenants and caller.tenants is not None:
        raise NotYourTenant(
            "this address tells of all tenants, and the key is bound to some",
            hint="ask with a key that is bound to none",
        )


def _check_page(key: Key, request: Request) -> None:
    """A page may use a public key only where its origin is in the key's list; what is no page names none."""
    for origin in request.headers.getlist("origin"):
        if origin not in key.origins and ANY not in key.origins:
            raise Forbidden(
                f"a page of {origin[:100]!r} may not use this key", hint="its origin is not in the key's list"
            )


def _address(request: Request) -> str:
    return subscriber(request.client.host if request.client is not None else "")


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
