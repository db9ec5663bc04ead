"""The ledger's own rows: what became of everything that arrived, and the newest of what was refused."""

from __future__ import annotations

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.outcomes import Outcome
from aforo.windows import slot_of

INSERT_OUTCOMES = """
-- What became of what arrived with this commit.
INSERT INTO outcomes
SELECT unnest($tenants), $slot, unnest($streams), unnest($reasons), unnest($events), unnest($bytes), $commit
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


def count(cursor: Cursor, outcomes: tuple[Outcome, ...], number: int, arrival: int) -> None:
    """Adds a commit's counts by the slot of its arrival."""
    if not outcomes:
        return
    cursor.execute(
        INSERT_OUTCOMES,
        {
            "tenants": [each.tenant for each in outcomes],
            "slot": timestamp(slot_of(arrival)),
            "streams": [each.stream for each in outcomes],
            "reasons": [each.reason for each in outcomes],
            "events": [each.events for each in outcomes],
            "bytes": [each.bytes for each in outcomes],
            "commit": number,
        },
    )


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
