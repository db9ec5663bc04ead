"""The ledger of what appends dirtied, and how far back each tenant waits for a fold."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.parameters import timestamp
from aforo.windows import SLOT

Key = tuple[str, str]


class Marks:
    """Writes the marks of an append and knows the earliest that stands, by stream and tenant.

    Used within write transactions only; `forget` follows one that was rolled back or changed the ledger.
    """

    def __init__(self) -> None:
        self._earliest: dict[Key, int] | None = None

    def forget(self) -> None:
        """Reads the ledger again before it is asked."""
        self._earliest = None

    def mark(self, cursor: Cursor, stream: str, rows: pa.Table, number: int) -> None:
        """Marks every slot that the rows touch, with how many they are."""
        earliest = self._read(cursor)
        tenants = rows["tenant"].combine_chunks().dictionary_encode()
        slots = pc.cast(rows["time"], pa.int64()).to_numpy() // SLOT
        names = tenants.dictionary.to_pylist()
        codes = tenants.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        pairs, counts = np.unique(slots * len(names) + codes, return_counts=True)
        of = [names[code] for code in (pairs % len(names)).tolist()]
        starts = (pairs // len(names) * SLOT).tolist()
        cursor.execute(
            """
            -- The slots that these rows dirtied.
            INSERT INTO ledger
            SELECT $stream, unnest($tenants), unnest($slots), $commit, unnest($events)
            """,
            {
                "stream": stream,
                "tenants": of,
                "slots": [timestamp(start) for start in starts],
                "commit": number,
                "events": counts.tolist(),
            },
        )
        for tenant, start in zip(of, starts, strict=True):
            key = (stream, tenant)
            earliest[key] = min(start, earliest.get(key, start))

    def dirty_from(self, cursor: Cursor, stream: str, tenants: list[str]) -> dict[Key, int]:
        """The start of the earliest slot that waits for a fold, for those tenants that have one."""
        earliest = self._read(cursor)
        keys = [(stream, tenant) for tenant in tenants]
        return {key: earliest[key] for key in keys if key in earliest}

    def answered(self, cursor: Cursor, stream: str, tenant: str) -> None:
        """A fold has removed marks of a tenant: what is its earliest now?"""
        if self._earliest is None:
            return
        found = cursor.execute(
            """
            -- The earliest slot of a tenant that still waits.
            SELECT epoch_us(min(slot)) FROM ledger WHERE stream = $stream AND tenant = $tenant
            """,
            {"stream": stream, "tenant": tenant},
        ).fetchall()
        self._earliest.pop((stream, tenant), None)
        if found[0][0] is not None:
            self._earliest[stream, tenant] = found[0][0]

    def _read(self, cursor: Cursor) -> dict[Key, int]:
        if self._earliest is None:
            rows = cursor.execute(
                """
                -- The earliest slot that waits for a fold, by stream and tenant.
                SELECT stream, tenant, epoch_us(min(slot)) FROM ledger GROUP BY ALL
                """
            ).fetchall()
            self._earliest = {(stream, tenant): slot for stream, tenant, slot in rows}
        return self._earliest
