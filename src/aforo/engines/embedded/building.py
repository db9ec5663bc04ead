"""Rollups that are built aside, step by step: with the last one a new one serves, and what it replaces goes.

What is built has marks of its own, apart from the ledger: the rollups that serve are folded as always, also
where building fails. Each fold marks its slots for what is being built, so that nothing new is missed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aforo.engines.embedded import held, meanings, unheld
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.layout import RollupLayout, events_table, quoted
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.folds import Claim, Folded, Places
from aforo.model.model import Model
from aforo.model.stream import Stream

MOST_SLOTS = 1_000
"""Slots that one step builds at most: it writes them in one transaction, and commits wait for that."""

CREATE = (
    """
    -- Rollups that are being built, and of how many slots.
    CREATE TABLE IF NOT EXISTS builds (
        hash VARCHAR NOT NULL, stream VARCHAR NOT NULL, name VARCHAR NOT NULL, slots BIGINT NOT NULL
    )
    """,
    """
    -- What is not built yet, or came since; a step that read as of commit N removes rows up to N.
    CREATE TABLE IF NOT EXISTS build_marks (
        hash VARCHAR NOT NULL, tenant VARCHAR NOT NULL, slot TIMESTAMP NOT NULL, "commit" BIGINT NOT NULL,
        events BIGINT NOT NULL
    )
    """,
)

NEWEST = """
-- The rollup and tenant of the newest slot that is to be built.
SELECT m.hash, b.stream, m.tenant FROM build_marks AS m JOIN builds AS b ON b.hash = m.hash
ORDER BY m.slot DESC, m.hash, m.tenant LIMIT 1
"""

SLOTS = """
-- One tenant's slots to be built of a rollup, newest first, with how many events each has.
SELECT epoch_us(slot) AS slot, sum(events)::BIGINT AS events FROM build_marks
WHERE hash = $hash AND tenant = $tenant GROUP BY slot ORDER BY slot DESC LIMIT $most
"""

MARK_FOLDED = """
-- What was folded of these slots is to be built as well.
INSERT INTO build_marks
SELECT b.hash, f.tenant, f.slot, $commit, 0 FROM builds AS b,
    (SELECT unnest($tenants) AS tenant, unnest($slots) AS slot) AS f
WHERE b.stream = $stream
"""

ANSWERED = """
-- Marks that came after the snapshot stay.
DELETE FROM build_marks
WHERE hash = $hash AND tenant = $tenant AND list_contains($slots, slot) AND "commit" <= $as_of
"""


@dataclass(frozen=True, slots=True)
class Step:
    """Slots of a rollup to be built, of one tenant, and the stream with that rollup alone."""

    hash: str
    stream: Stream
    tenant: str
    claim: Claim


def make_room(cursor: Cursor) -> None:
    """The tables of builds, in data directories of before there were any too."""
    for statement in CREATE:
        cursor.execute(statement)


def begin(cursor: Cursor, stream: Stream, layout: RollupLayout, commit: int) -> bool:
    """Marks every slot that has events; whether there is any: else the rollup is whole as it is."""
    cursor.execute(
        f"""
        -- Every slot of a stream is to be built.
        INSERT INTO build_marks
        SELECT $hash, tenant, time_bucket(INTERVAL 15 MINUTES, time), $commit, count(*)
        FROM {events_table(stream.name)} GROUP BY ALL
        """,
        {"hash": layout.hash, "commit": commit},
    )
    slots = _left(cursor, layout.hash)
    if slots:
        cursor.execute(
            "INSERT INTO builds VALUES ($hash, $stream, $name, $slots)",
            {"hash": layout.hash, "stream": stream.name, "name": layout.rollup.name, "slots": slots},
        )
    return bool(slots)


def drop(cursor: Cursor, hash_: str) -> None:
    """Takes a rollup away with all that is known of it."""
    tables = cursor.execute(
        "SELECT table_name FROM information_schema.tables WHERE starts_with(table_name, $prefix)",
        {"prefix": f"rollup_{hash_}_"},
    ).fetchall()
    for (table,) in tables:
        cursor.execute(f"DROP TABLE {quoted(table)}")
    for of in ("rollups", "builds", "build_marks", "rollup_meanings"):
        cursor.execute(f"DELETE FROM {of} WHERE hash = $hash", {"hash": hash_})
    unheld.note_nameless(cursor)


def next_step(cursor: Cursor, model: Model, most_events: int) -> Step | None:
    """The newest slots that are to be built, of one rollup and tenant; None where there are none."""
    newest = first_row(cursor, NEWEST)
    if newest is None or newest[1] not in model.streams:
        return None
    hash_, of, tenant = newest
    stream = model.streams[of]
    rollup = next(each for each in stream.rollups.values() if RollupLayout.of(stream, each).hash == hash_)
    found = cursor.execute(SLOTS, {"hash": hash_, "tenant": tenant, "most": MOST_SLOTS}).fetchnumpy()
    within = max(1, int(np.searchsorted(np.cumsum(found["events"]), most_events, side="right")))
    slots = Places.of({tenant: found["slot"][:within].tolist()})
    alone = replace(stream, rollups={rollup.name: rollup})
    return Step(hash_, alone, tenant, Claim(of, slots))


def mark_folded(cursor: Cursor, folded: Folded) -> None:
    """What a fold has written is to be built as well."""
    claim = folded.claim
    cursor.execute(
        MARK_FOLDED,
        {
            "stream": claim.stream,
            "tenants": claim.slots.tenants.tolist(),
            "slots": [timestamp(int(slot)) for slot in claim.slots.starts],
            "commit": folded.as_of,
        },
    )


def is_building(cursor: Cursor, hash_: str) -> bool:
    """Whether it still is: its model may have gone."""
    return first_row(cursor, "SELECT 1 FROM builds WHERE hash = $hash", {"hash": hash_}) is not None


def answer(cursor: Cursor, step: Step, as_of: int) -> bool:
    """Removes the marks of what was built; with the last the rollup serves, and the earlier one goes."""
    slots = [timestamp(int(slot)) for slot in step.claim.slots.starts]
    cursor.execute(ANSWERED, {"hash": step.hash, "tenant": step.tenant, "slots": slots, "as_of": as_of})
    if _left(cursor, step.hash):
        return False
    (name,) = step.stream.rollups
    for earlier in meanings.others_of_that_name(cursor, step.stream.name, name, step.hash):
        drop(cursor, earlier)
    cursor.execute("DELETE FROM builds WHERE hash = $hash", {"hash": step.hash})
    # It may hold later events than the rollups that were folded, and must not be given them twice.
    held.let_all_go(cursor, step.stream.name)
    return True


def _left(cursor: Cursor, hash_: str) -> int:
    found = first_row(
        cursor,
        "SELECT count(DISTINCT (tenant, slot)) FROM build_marks WHERE hash = $hash",
        {"hash": hash_},
    )
    assert found is not None, "an aggregate without groups gives one row"
    return int(found[0])
