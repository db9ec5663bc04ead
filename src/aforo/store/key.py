"""A key: who it stands for, what it opens, and the secret that only its bearer knows."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "aforo_"
SECRET_BYTES = 32


class KeyScope(StrEnum):
    """What a key opens; none contains another but `admin`, which contains all."""

    INGEST = "ingest"
    READ = "read"
    DEFINE = "define"
    OPERATE = "operate"
    SUPPORT = "support"
    ADMIN = "admin"


class KeyKind(StrEnum):
    """Whether a key is kept from others, or stands in a page for everybody to read."""

    SECRET = "secret"  # noqa: S105  (the word for the kind)
    PUBLIC = "public"


class PrincipalKind(StrEnum):
    """Whom a key stands for."""

    USER = "user"
    TEAM = "team"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who owns a key."""

    kind: PrincipalKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """What somebody wants a key to be; `tenants` None means every tenant, times are in microseconds.

    Without limits of its own a key has those of the settings.
    """

    name: str
    principal: Principal
    kind: KeyKind = KeyKind.SECRET
    scopes: frozenset[KeyScope]
    tenants: frozenset[str] | None = None
    origins: frozenset[str] = frozenset()
    requests_per_second: float | None = None
    burst_requests: int | None = None
    raw_rows: int | None = None  # that one question may read
    raw_bytes: int | None = None  # of those
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(NewKey):
    """A key as it is kept: its secret is not in it."""

    id: str
    created_at: int
    revoked_at: int | None = None
    last_used_at: int | None = None

    def is_good(self, now: int) -> bool:
        """Whether it opens anything at that time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_secret() -> str:
    """A random text of 256 bits that shows by its beginning what it is."""
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def new_id() -> str:
    """The name by which a key is spoken of; it opens nothing."""
    return "key_" + secrets.token_hex(8)


def looks_like_a_key(text: str) -> bool:
    """Whether a text could be a key at all; what cannot need not be looked up."""
    return text.startswith(PREFIX) and len(text) == LENGTH and text.isascii()


def hash_of(secret: str) -> str:
    """What is kept of a secret: one round of SHA-256 will do for 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


LENGTH = len(PREFIX) + 43  # 32 bytes in base 64, without padding
