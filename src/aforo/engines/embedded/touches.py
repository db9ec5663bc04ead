"""Whom write transactions have touched, as their writers tell: what was read of all others holds still."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

Touched: TypeAlias = frozenset[str] | None
"""Tenants of whom a transaction changed what waits, which versions days have, or which periods are kept.

None is everybody: what a transaction touches that does not tell.
"""

EVERYBODY: Touched = None
NOBODY: frozenset[str] = frozenset()

MOST_TENANTS = 65_536
"""Of so many it is known apart; with more, all count as touched once."""


class Touches:
    """The number of the last transaction that touched each tenant.

    Written on the writing thread, before anybody hears that the transaction is durable; read from any thread.
    """

    def __init__(self) -> None:
        self._everybody = 0
        self._last: dict[str, int] = {}

    def last(self, tenant: str) -> int:
        """Of a tenant; 0 before any."""
        # In this order, since `touch` raises the one before it empties the other.
        own = self._last.get(tenant, 0)
        return max(own, self._everybody)

    def touch(self, touched: Touched, number: int) -> None:
        """A transaction of a higher number than all before has touched these."""
        if touched is None or len(self._last) + len(touched) > MOST_TENANTS:
            self._everybody = number
            self._last.clear()
        else:
            self._last.update(dict.fromkeys(touched, number))


def together(each: Iterable[Touched]) -> Touched:
    """Whom several writers of one transaction have touched."""
    found = NOBODY
    for touched in each:
        if touched is None:
            return EVERYBODY
        found |= touched
    return found
