"""The ledger of what appends dirtied, and how far back each tenant waits for a fold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.record import Mark

Key = tuple[str, str]


class Marks:
    """Writes marks and knows the earliest that stands in the table, by stream and tenant.

    Changed within write transactions only; `forget` follows one that was rolled back or changed the ledger.
    """

    def __init__(self) -> None:
        self._earliest: dict[Key, int] | None = None

    def forget(self) -> None:
        """Reads the ledger again before it is asked."""
        self._earliest = None

    def mark(self, cursor: Cursor, numbered: Sequence[tuple[int, Mark]]) -> None:
        """Writes marks, each with the number of its commit."""
        if not numbered:
            return
        if self._earliest is None:
            self._earliest = earliest(cursor)
        cursor.execute(
            """
            -- The slots that these commits dirtied.
            INSERT INTO ledger
            SELECT unnest($streams), unnest($tenants), unnest($slots), unnest($commits), unnest($events)
            """,
            {
                "streams": [mark.stream for _, mark in numbered],
                "tenants": [mark.tenant for _, mark in numbered],
                "slots": [timestamp(mark.slot) for _, mark in numbered],
                "commits": [number for number, _ in numbered],
                "events": [mark.events for _, mark in numbered],
            },
        )
        for _, mark in numbered:
            key = (mark.stream, mark.tenant)
            self._earliest[key] = min(mark.slot, self._earliest.get(key, mark.slot))

    def at_hand(self, keys: Iterable[Key]) -> dict[Key, int] | None:
        """The start of the earliest slot that waits, for those that have one; None where it must be read."""
        known = self._earliest
        return None if known is None else {key: known[key] for key in keys if key in known}

    def answered(self, cursor: Cursor, stream: str, tenants: Iterable[str]) -> None:
        """A fold has removed marks of tenants: what is their earliest now?"""
        if self._earliest is None:
            return
        names = sorted(set(tenants))
        found = cursor.execute(
            """
            -- The earliest slot of some tenants that still waits.
            SELECT tenant, epoch_us(min(slot)) FROM ledger
            WHERE stream = $stream AND list_contains($tenants, tenant) GROUP BY tenant
            """,
            {"stream": stream, "tenants": names},
        ).fetchall()
        for tenant in names:
            self._earliest.pop((stream, tenant), None)
        for tenant, slot in found:
            self._earliest[stream, tenant] = slot


def earliest(cursor: Cursor) -> dict[Key, int]:
    """The start of the earliest slot that waits for a fold, by stream and tenant, as the cursor sees it."""
    rows = cursor.execute(
        """
        -- The earliest slot that waits for a fold, by stream and tenant.
        SELECT stream, tenant, epoch_us(min(slot)) FROM ledger GROUP BY ALL
        """
    ).fetchall()
    return {(stream, tenant): slot for stream, tenant, slot in rows}
