"""The ledger's own rows: what became of everything that arrived, and the newest of what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.record import Record
from aforo.windows import slot_of

INSERT_OUTCOMES = """
-- What became of what arrived with these commits.
INSERT INTO outcomes
SELECT unnest($tenants), unnest($slots), unnest($streams), unnest($reasons), unnest($events), unnest($bytes),
    unnest($commits)
"""

SLOTS_OVER = """
-- The rows of slots that are over in which commits still stand apart, put together.
SELECT tenant, start, stream, reason, sum(events)::BIGINT AS events, sum(bytes)::BIGINT AS bytes,
    0::BIGINT AS "commit"
FROM outcomes WHERE start IN (SELECT start FROM outcomes WHERE "commit" > 0 AND start <> $slot)
GROUP BY ALL ORDER BY start, tenant, stream, reason
"""

DELETE_OVER = """
-- Those rows as they stood.
DELETE FROM outcomes WHERE start IN (SELECT start FROM outcomes WHERE "commit" > 0 AND start <> $slot)
"""

INSERT_OVER = "INSERT INTO outcomes SELECT * FROM over"


class _Key(NamedTuple):
    tenant: str
    slot: int
    stream: str
    reason: str


@dataclass(slots=True)
class _Counted:
    events: int = 0
    bytes: int = 0
    commit: int = 0


def count(cursor: Cursor, records: Sequence[Record]) -> None:
    """Adds the counts of commits by the slots of their arrival, those of one slot under its last commit."""
    counted = _together(records)
    if not counted:
        return
    keys, rows = list(counted), list(counted.values())
    cursor.execute(
        INSERT_OUTCOMES,
        {
            "tenants": [key.tenant for key in keys],
            "slots": [timestamp(key.slot) for key in keys],
            "streams": [key.stream for key in keys],
            "reasons": [key.reason for key in keys],
            "events": [row.events for row in rows],
            "bytes": [row.bytes for row in rows],
            "commits": [row.commit for row in rows],
        },
    )


def _together(records: Sequence[Record]) -> dict[_Key, _Counted]:
    counted: dict[_Key, _Counted] = {}
    for record in records:
        slot = slot_of(record.arrival)
        for each in record.outcomes:
            row = counted.setdefault(_Key(each.tenant, slot, each.stream, each.reason), _Counted())
            row.events += each.events
            row.bytes += each.bytes
            row.commit = record.number
    return counted


def put_together(cursor: Cursor, arrival: int) -> None:
    """Leaves one row for each stream, tenant and reason in every slot but that of the arrival.

    What the table holds then grows with the slots, not with the commits in them.
    """
    asked = {"slot": timestamp(slot_of(arrival))}
    over = cursor.sql(SLOTS_OVER, params=asked).to_arrow_table()
    if not over.num_rows:
        return
    cursor.execute(DELETE_OVER, asked)
    cursor.register("over", over)
    try:
        cursor.execute(INSERT_OVER)
    finally:
        cursor.unregister("over")
