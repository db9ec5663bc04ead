"""The tables of access, audit and upkeep."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from aforo.store.act import Action
from aforo.store.backfill import BackfillState
from aforo.store.erasure import ErasureState
from aforo.store.key import KeyKind, KeyScope, PrincipalKind
from aforo.store.metadata import ACTOR_LENGTH, ADDRESS_LENGTH, DETAIL_LENGTH, SUBJECT_LENGTH, metadata, one_of

principals = Table(
    "principals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),  # microseconds, as all times here
    one_of("kind", PrincipalKind),
    UniqueConstraint("kind", "name"),
)

keys = Table(
    "keys",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("principal_id", Integer, ForeignKey("principals.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("hash", String(64), nullable=False),  # SHA-256 of the secret, in hexadecimal
    Column("all_tenants", Boolean, nullable=False),
    Column("requests_per_second", Float),  # null: the setting's
    Column("burst_requests", Integer),  # null: the setting's
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("last_used_at", BigInteger),
    Column("raw_rows", BigInteger),  # null: the setting's
    Column("raw_bytes", BigInteger),  # null: the setting's
    one_of("kind", KeyKind),
    CheckConstraint("length(hash) = 64", name="hash"),
    CheckConstraint("requests_per_second >= 0 AND burst_requests >= 1", name="limits"),
    CheckConstraint("kind <> 'public' OR NOT all_tenants", name="public"),
    UniqueConstraint("hash"),
)

key_scopes = Table(
    "key_scopes",
    metadata,
    Column("key_id", String(40), ForeignKey("keys.id", ondelete="CASCADE"), primary_key=True),
    Column("scope", String(16), primary_key=True),
    one_of("scope", KeyScope),
)

key_tenants = Table(
    "key_tenants",
    metadata,
    Column("key_id", String(40), ForeignKey("keys.id", ondelete="CASCADE"), primary_key=True),
    Column("tenant", String(128), primary_key=True),
)

key_origins = Table(
    "key_origins",
    metadata,
    Column("key_id", String(40), ForeignKey("keys.id", ondelete="CASCADE"), primary_key=True),
    Column("origin", String(300), primary_key=True),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("action", String(32), nullable=False),
    Column("actor", String(ACTOR_LENGTH), nullable=False),
    Column("address", String(ADDRESS_LENGTH)),
    Column("subject", String(SUBJECT_LENGTH), nullable=False),
    Column("detail", String(DETAIL_LENGTH), nullable=False),
    one_of("action", Action),
    Index(None, "at"),
    sqlite_autoincrement=True,  # no number of a row that was there is ever given again
)

backfills = Table(
    "backfills",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("stream", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_by", String(ACTOR_LENGTH), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("reason", String(DETAIL_LENGTH), nullable=False),
    one_of("state", BackfillState),
)

backfill_parts = Table(
    "backfill_parts",
    metadata,
    Column("backfill_id", String(40), ForeignKey("backfills.id", ondelete="CASCADE"), primary_key=True),
    Column("tenant", String(128), primary_key=True),
    Column("stream", String(128), nullable=False),
    Column("place", Integer, nullable=False),  # in which order the tenants are worked on
    Column("running", Boolean, nullable=False),  # as its backfill is
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("slots", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("sealed_before", BigInteger),  # null: nothing that was wanted is sealed
    Column("done_from", BigInteger, nullable=False),
    Column("slots_done", BigInteger, nullable=False),
    Column("events_done", BigInteger, nullable=False),
    Column("batches", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("batch_start", BigInteger),  # null where no batch is under way, as those below
    Column("batch_slots", BigInteger),
    Column("batch_events", BigInteger),
    Column("batch_commit", BigInteger),
    # One at a time for a stream and tenant, however many processes ask for it.
    Index(
        "uq_backfill_parts_running",
        "stream",
        "tenant",
        unique=True,
        sqlite_where=text("running"),
        postgresql_where=text("running"),
    ),
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("tenant", String(128), nullable=False),
    Column("entity", String(128), nullable=False),
    Column("value", String(1024)),  # until the engine has forgotten it
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("requested_by", String(ACTOR_LENGTH), nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("events", BigInteger, nullable=False),
    Column("slots", BigInteger, nullable=False),
    Column("commit", BigInteger),  # null until all events are deleted
    one_of("state", ErasureState),
    CheckConstraint("(value IS NULL) = (state <> 'requested')", name="value"),
    Index(None, "requested_at"),
)
