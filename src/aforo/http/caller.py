"""Who sent a request, and what they may do here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class KeyScope(StrEnum):
    """What a key opens; none contains another but `admin`, which contains all."""

    INGEST = "ingest"
    READ = "read"
    DEFINE = "define"
    OPERATE = "operate"
    SUPPORT = "support"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """The one who sent a request, once the server knows; `tenants` None means every tenant.

    `public` is a key that stands in a page for everybody to read: it may bring events of its one tenant.
    """

    name: str
    scopes: frozenset[KeyScope]
    tenants: frozenset[str] | None = None
    public: bool = False

    def may(self, scope: KeyScope) -> bool:
        """Whether the scope is open to the caller."""
        return scope in self.scopes or KeyScope.ADMIN in self.scopes

    def owns(self, tenant: str) -> bool:
        """Whether the caller may bring or ask what is this tenant's."""
        return self.tenants is None or tenant in self.tenants

    @property
    def only_tenant(self) -> str | None:
        """The tenant that is meant where a request names none: the one the key is bound to, if it is one."""
        if self.tenants is None or len(self.tenants) != 1:
            return None
        return next(iter(self.tenants))
