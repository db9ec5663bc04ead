"""The tables that do not depend on the model, and the shape of those that do."""

from __future__ import annotations

FORMAT = 8
"""Raised when a change of these tables cannot be read by older versions."""

CREATE_META = """
-- One row about the file itself.
CREATE TABLE IF NOT EXISTS meta (format INTEGER NOT NULL)
"""

FORMAT_OF_FILE = "SELECT format FROM meta"

STAMP_FORMAT = "INSERT INTO meta VALUES ($format)"

CREATE_OUTCOMES = """
-- What became of everything that arrived, by the slot it arrived in: rows of the stream `ingest`.
-- Once a slot is over its rows are put together, one for each stream, tenant and reason, as commit 0.
CREATE TABLE outcomes (
    tenant VARCHAR NOT NULL, start TIMESTAMP NOT NULL, stream VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    events BIGINT NOT NULL, bytes BIGINT NOT NULL, "commit" BIGINT NOT NULL
)
"""

CREATE_REFUSED = """
-- The newest refused events of each stream, tenant and code: what was wrong, and the names and types in them.
CREATE TABLE refused (
    "commit" BIGINT NOT NULL, place BIGINT NOT NULL, arrived_at TIMESTAMP NOT NULL, stream VARCHAR NOT NULL,
    tenant VARCHAR NOT NULL, code VARCHAR NOT NULL, detail VARCHAR NOT NULL, names VARCHAR NOT NULL
)
"""

CREATE_FORGETTING = (
    """
    -- Numbers of values whose events, or sets, went after a commit: nothing may hold them any more.
    CREATE TABLE IF NOT EXISTS unheld (
        entity VARCHAR NOT NULL, tenant VARCHAR NOT NULL, ordinal UINTEGER NOT NULL, "commit" BIGINT NOT NULL
    )
    """,
    """
    -- The number that comes after all that were given, where the dictionary has lost the last of them.
    CREATE TABLE IF NOT EXISTS numbers_given (
        entity VARCHAR NOT NULL, tenant VARCHAR NOT NULL, next BIGINT NOT NULL
    )
    """,
    """
    -- By which key values were hashed, told by a hash of it; no row while none was.
    CREATE TABLE IF NOT EXISTS hash_key (fingerprint VARCHAR NOT NULL)
    """,
)

CREATE_ALL = (
    """
    -- Every durable append; numbers ascend and are never given twice.
    CREATE TABLE commits ("commit" BIGINT NOT NULL, made_at TIMESTAMP NOT NULL)
    """,
    """
    -- What each append dirtied, written with it; a fold that read as of commit N removes rows up to N.
    CREATE TABLE ledger (
        stream VARCHAR NOT NULL, tenant VARCHAR NOT NULL, slot TIMESTAMP NOT NULL,
        "commit" BIGINT NOT NULL, events BIGINT NOT NULL
    )
    """,
    CREATE_OUTCOMES,
    CREATE_REFUSED,
    """
    -- How often the rollups of a tenant's day have been written: the name of that day's version. And as of
    -- which commit a fold wrote them last, and when; nulls where none has yet.
    CREATE TABLE revisions (
        stream VARCHAR NOT NULL, tenant VARCHAR NOT NULL, day TIMESTAMP NOT NULL, revision BIGINT NOT NULL,
        "commit" BIGINT, folded_at TIMESTAMP
    )
    """,
    """
    -- Whose data there is, and in which days and weeks they count.
    CREATE TABLE tenants (
        name VARCHAR PRIMARY KEY, timezone VARCHAR NOT NULL, week_start VARCHAR NOT NULL,
        declared BOOLEAN NOT NULL
    )
    """,
    """
    -- Streams whose events are kept here.
    CREATE TABLE streams (stream VARCHAR PRIMARY KEY)
    """,
    """
    -- Rollups whose rows are kept, by the hash of what they mean.
    CREATE TABLE rollups (hash VARCHAR PRIMARY KEY, stream VARCHAR NOT NULL, name VARCHAR NOT NULL)
    """,
    *CREATE_FORGETTING,
)

UPGRADES: dict[int, tuple[str, ...]] = {
    1: (
        "ALTER TABLE outcomes RENAME TO outcomes_of_format_1",
        CREATE_OUTCOMES,
        """
        -- Format 1 kept a row for each commit, and no bytes.
        INSERT INTO outcomes
        SELECT tenant, arrival_slot, stream, outcome, sum(events)::BIGINT, 0, 0
        FROM outcomes_of_format_1 GROUP BY ALL ORDER BY arrival_slot
        """,
        "DROP TABLE outcomes_of_format_1",
        CREATE_REFUSED,
    ),
    2: (),  # Format 3 has journals beside the file, which an older version would leave lying.
    # Format 4 has hashes for values, which an older version would not know again.
    3: CREATE_FORGETTING,
    4: (),  # Format 5 has one table a rollup's period, which `upgrading` makes with the model.
    5: (
        'ALTER TABLE revisions ADD COLUMN IF NOT EXISTS "commit" BIGINT',
        "ALTER TABLE revisions ADD COLUMN IF NOT EXISTS folded_at TIMESTAMP",
    ),
    6: (
        """
        -- Tables whose sets are still lists of members: `upgrading` makes them gaps with the model.
        CREATE TABLE sets_of_members AS SELECT table_name FROM duckdb_tables()
        WHERE regexp_matches(table_name, '^rollup_.*_(slot|day|week|month)$')
        """,
    ),
    7: (
        # Nobody knows of slots that are held already, so that they are settled once more.
        "ALTER TABLE IF EXISTS held ADD COLUMN IF NOT EXISTS merged BOOLEAN DEFAULT true",
    ),
}
"""What brings the tables of a format to those of the next."""

RAISE_FORMAT = "UPDATE meta SET format = $format"
