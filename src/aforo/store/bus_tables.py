"""The tables of the bus that needs no other server: its messages, and the ids it has seen of late."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    text,
)

from aforo.store.channel import Channel
from aforo.store.metadata import DETAIL_LENGTH, metadata, one_of

WORD_LENGTH = 128
"""Characters of a group and of a de-duplication id."""

_LIVE, _IN_HAND = text("buried_at IS NULL"), text("receipt IS NOT NULL")

bus_messages = Table(
    "bus_messages",
    metadata,
    # Grows with each message, and tells which of a group comes first.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("queue", String(32), nullable=False),
    Column("group_id", String(WORD_LENGTH), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sent_at", BigInteger, nullable=False),
    Column("visible_at", BigInteger, nullable=False),  # until then nobody is given it
    Column("receives", Integer, nullable=False),
    Column("receipt", String(64)),  # who was given it last has this; null where it was given back
    Column("buried_at", BigInteger),
    Column("reason", String(DETAIL_LENGTH)),  # of its burial
    one_of("queue", Channel),
    CheckConstraint("(buried_at IS NULL) = (reason IS NULL)", name="reason"),
    CheckConstraint("receipt IS NULL OR buried_at IS NULL", name="receipt"),
    Index("uq_bus_messages_receipt", "receipt", unique=True),
    # Of a group one message is in hand at most, however many processes look at once.
    Index(
        "uq_bus_messages_in_hand",
        "queue",
        "group_id",
        unique=True,
        sqlite_where=_IN_HAND,
        postgresql_where=_IN_HAND,
    ),
    Index("ix_bus_messages_live", "queue", "id", sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("ix_bus_messages_group", "queue", "group_id", "id", sqlite_where=_LIVE, postgresql_where=_LIVE),
    sqlite_autoincrement=True,  # an order needs numbers that are never given again
)

bus_dedups = Table(
    "bus_dedups",
    metadata,
    Column("queue", String(32), primary_key=True),
    Column("dedup", String(WORD_LENGTH), primary_key=True),
    Column("until", BigInteger, nullable=False),  # a message with this id is a new one from then on
    one_of("queue", Channel),
    Index(None, "until"),
)
