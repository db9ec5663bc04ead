"""The tables that do not depend on the model, and the shape of those that do."""

from __future__ import annotations

FORMAT = 1
"""Raised when a change of these tables cannot be read by older versions."""

CREATE_META = """
-- One row about the file itself.
CREATE TABLE IF NOT EXISTS meta (format INTEGER NOT NULL)
"""

FORMAT_OF_FILE = "SELECT format FROM meta"

STAMP_FORMAT = "INSERT INTO meta VALUES ($format)"

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
    """
    -- What became of everything that arrived, by the slot it arrived in.
    CREATE TABLE outcomes (
        "commit" BIGINT NOT NULL, arrival_slot TIMESTAMP NOT NULL, stream VARCHAR NOT NULL,
        tenant VARCHAR NOT NULL, outcome VARCHAR NOT NULL, events BIGINT NOT NULL
    )
    """,
    """
    -- How often the rollups of a tenant's day have been written: the name of that day's version.
    CREATE TABLE revisions (
        stream VARCHAR NOT NULL, tenant VARCHAR NOT NULL, day TIMESTAMP NOT NULL, revision BIGINT NOT NULL
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
)
