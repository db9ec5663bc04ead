"""Who sent a request, and what they may do here."""

from __future__ import annotations

from dataclasses import dataclass, replace

from starlette.requests import Request

from aforo.errors import NotYourTenant
from aforo.questions.guard import Budget
from aforo.questions.proof import Turn
from aforo.store.act import Actor
from aforo.store.key import KeyScope

__all__ = ["ANYONE", "Caller", "KeyScope", "actor_of", "caller_of"]

WHOLE_BUDGET = Budget()


@dataclass(frozen=True, slots=True)
class Caller:
    """The one who sent a request, once the server knows; `tenants` None means every tenant.

    `public` is a key that stands in a page for everybody to read: it may bring events of its one tenant.
    `key_id` is there for keys that were made; `budget` may hold less or more than the settings'.
    """

    name: str
    scopes: frozenset[KeyScope]
    tenants: frozenset[str] | None = None
    public: bool = False
    key_id: str | None = None
    budget: Budget = WHOLE_BUDGET

    def may(self, scope: KeyScope) -> bool:
        """Whether the scope is open to the caller."""
        return scope in self.scopes or KeyScope.ADMIN in self.scopes

    def owns(self, tenant: str) -> bool:
        """Whether the caller may bring or ask what is this tenant's."""
        return self.tenants is None or tenant in self.tenants

    def require(self, tenant: str) -> None:
        """Raises NotYourTenant unless the caller may ask what is this tenant's, if there is one at all."""
        if not self.owns(tenant):
            raise NotYourTenant(
                f"this key may not ask of tenant {tenant[:100]!r}",
                hint=f"it is bound to {', '.join(sorted(self.tenants or ())[:5])}",
            )

    def with_turn(self, turn: Turn | None) -> Caller:
        """The same while a question of theirs is under way; None where that is not limited."""
        return self if turn is None else replace(self, budget=replace(self.budget, turn=turn))

    @property
    def only_tenant(self) -> str | None:
        """The tenant that is meant where a request names none: the one the key is bound to, if it is one."""
        if self.tenants is None or len(self.tenants) != 1:
            return None
        return next(iter(self.tenants))


ANYONE = Caller("anyone", frozenset({KeyScope.INGEST, KeyScope.READ}))
"""Whoever is on the machine, as long as a server on the loopback has no keys."""


def caller_of(request: Request) -> Caller:
    """The one whom the door let in; only a door that names a scope has asked who it is."""
    caller: Caller = request.state.caller
    return caller


def actor_of(request: Request) -> Actor:
    """The one whom the door let in, as the audit tells of them."""
    return Actor(caller_of(request).name, None if request.client is None else request.client.host)
